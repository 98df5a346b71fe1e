import { type ReactNode, useState } from "react";
import { ChevronIcon } from "../../ui/icons.tsx";

interface Props {
  readonly summary: ReactNode;
  /** Made when it is opened: there may be hundreds, of megabytes. */
  readonly children: () => ReactNode;
  readonly className?: string;
}

/** A line that opens. */
export function Fold({ summary, children, className = "" }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={`group/fold ${className}`} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex min-h-6 list-none items-center gap-1 rounded text-ink-2 hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronIcon className="size-3.5 -rotate-90 text-ink-3 group-open/fold:rotate-0" />
        {summary}
      </summary>
      {isOpen && children()}
    </details>
  );
}
