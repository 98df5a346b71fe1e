import { isEdge, type Leg, LEGS, type OrderStatus } from "../orders/states.ts";
import { onRetry } from "../orders/transitions.ts";
import { createExplainCancelled } from "./cancelled.ts";
import type { Database, Run } from "./database.ts";
import { createMoveOrders } from "./moves.ts";
import { LEG_TABLES } from "./tables.ts";
import { createWriteTickets, type Ticketed } from "./tickets.ts";

/** Who did it and why: kept for as long as the order. */
export interface Act {
  readonly actor: string;
  readonly reason: string;
}

/** The order is not there, or stands where this can't be done. */
export type Refused =
  | { readonly kind: "not_found" }
  | { readonly kind: "refused"; readonly status: OrderStatus };

export type Retried =
  | { readonly kind: "retried"; readonly leg: Leg; readonly from: OrderStatus; readonly to: OrderStatus }
  | Refused;

export type Cancelled =
  | { readonly kind: "cancelled" }
  /** An attempt is in flight: a success of it still counts, anything else ends in `cancelled`. */
  | { readonly kind: "requested" }
  | Refused;

export type MarkedTicketed = { readonly kind: "ticketed"; readonly from: OrderStatus } | Refused;

export interface OperatorActions {
  /** Begins a new run of the leg on which an order came to stand still: due at once, with the whole schedule. */
  retry(orderId: number, act: Act, now: number | null): Promise<Retried>;
  /** Ends an order before it is ticketed. Never revokes a claim (SPEC section 4). */
  cancel(orderId: number, act: Act, now: number | null): Promise<Cancelled>;
  /** Makes an order ticketed by hand, and has the partner told. */
  markTicketed(orderId: number, ticketed: Ticketed, act: Act, now: number | null): Promise<MarkedTicketed>;
}

export function createOperatorActions({ transact, words }: Database): OperatorActions {
  const moveOrders = createMoveOrders(words);
  const writeTickets = createWriteTickets(words);
  const explainCancelled = createExplainCancelled(words);
  const clock = (parameter: string): string => `with clock as (select ${words.now(parameter)} as now)`;
  const lockOrder = `select partner_id, pipeline_status as status from orders where id = $1 ${words.forUpdate}`;
  // Jobs before orders, as everybody locks them.
  const lockJobs = LEGS.map(
    (leg) =>
      `select id from ${LEG_TABLES[leg].jobs} where ${LEG_TABLES[leg].jobOfOrder} = $1 ${words.forUpdate}`,
  );
  const newRun = (leg: Leg): string => `${clock("$2")}
    update ${LEG_TABLES[leg].jobs} set
      status = 'pending', lane = 1, run_attempts = 0, run_started_at = null, ends_as = null, held_until = null,
      next_attempt_at = (select now from clock), updated_at = (select now from clock)
    where ${LEG_TABLES[leg].jobOfOrder} = $1 and status in ('blocked', 'exhausted', 'unknown')
    returning id`;
  const newRuns: Record<Leg, string> = { ticketing: newRun("ticketing"), callback: newRun("callback") };
  const endTicketing = `${clock("$2")}
    update ticketing_jobs set
      ends_as = case when status = 'running' then $3 else null end,
      next_attempt_at = null, held_until = null,
      status = case when status = 'running' then status else $3 end,
      updated_at = (select now from clock)
    where id = $1
    returning status`;
  const record = `${clock("$5")}
    insert into operator_actions (partner_id, order_id, actor, action, reason, at)
    select o.partner_id, o.id, $2, $3, $4, (select now from clock) from orders o where o.id = $1`;

  /** Locks the order, and does the work if the order may go to `to(status)`. */
  function act<Done extends { readonly kind: string }>(
    orderId: number,
    to: (status: OrderStatus) => OrderStatus | null,
    work: (tx: Run, order: { partner_id: string; status: OrderStatus }, to: OrderStatus) => Promise<Done>,
  ): Promise<Done | Refused> {
    return transact(async (tx) => {
      for (const text of lockJobs) await tx(text, [orderId]);
      const [order] = await tx<{ partner_id: string; status: OrderStatus }>(lockOrder, [orderId]);
      if (!order) return { kind: "not_found" };
      const target = to(order.status);
      if (target === null) return { kind: "refused", status: order.status };
      return work(tx, order, target);
    });
  }

  return {
    retry: (orderId, { actor, reason }, now) =>
      act(
        orderId,
        (status) => onRetry(status)?.to ?? null,
        async (tx, { status: from }, to) => {
          const { leg } = onRetry(from)!;
          await moveOrders(tx, [{ orderId, to, reason: null, reference: null }], now);
          const jobs = await tx(newRuns[leg], [orderId, now]);
          if (jobs.length === 0) throw new Error(`order ${orderId} has no ${leg} job to retry`);
          await tx(record, [orderId, actor, `retry ${leg}`, reason, now]);
          return { kind: "retried", leg, from, to };
        },
      ),
    cancel: (orderId, { actor, reason }, now) =>
      act(
        orderId,
        (status) => (isEdge(status, "cancelled") ? "cancelled" : null),
        async (tx, _order, to) => {
          const [job] = await tx<{ status: string }>(endTicketing, [orderId, now, "cancelled"]);
          await tx(record, [orderId, actor, "cancel", reason, now]);
          if (job?.status === "running") return { kind: "requested" };
          await moveOrders(tx, [{ orderId, to, reason: null, reference: null }], now);
          await explainCancelled(tx, [orderId]);
          return { kind: "cancelled" };
        },
      ),
    markTicketed: (orderId, ticketed, { actor, reason }, now) =>
      act(
        orderId,
        // The engine alone makes an order ticketed that is still being worked.
        (status) => (status !== "ticketing_processing" && isEdge(status, "ticketed") ? "ticketed" : null),
        async (tx, { partner_id: partnerId, status: from }, to) => {
          // The record first, so that the story tells the act before what came of it.
          await tx(record, [orderId, actor, "mark ticketed", reason, now]);
          await moveOrders(tx, [{ orderId, to, reason: null, reference: ticketed.reference }], now);
          await tx(endTicketing, [orderId, now, "succeeded"]);
          await writeTickets(tx, [{ orderId, partnerId, ticketed }], now);
          return { kind: "ticketed", from };
        },
      ),
  };
}
