import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types.ts";
import { isRetrying, StatusBadge } from "../../ui/status.tsx";
import { FromNow } from "../../ui/time.tsx";

type Order = Overview["visits"][number]["orders"][number];

/** An order that has no tickets yet, in a line: which one, where it stands, for how long. */
export function WaitingOrder({ order }: { readonly order: Order }) {
  const { id, external_order_id, partner_id, status, created_at } = order;
  return (
    <li className="flex min-h-8 items-center gap-2 px-3 hover:bg-hover">
      <Link
        to="/orders/$id"
        params={{ id: String(id) }}
        title={`${external_order_id}, ${partner_id}`}
        className="min-w-0 flex-1 truncate py-1.5 underline decoration-line-strong hover:decoration-current"
      >
        {external_order_id}
      </Link>
      <StatusBadge status={status} retrying={isRetrying(order)} />
      <span className="min-w-18 text-end text-xs text-ink-2">
        <FromNow at={created_at} />
      </span>
    </li>
  );
}
