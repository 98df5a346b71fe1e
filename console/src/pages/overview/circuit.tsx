import { StopIcon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/status.tsx";

interface Props {
  readonly isOpen: boolean;
  /** In place of "Open". */
  readonly word?: string;
}

/** Whether orders go to a target, or are held back until it answers again. */
export function Circuit({ isOpen, word = "Open" }: Props) {
  if (!isOpen) return <span className="text-ink-3">closed</span>;
  return (
    <Badge tone="stop" Icon={StopIcon} title="Its orders wait, and are probed">
      {word}
    </Badge>
  );
}
