import type { Selectable } from "kysely";
import { publicItem } from "../orders/callback-event.ts";
import type { OrderItem } from "../orders/order-input.ts";
import type { OrderItemsTable } from "./tables.ts";

/** The columns of {@link itemOf}. */
export const ITEM_COLUMNS = [
  "sku",
  "qty",
  "unit_price_minor",
  "currency",
  "visit_date",
  "visit_time",
] as const satisfies readonly (keyof OrderItemsTable)[];

export type ItemRow = Pick<Selectable<OrderItemsTable>, (typeof ITEM_COLUMNS)[number]>;

/** An item as partners know it: what wasn't given is absent. */
export function itemOf({ visit_date, visit_time, ...item }: ItemRow): OrderItem {
  return publicItem({
    ...item,
    ...(visit_date === null ? {} : { visit_date }),
    ...(visit_time === null ? {} : { visit_time }),
  });
}
