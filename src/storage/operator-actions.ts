import type { Leg, OrderStatus } from "../orders/states.ts";
import { onRetry } from "../orders/transitions.ts";
import type { Database } from "./database.ts";
import { createMoveOrders } from "./moves.ts";
import { LEG_TABLES } from "./tables.ts";

/** Who did it and why: kept for as long as the order. */
export interface Act {
  readonly actor: string;
  readonly reason: string;
}

export type Retried =
  | { readonly kind: "retried"; readonly leg: Leg; readonly from: OrderStatus; readonly to: OrderStatus }
  | { readonly kind: "not_found" }
  /** The order stands where there is nothing to retry. */
  | { readonly kind: "refused"; readonly status: OrderStatus };

export interface OperatorActions {
  /** Begins a new run of the leg on which an order came to stand still: due at once, with the whole schedule. */
  retry(orderId: number, act: Act, now: number | null): Promise<Retried>;
}

export function createOperatorActions({ transact, words }: Database): OperatorActions {
  const moveOrders = createMoveOrders(words);
  const orderStatus = `select pipeline_status as status from orders where id = $1 ${words.forUpdate}`;
  const newRun = (leg: Leg): string => `with clock as (select ${words.now("$2")} as now)
    update ${LEG_TABLES[leg].jobs} set
      status = 'pending', lane = 1, run_attempts = 0, run_started_at = null, ends_as = null,
      next_attempt_at = (select now from clock), updated_at = (select now from clock)
    where ${LEG_TABLES[leg].jobOfOrder} = $1 and status in ('blocked', 'exhausted', 'unknown')
    returning id`;
  const newRuns: Record<Leg, string> = { ticketing: newRun("ticketing"), callback: newRun("callback") };
  const record = `with clock as (select ${words.now("$5")} as now)
    insert into operator_actions (partner_id, order_id, actor, action, reason, at)
    select o.partner_id, o.id, $2, $3, $4, (select now from clock) from orders o where o.id = $1`;
  return {
    retry: (orderId, act, now) =>
      transact(async (tx): Promise<Retried> => {
        const [order] = await tx<{ status: OrderStatus }>(orderStatus, [orderId]);
        if (!order) return { kind: "not_found" };
        const retry = onRetry(order.status);
        if (!retry) return { kind: "refused", status: order.status };
        const { leg, to } = retry;
        const moved = await moveOrders(tx, [{ orderId, to, reason: null, reference: null }], now);
        const jobs = await tx(newRuns[leg], [orderId, now]);
        if (moved.size === 0 || jobs.length === 0)
          throw new Error(`order ${orderId} has no ${leg} job to retry`);
        await tx(record, [orderId, act.actor, `retry ${leg}`, act.reason, now]);
        return { kind: "retried", leg, from: order.status, to };
      }),
  };
}
