import type { ReactNode } from "react";

/** Links of which one is where the reader is: ranges of time, views of a list. */
export function Segments({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <nav aria-label={label} className="inline-flex flex-wrap rounded-md border border-line-strong/60 p-px">
      {children}
    </nav>
  );
}

/** Of a link within {@link Segments}; the current one has `aria-current` too. */
export const segmentClass = (isCurrent: boolean): string =>
  `inline-flex min-h-7 items-center rounded px-2.5 text-sm ${
    isCurrent ? "bg-accent-soft font-medium text-accent" : "text-ink-2 hover:bg-hover hover:text-ink"
  }`;
