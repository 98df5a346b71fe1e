import type { Database } from "./database.ts";

/**
 * The id of the first order that was accepted, or callback job that was made, at a moment (epoch milliseconds) or later;
 * one more than the last id when there is none. Ids are given out in the order of time, give or take moments, and the time
 * has no index of its own: it is looked for by halves, a row each time, some twenty times among a million.
 */
export async function firstIdSince(
  { queries }: Pick<Database, "queries">,
  epochMs: number,
  table: "orders" | "ota_callback_jobs" = "orders",
): Promise<number> {
  const order = queries.selectFrom(table).select(["id", "created_at"]).limit(1);
  const last = await order.orderBy("id", "desc").executeTakeFirst();
  if (!last || last.created_at < epochMs) return (last?.id ?? 0) + 1;
  // The answer is at `low` or later, and not later than `high`, which is a row of then or later.
  let low = 0;
  let high = last.id;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await order.where("id", ">=", middle).orderBy("id").executeTakeFirst();
    if (!row || row.id >= high) high = middle;
    else if (row.created_at >= epochMs) high = row.id;
    else low = row.id + 1;
  }
  const first = await order.where("id", ">=", low).orderBy("id").executeTakeFirst();
  return first?.id ?? low;
}
