import type { ComponentType, ReactNode } from "react";

interface Props {
  readonly Icon: ComponentType<{ readonly className?: string }>;
  readonly title: string;
  readonly children?: ReactNode;
}

/** There is nothing here, and that is why, and what can be done about it. */
export function Empty({ Icon, title, children }: Props) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-12 text-center text-ink-2">
      <Icon className="size-7 text-ink-3" />
      <p className="text-base font-medium text-ink">{title}</p>
      {children && <div className="max-w-prose">{children}</div>}
    </div>
  );
}
