import type { ExportedItem, ExportedOrder } from "../orders/order-export.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import { unhurried } from "../lib/unhurried.ts";
import type { Database } from "./database.ts";

/** Ids of one look, and orders of one page: those may have 500 items each. */
const LOOK = 250;
const PAGE = 50;
/** An id of a partner's may have many orders. */
const MAX_NAMED = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface ExportPages {
  /**
   * All orders of a filter that had been accepted when it was asked for, the oldest first, in pages. Each page is read when it
   * is asked for, and none later than that: whoever stops asking ends it.
   */
  pages(filter: OrderFilter, codes: boolean): AsyncGenerator<ExportedOrder[]>;
  /** The orders of these ids, at most 1000, in the order of their ids; those that aren't there are left out. */
  byIds(ids: readonly number[], codes: boolean): Promise<ExportedOrder[]>;
  /**
   * Ids of the orders that a text may name exactly, in their order. Found by index.
   * @param texts at most 1000
   */
  idsOf(name: "external_order_id" | "reference" | "trace_id", texts: readonly string[]): Promise<number[]>;
}

/** Ids of a filter after an id, ascending, at most `limit`. */
type IdsOfFilter = (filter: OrderFilter, afterId: number, limit: number) => Promise<readonly number[]>;

/** Looks are made in turns with a rest, so that an export leaves half of the time to others. */
export function createPages(idsOfFilter: IdsOfFilter, byIds: ExportPages["byIds"]): ExportPages["pages"] {
  return async function* (filter, codes) {
    // An export of what is still coming in would not end.
    const bounded = { ...filter, createdBefore: filter.createdBefore ?? Date.now() + 1 };
    let after = 0;
    for (;;) {
      const from = after;
      const ids = await unhurried(() => idsOfFilter(bounded, from, LOOK));
      if (ids.length === 0) return;
      for (let done = 0; done < ids.length; done += PAGE)
        yield await byIds(ids.slice(done, done + PAGE), codes);
      after = ids.at(-1)!;
    }
  };
}

export function createExportPages({ run, queries, words }: Database, idsOfFilter: IdsOfFilter): ExportPages {
  const among = words.amongIds("$1");
  const orderRows = `select id, partner_id as "partnerId", external_order_id as "externalOrderId", reference,
      trace_id as "traceId", pipeline_status as status, created_at as "createdAt", ticketed_at as "ticketedAt",
      delivered_at as "deliveredAt"
    from orders where id ${among} order by id`;
  const itemRows = `select order_id as "orderId", no, sku, qty, unit_price_minor as "unitPriceMinor", currency,
      visit_date as "visitDate", visit_time as "visitTime"
    from order_items where order_id ${among} order by order_id, no`;
  const ticketCounts = `select order_id as "orderId", count(*) as tickets
    from tickets where order_id ${among} group by order_id`;
  const ticketRows = `select order_id as "orderId", code from tickets where order_id ${among} order by order_id, no`;

  const ids = queries.selectFrom("orders").select("id");
  const references = queries.selectFrom("ticketing_jobs").select("id");

  type OfOrder<T> = T & { readonly orderId: number };
  type OrderRow = Omit<ExportedOrder, "items" | "tickets" | "codes">;

  async function ticketsOf(
    ids: string,
    codes: boolean,
  ): Promise<Map<number, { n: number; codes: string[] }>> {
    const found = new Map<number, { n: number; codes: string[] }>();
    if (!codes) {
      for (const row of await run<OfOrder<{ tickets: number }>>(ticketCounts, [ids]))
        found.set(row.orderId, { n: row.tickets, codes: [] });
      return found;
    }
    for (const { orderId, code } of await run<OfOrder<{ code: string | null }>>(ticketRows, [ids])) {
      const of = found.get(orderId) ?? { n: 0, codes: [] };
      found.set(orderId, { n: of.n + 1, codes: code === null ? of.codes : [...of.codes, code] });
    }
    return found;
  }

  async function byIds(given: readonly number[], codes: boolean): Promise<ExportedOrder[]> {
    if (given.length === 0) return [];
    const ids = JSON.stringify(given);
    const orders = await run<OrderRow>(orderRows, [ids]);
    const items = Map.groupBy(await run<OfOrder<ExportedItem>>(itemRows, [ids]), (item) => item.orderId);
    const tickets = await ticketsOf(ids, codes);
    return orders.map((order) => ({
      ...order,
      items: items.get(order.id) ?? [],
      tickets: tickets.get(order.id)?.n ?? 0,
      codes: codes ? (tickets.get(order.id)?.codes ?? []) : null,
    }));
  }

  return {
    byIds,
    pages: createPages(idsOfFilter, byIds),
    async idsOf(name, texts) {
      const asked = name === "trace_id" ? texts.filter((text) => UUID.test(text)) : texts;
      if (asked.length === 0) return [];
      const rows =
        name === "reference"
          ? await references.where("reference", "in", asked).limit(MAX_NAMED).execute()
          : await ids.where(name, "in", asked).limit(MAX_NAMED).execute();
      return [...new Set(rows.map((row) => row.id))].sort((a, b) => a - b);
    },
  };
}
