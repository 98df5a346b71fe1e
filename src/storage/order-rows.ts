import { sql } from "kysely";
import type { AttemptError } from "../orders/outcome.ts";
import type { Leg, OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { among } from "./order-conditions.ts";

/** What a list tells of an order. Times are epoch milliseconds. */
export interface ListedOrder {
  readonly id: number;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly status: OrderStatus;
  readonly blockedReason: string | null;
  readonly reference: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** `YYYY-MM-DD`: the first and the last of its items' visits, if they have any. */
  readonly visitFrom: string | null;
  readonly visitTo: string | null;
  readonly items: number;
  readonly qty: number;
  /** By currency, in minor units; exact to 2^53. */
  readonly totals: readonly { readonly currency: string; readonly minor: number }[];
  readonly tickets: number;
  /** Of the leg that it has come to: the callback once there is one. */
  readonly leg: Leg;
  readonly attempts: Readonly<Record<Leg, number>>;
  /** Of that leg's present run: what the retry schedule counts. */
  readonly runAttempts: number;
  readonly nextAttemptAt: number | null;
  /** While an open circuit holds it. */
  readonly heldUntil: number | null;
  /** What the last attempt brought. */
  readonly code: number | null;
  readonly error: AttemptError | null;
}

interface JobRow {
  order_id: number;
  attempts: number;
  run_attempts: number;
  next_attempt_at: number | null;
  held_until: number | null;
  last_status_code: number | null;
  last_error: AttemptError | null;
}
interface ItemsRow {
  order_id: number;
  currency: string;
  items: number;
  /** PostgreSQL's sums are texts. */
  qty: number | string;
  minor: number | string;
  visit_from: string | null;
  visit_to: string | null;
}

/** Reads what a list tells of the orders with these ids, which are few, in the order of the ids given. */
export function createReadRows({ queries }: Database): (ids: readonly number[]) => Promise<ListedOrder[]> {
  const jobColumns = sql.raw(
    "attempts, run_attempts, next_attempt_at, held_until, last_status_code, last_error",
  );
  return async (ids) => {
    if (ids.length === 0) return [];
    const given = among(ids);
    const [orders, items, tickets, ticketing, callbacks] = await Promise.all([
      queries
        .selectFrom("orders")
        .select(["id", "partner_id", "external_order_id", "trace_id", "pipeline_status", "blocked_reason"])
        .select(["reference", "created_at", "updated_at"])
        .where("id", "in", ids)
        .execute(),
      sql<ItemsRow>`select order_id, currency, count(*) as items, sum(qty) as qty,
          sum(qty * 1.0 * unit_price_minor) as minor, min(visit_date) as visit_from, max(visit_date) as visit_to
        from order_items where order_id in ${given} group by order_id, currency order by order_id, currency`
        .execute(queries)
        .then(({ rows }) => Map.groupBy(rows, (row) => row.order_id)),
      sql<{ order_id: number; tickets: number }>`select order_id, count(*) as tickets from tickets
        where order_id in ${given} group by order_id`
        .execute(queries)
        .then(({ rows }) => new Map(rows.map((row) => [row.order_id, row.tickets]))),
      sql<JobRow>`select id as order_id, ${jobColumns} from ticketing_jobs where id in ${given}`
        .execute(queries)
        .then(byOrder),
      // Of its events, the one that moves the order.
      sql<JobRow>`select order_id, ${jobColumns} from ota_callback_jobs
        where order_id in ${given} and event = 'order.ticketed'`
        .execute(queries)
        .then(byOrder),
    ]);
    const places = new Map(ids.map((id, place) => [id, place]));
    return orders
      .sort((a, b) => places.get(a.id)! - places.get(b.id)!)
      .map((order): ListedOrder => {
        const callback = callbacks.get(order.id);
        const job = callback ?? ticketing.get(order.id);
        return {
          id: order.id,
          partnerId: order.partner_id,
          externalOrderId: order.external_order_id,
          traceId: order.trace_id,
          status: order.pipeline_status,
          blockedReason: order.blocked_reason,
          reference: order.reference,
          createdAt: order.created_at,
          updatedAt: order.updated_at,
          ...summed(items.get(order.id) ?? []),
          tickets: tickets.get(order.id) ?? 0,
          leg: callback ? "callback" : "ticketing",
          attempts: {
            ticketing: ticketing.get(order.id)?.attempts ?? 0,
            callback: callback?.attempts ?? 0,
          },
          runAttempts: job?.run_attempts ?? 0,
          nextAttemptAt: job?.next_attempt_at ?? null,
          heldUntil: job?.held_until ?? null,
          code: job?.last_status_code ?? null,
          error: job?.last_error ?? null,
        };
      });
  };
}

function byOrder({ rows }: { rows: readonly JobRow[] }): Map<number, JobRow> {
  return new Map(rows.map((row) => [row.order_id, row]));
}

function summed(rows: readonly ItemsRow[]) {
  const sum = (read: (row: ItemsRow) => number | string): number =>
    rows.reduce((total, row) => total + Number(read(row)), 0);
  const dates = rows.flatMap((row) => [row.visit_from, row.visit_to].filter((date) => date !== null)).sort();
  return {
    visitFrom: dates[0] ?? null,
    visitTo: dates.at(-1) ?? null,
    items: sum((row) => row.items),
    qty: sum((row) => row.qty),
    totals: rows.map(({ currency, minor }) => ({ currency, minor: Number(minor) })),
  };
}
