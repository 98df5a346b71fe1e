import type { ReactNode } from "react";

interface Props {
  readonly title?: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a tab. */
export function Section({ title, aside, children }: Props) {
  return (
    <div className="border-t border-line p-3 first:border-0">
      {title !== undefined && (
        <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
          <h2 className="font-semibold wrap-anywhere">{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </div>
  );
}

interface HeaderListProps {
  readonly headers: Readonly<Record<string, string>>;
  /** On what stands in angle brackets. */
  readonly note: string;
}

/** Header fields as they are sent, what is secret in angle brackets. */
export function HeaderList({ headers, note }: HeaderListProps) {
  return (
    <>
      <dl className="grid gap-x-4 font-mono text-xs sm:grid-cols-[max-content_minmax(0,1fr)]">
        {Object.entries(headers).map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="pt-1 text-ink-3 sm:pt-0.5">{name}</dt>
            <dd className="wrap-anywhere sm:py-0.5">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-1.5 text-xs text-ink-3">{note} Each attempt also has a traceparent of its own.</p>
    </>
  );
}
