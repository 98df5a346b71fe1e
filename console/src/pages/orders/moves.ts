// What looks tell of a list that stays where it is.
import type { InfiniteData } from "@tanstack/react-query";
import type { ListedOrder, Look } from "../../api/types.ts";
import type { OrderFilter } from "../../search/orders-search.ts";

export type Pages = InfiniteData<{ orders: ListedOrder[]; next: string | null }>;

const MOST_NEWS = 1_000;

/** Orders that came, or came to match, since the list was loaded. `orMore`: they were too many to be named. */
export interface News {
  readonly ids: ReadonlySet<number>;
  readonly orMore: boolean;
}
export const NO_NEWS: News = { ids: new Set(), orMore: false };

interface Noting {
  readonly listed: ReadonlySet<number>;
  /** What is older stands on a page that isn't loaded. */
  readonly lastId: number;
  readonly status: OrderFilter["status"];
  readonly named: { readonly rows: Set<number>; readonly others: Set<number>; anything: boolean };
}

/** Notes what a look names: rows that are listed, and others that may have come into the list. */
export function note(look: Look | null, { listed, lastId, status, named }: Noting): void {
  if (look === null || look.more) named.anything = true;
  for (const order of look?.orders ?? []) {
    if (listed.has(order.id)) named.rows.add(order.id);
    else if (order.id > lastId && (!status || status.includes(order.status))) named.others.add(order.id);
  }
}

/** With those that came, to a number that can be read. */
export function withNews(before: News, came: readonly number[], orMore: boolean): News {
  if (came.length === 0 && before.orMore === orMore) return before;
  const ids = new Set([...before.ids, ...came].slice(0, MOST_NEWS));
  return { ids, orMore: before.orMore || orMore || ids.size === MOST_NEWS };
}

/** What came to match and has moved on since isn't news any more. */
export function withoutThose(
  before: News,
  { orders }: Look,
  status: NonNullable<OrderFilter["status"]>,
): News {
  const left = orders.filter((order) => before.ids.has(order.id) && !status.includes(order.status));
  if (left.length === 0) return before;
  const ids = new Set(before.ids);
  for (const { id } of left) ids.delete(id);
  return { ...before, ids };
}

/** The rows that differ in what is shown. */
export function changesIn(before: readonly ListedOrder[], now: readonly ListedOrder[]): ReadonlySet<number> {
  const shown = (order: ListedOrder): string => JSON.stringify({ ...order, age_secs: 0, updated_at: "" });
  const old = new Map(before.map((order) => [order.id, shown(order)]));
  return new Set(now.filter((order) => old.get(order.id) !== shown(order)).map(({ id }) => id));
}

/** The list with these rows in the place of what they were. */
export function withRows(data: Pages, now: readonly ListedOrder[]): Pages {
  const byId = new Map(now.map((order) => [order.id, order]));
  const pages = data.pages.map((page) => ({
    ...page,
    orders: page.orders.map((order) => byId.get(order.id) ?? order),
  }));
  return { ...data, pages };
}
