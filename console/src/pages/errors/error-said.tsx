import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ErrorGroup } from "../../api/types.ts";
import { meaningOf, titleOf } from "./error-words.ts";
import { ordersOfGroup } from "./orders-of-group.ts";

interface Props {
  readonly group: ErrorGroup;
  readonly partner: string | undefined;
  /** Below it. */
  readonly children: ReactNode;
}

/** What was answered or went wrong, by whom, and in which words: a way to its orders. */
export function ErrorSaid({ group, partner, children }: Props) {
  const { error, host, message, standing, waiting, example_order_id } = group;
  const hasOrders = standing + waiting > 0;
  const link =
    "me-2 inline-block py-0.5 font-medium text-ink underline decoration-line-strong hover:decoration-current wrap-anywhere";
  const meaning = meaningOf(group);
  return (
    <div className="min-w-0 flex-1">
      <div className="text-ink-2">
        {hasOrders ? (
          <Link to="/" search={ordersOfGroup(group, partner)} data-row className={link}>
            {titleOf(group)}
          </Link>
        ) : (
          <Link to="/orders/$id" params={{ id: String(example_order_id) }} data-row className={link}>
            {titleOf(group)}
          </Link>
        )}
        {meaning !== null && <span className="max-sm:block">{meaning}</span>}
        {error !== null && <code className="text-xs text-ink-3">{error}</code>}
      </div>
      <p className="flex gap-2 text-xs text-ink-2">
        {message !== "" && (
          <span className="min-w-0 truncate" title={message}>
            {message}
          </span>
        )}
        {host !== null && (
          <span className="min-w-0 shrink-3 truncate font-mono text-ink-3 max-sm:hidden" title={host}>
            {host}
          </span>
        )}
      </p>
      {children}
    </div>
  );
}
