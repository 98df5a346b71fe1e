import type { ExportedOrder } from "../orders/order-export.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import {
  compareKey,
  compareOursOnly,
  type Difference,
  ourKey,
  type ReconciliationRules,
} from "../orders/reconciliation.ts";
import { bareKey } from "../orders/their-row.ts";
import type { ExportPages } from "../storage/export-pages.ts";
import type { Entry, Theirs } from "./reconcile-file.ts";

/** Keys that are looked at together, and orders that are read at once. */
const [KEYS, ORDERS] = [250, 500];
/** Of one key; a partner's test orders may all bear the same. */
const MAX_ORDERS_OF_KEY = 100;

export interface Reconciled {
  /** Orders of ours that their file should have. */
  orders: number;
  /** Orders of ours that were found for their rows, also beyond those. */
  compared: number;
}

/**
 * Holds their file against our orders: first along ours, in pages, for what they lack; then along theirs. What isn't among
 * the orders of the filter is looked up by its key, so that an order of the minute before midnight is no difference.
 * @param said counts while it goes
 */
export async function* reconcile(
  exportPages: ExportPages,
  theirs: Theirs,
  filter: OrderFilter,
  rules: ReconciliationRules,
  said: Reconciled,
): AsyncGenerator<Difference> {
  for await (const orders of exportPages.pages(filter, false)) {
    said.orders += orders.length;
    for (const order of orders) {
      const entry = theirs.entries.get(ourKey(order, rules));
      const difference = entry === undefined ? compareOursOnly(order, rules) : null;
      if (difference !== null) yield difference;
      if (entry !== undefined) entry.orderIds = [...entry.orderIds, order.id].slice(-MAX_ORDERS_OF_KEY);
    }
  }
  for (const entries of inGroups(theirs.entries, KEYS)) {
    await lookUp(exportPages, entries, filter.partnerId, rules);
    const orders = await read(
      exportPages,
      entries.flatMap(([, entry]) => entry.orderIds),
    );
    said.compared += orders.size;
    for (const [, { rows, orderIds }] of entries) {
      yield* compareKey(
        rows,
        orderIds.flatMap((id) => orders.get(id) ?? []),
        rules,
      );
    }
  }
}

/** Finds the orders of the keys that have none yet. */
async function lookUp(
  exportPages: ExportPages,
  entries: readonly (readonly [key: string, Entry])[],
  partnerId: string | null,
  rules: ReconciliationRules,
): Promise<void> {
  const without = new Map(entries.filter(([, { orderIds }]) => orderIds.length === 0));
  const texts = [...without.values()].flatMap(({ rows: [row] }) => {
    const text = bareKey(row.texts[rules.key] ?? "");
    return [...new Set([text, text.toUpperCase(), text.toLowerCase()])];
  });
  const ids =
    rules.key === "order_id"
      ? texts.map(Number).filter((id) => Number.isSafeInteger(id) && id > 0)
      : await exportPages.idsOf(rules.key, texts);
  for (const order of (await read(exportPages, ids)).values()) {
    const entry = without.get(ourKey(order, rules));
    if (partnerId !== null && order.partnerId !== partnerId) continue;
    if (entry !== undefined) entry.orderIds = [...entry.orderIds, order.id].slice(-MAX_ORDERS_OF_KEY);
  }
}

async function read(exportPages: ExportPages, ids: readonly number[]): Promise<Map<number, ExportedOrder>> {
  const found = new Map<number, ExportedOrder>();
  for (const some of inGroups(new Set(ids), ORDERS)) {
    for (const order of await exportPages.byIds(some, false)) found.set(order.id, order);
  }
  return found;
}

function* inGroups<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const each of all) {
    group.push(each);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
