import type pg from "pg";
import { inBatches } from "./batches.ts";
import type { Acceptance, NewOrder, TicketingTask } from "./orders.ts";
import { ticketingTask } from "./orders.ts";
import { acceptedOrder, findByKey, GATHER_MS, insertOrders, transaction } from "./postgres.ts";

export interface AcceptOptions {
  readonly pool: pg.Pool;
  /** Hands the new orders' tickets to the engine, within the transaction that writes the orders. */
  readonly enqueue?: (client: pg.PoolClient, tasks: readonly TicketingTask[]) => Promise<unknown>;
  /** The orders are durable. */
  readonly onCommitted?: (tasks: readonly TicketingTask[]) => void;
}

const MAX_BATCH = 100;

/** Orders that arrive together share a transaction: on PostgreSQL, the same for every peer. */
export function acceptInBatches(options: AcceptOptions): (order: NewOrder) => Promise<Acceptance> {
  const { pool, enqueue, onCommitted } = options;

  async function run(orders: readonly NewOrder[]): Promise<Acceptance[]> {
    const { ids, tasks } = await transaction(pool, async (client) => {
      const ids = await insertOrders(client, orders);
      const tasks = orders.flatMap((order) => {
        const id = ids.get(order.traceId);
        return id === undefined ? [] : [ticketingTask(order, id)];
      });
      if (tasks.length > 0) await enqueue?.(client, tasks);
      return { ids, tasks };
    });
    if (tasks.length > 0) onCommitted?.(tasks);
    return Promise.all(
      orders.map(async (order): Promise<Acceptance> => {
        const id = ids.get(order.traceId);
        if (id === undefined) return findByKey(pool, order);
        return { kind: "accepted", order: acceptedOrder(order, id) };
      }),
    );
  }

  return inBatches({ run, maxBatch: MAX_BATCH, gatherMs: GATHER_MS });
}
