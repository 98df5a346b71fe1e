import { ORDER_EDGES, type OrderStatus } from "../orders/states.ts";
import type { Run, SqlWords } from "./database.ts";

/** An order's way to another status, with what is learnt on it. */
export interface Move {
  readonly orderId: number;
  readonly to: OrderStatus;
  readonly reason: string | null;
  readonly reference: string | null;
}

/**
 * Moves orders along the edges of SPEC section 4 and nowhere else: the condition stands in the statement, so that
 * it holds whoever asks.
 * @returns the ids of the orders that moved
 */
export type MoveOrders = (tx: Run, moves: readonly Move[], now: number | null) => Promise<Set<number>>;

export function createMoveOrders(words: SqlWords): MoveOrders {
  const edges = [...new Set(ORDER_EDGES.map((edge) => `'${edge.from} ${edge.to}'`))];
  const given = words.rows("$1", {
    order_id: "integer",
    to_status: "text",
    reason: "text",
    new_reference: "text",
  });
  const text = `with clock as (select ${words.now("$2")} as now)
    update orders as o set
      pipeline_status = r.to_status,
      blocked_reason = r.reason,
      reference = coalesce(r.new_reference, reference),
      ticketed_at = case when r.to_status = 'ticketed' then (select now from clock) else ticketed_at end,
      delivered_at = case when r.to_status = 'ota_callback_delivered' then (select now from clock) else delivered_at end,
      updated_at = (select now from clock)
    from ${given} r
    where o.id = r.order_id and o.pipeline_status || ' ' || r.to_status in (${edges.join(", ")})
    returning id`;
  return async (tx, moves, now) => {
    if (moves.length === 0) return new Set();
    const parameter = JSON.stringify(
      moves.map((move) => ({
        order_id: move.orderId,
        to_status: move.to,
        reason: move.reason,
        new_reference: move.reference,
      })),
    );
    const rows = await tx<{ id: number }>(text, [parameter, now]);
    return new Set(rows.map((row) => row.id));
  };
}
