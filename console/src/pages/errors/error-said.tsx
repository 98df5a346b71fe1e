import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ErrorGroup } from "../../api/types.ts";
import { ClockIcon, StopIcon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/status.tsx";
import { meaningOf, titleOf, toneOf } from "./error-words.ts";
import { ordersOfGroup } from "./orders-of-group.ts";

interface Props {
  readonly group: ErrorGroup;
  readonly partner: string | undefined;
  /** Below it. */
  readonly children: ReactNode;
}

/** What was answered or went wrong, by whom, and in which words: a way to its orders. */
export function ErrorSaid({ group, partner, children }: Props) {
  const { code, error, host, message, standing, waiting, example_order_id } = group;
  const tone = toneOf(group);
  const hasOrders = standing + waiting > 0;
  const link = "font-medium underline decoration-line-strong hover:decoration-current wrap-anywhere";
  const meaning = meaningOf(group);
  return (
    <div className="min-w-0 flex-1">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
        <Badge tone={tone} {...(tone !== "rest" && { Icon: tone === "stop" ? StopIcon : ClockIcon })}>
          {String(error ?? code ?? "no answer")}
        </Badge>
        {hasOrders ? (
          <Link to="/" search={ordersOfGroup(group, partner)} data-row className={link}>
            {titleOf(group)}
          </Link>
        ) : (
          <Link to="/orders/$id" params={{ id: String(example_order_id) }} data-row className={link}>
            {titleOf(group)}
          </Link>
        )}
        {meaning !== null && <span className="text-ink-2">{meaning}</span>}
      </div>
      <p className="mt-0.5 flex gap-2 text-xs text-ink-2">
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
