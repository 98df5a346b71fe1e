import { useState } from "react";
import { counted } from "../../../format/words.ts";
import { ChevronIcon } from "../../../ui/icons.tsx";
import { Time } from "../../../ui/time.tsx";
import { meaningOf } from "./moment-words.ts";
import { ResultChip } from "./result-chip.tsx";
import type { Entry } from "./timeline-rows.ts";

/** Which runs somebody has opened. */
export function useOpened() {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string): void =>
    setOpened((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  return [opened, toggle] as const;
}

interface Props {
  readonly entries: readonly Entry[];
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}

/** Many attempts in one line, that opens. */
export function RunContent({ entries, isOpen, onToggle }: Props) {
  const first = entries[0]!.moment;
  const last = entries.at(-1)!.moment;
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={onToggle}
      className="my-1 -ml-1.5 flex min-h-7 w-full min-w-0 flex-wrap items-center gap-x-2.5 rounded bg-page px-1.5 text-start hover:bg-hover"
    >
      <ChevronIcon className={`size-3.5 text-ink-3 ${isOpen ? "" : "-rotate-90"}`} />
      <span className="num font-medium">
        Attempts {first.no} to {last.no}
      </span>
      <ResultChip moment={first} />
      <span className="text-ink-2">
        {meaningOf(first)}, {counted(entries.length, "time")}
      </span>
      <span className="num ms-auto text-xs text-ink-3">
        <Time at={first.at} /> to <Time at={last.at} />
      </span>
    </button>
  );
}
