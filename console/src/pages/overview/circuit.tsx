import { StopIcon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/status.tsx";

interface Props {
  readonly isOpen: boolean;
  /** In place of "Held back". */
  readonly word?: string;
}

/** Whether orders go to a target, or are held back until it answers again. */
export function Circuit({ isOpen, word = "Held back" }: Props) {
  if (!isOpen) return <span className="text-ink-3">Going out</span>;
  return (
    <Badge tone="stop" Icon={StopIcon} title="Its circuit is open: orders wait, and one at a time is tried">
      {word}
    </Badge>
  );
}
