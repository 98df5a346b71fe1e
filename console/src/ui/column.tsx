import type { ReactNode } from "react";

interface Props {
  /** Numbers stand at its end. */
  readonly numbers?: boolean;
  readonly className?: string;
  readonly children: ReactNode;
}

/** The head of a table's column. */
export function Column({ numbers = false, className = "", children }: Props) {
  return (
    <th
      scope="col"
      className={`px-2 py-1.5 leading-tight first:ps-3 last:pe-3 ${numbers ? "text-end" : ""} ${className}`}
    >
      {children}
    </th>
  );
}
