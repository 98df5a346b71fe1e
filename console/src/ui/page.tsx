import { type ReactNode, useEffect } from "react";

interface Props {
  readonly title: string;
  /** Beside the title. */
  readonly aside?: ReactNode;
  /** True: the title is for readers of screens and of tabs alone. */
  readonly quiet?: boolean;
  readonly children: ReactNode;
}

/** A page: its name in the tab, as its heading, and where "skip to content" leads. */
export function Page({ title, aside, quiet = false, children }: Props) {
  useEffect(() => {
    document.title = `${title} · WaveGate`;
  }, [title]);
  return (
    <main
      id="content"
      tabIndex={-1}
      className="mx-auto flex w-full max-w-[96rem] flex-col gap-4 px-3 py-4 outline-none sm:px-5"
    >
      <div className={quiet && !aside ? "sr-only" : "flex flex-wrap items-center justify-between gap-2"}>
        <h1 className={quiet ? "sr-only" : "min-w-0 text-xl font-semibold wrap-anywhere"}>{title}</h1>
        {aside}
      </div>
      {children}
    </main>
  );
}

/** A part of a page on a ground of its own. */
export function Panel({
  title,
  aside,
  children,
}: {
  readonly title?: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="overflow-hidden rounded-lg border border-line bg-panel">
      {title !== undefined && (
        <header className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-2">
          <h2 className="text-sm font-semibold">{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}
