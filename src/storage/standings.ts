import type { OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";

/** Where an order stands, and what its buyer is waiting for. */
export interface Standing {
  readonly status: OrderStatus;
  readonly reference: string | null;
  /** As ticketing gave them, parsed; null until the order is ticketed. */
  readonly tickets: readonly unknown[] | null;
}

/** Looks at orders by their ids, in two short reads. Those that aren't there are left out. */
export type ReadStandings = (orderIds: readonly number[]) => Promise<ReadonlyMap<number, Standing>>;

export function createReadStandings({ queries }: Pick<Database, "queries">): ReadStandings {
  async function ticketsOf(orderIds: readonly number[]) {
    if (orderIds.length === 0) return [];
    const tickets = queries.selectFrom("tickets").select(["order_id", "body"]);
    return tickets.where("order_id", "in", orderIds).orderBy("order_id").orderBy("no").execute();
  }

  return async (orderIds) => {
    if (orderIds.length === 0) return new Map();
    const orders = await queries
      .selectFrom("orders")
      .select(["id", "pipeline_status", "reference", "ticketed_at"])
      .where("id", "in", orderIds)
      .execute();
    const ticketed = orders.filter((order) => order.ticketed_at !== null).map(({ id }) => id);
    const tickets = Map.groupBy(await ticketsOf(ticketed), (row) => row.order_id);
    const parsed = (id: number): unknown[] =>
      (tickets.get(id) ?? []).map((row) => JSON.parse(row.body) as unknown);
    return new Map(
      orders.map(({ id, pipeline_status: status, reference, ticketed_at: at }) => [
        id,
        { status, reference, tickets: at === null ? null : parsed(id) },
      ]),
    );
  };
}
