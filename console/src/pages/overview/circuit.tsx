import { StopIcon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/status.tsx";

/** Whether orders go to a target, or are held back until it answers again. */
export function Circuit({ isOpen }: { readonly isOpen: boolean }) {
  if (!isOpen) return <span className="text-ink-3">closed</span>;
  return (
    <Badge tone="stop" Icon={StopIcon} title="Its orders wait, and are probed">
      Open
    </Badge>
  );
}
