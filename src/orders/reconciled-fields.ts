import { addDecimals, type Decimal, decimalText, equalDecimals } from "../lib/decimal.ts";
import { toDecimal } from "./currency.ts";
import type { ExportedOrder } from "./order-export.ts";
import {
  type FieldName,
  type KeyName,
  normalKey,
  readAmount,
  readDate,
  type Reading,
  type TheirRow,
} from "./their-row.ts";

/** The rows of theirs that are held against one order. */
export type Party = readonly [TheirRow, ...TheirRow[]];

export interface FieldDifference {
  readonly field: FieldName;
  readonly ours: string;
  readonly theirs: string;
}

/** `isUnreadable`: their text says nothing that could be compared. */
export interface Found extends FieldDifference {
  readonly isUnreadable: boolean;
}

export function differ(field: FieldName, ours: string, theirs: string, isUnreadable = false): Found {
  return { field, ours: ours || "-", theirs: theirs || "-", isUnreadable };
}

/** What the rows say in a column, blanks left out: an empty cell says nothing. */
export function filled(party: Party, field: FieldName): string[] {
  return party.map(({ texts }) => (texts[field] ?? "").trim()).filter((text) => text !== "");
}

type Compare = (
  texts: readonly string[],
  order: ExportedOrder,
  reading: Reading,
  party: Party,
) => Found | null;

/** Adds up what the rows say, and compares it with a number of ours. */
function sum(field: FieldName, ours: (order: ExportedOrder, party: Party) => Decimal | null): Compare {
  return (texts, order, reading, party) => {
    if (texts.length === 0) return null;
    const numbers = texts.map((text) => readAmount(text, reading));
    if (numbers.some((number) => number === null)) return differ(field, "", texts.join(" + "), true);
    const total = (numbers as Decimal[]).reduce(addDecimals);
    const own = ours(order, party);
    if (own !== null && equalDecimals(own, total)) return null;
    return differ(field, own === null ? "" : decimalText(own), decimalText(total));
  };
}

const whole = (digits: number | bigint): Decimal => ({ digits: BigInt(digits), scale: 0 });

/** What the order costs in the currency that the rows name, or in its only one. */
function minorTotal(order: ExportedOrder, party: Party): { minor: bigint; currency: string } | null {
  const currencies = [...new Set(order.items.map((item) => item.currency))];
  const named = filled(party, "currency")[0]?.toUpperCase();
  const currency = named ?? (currencies.length === 1 ? currencies[0] : undefined);
  const items = order.items.filter((item) => item.currency === currency);
  if (currency === undefined || items.length === 0) return null;
  const minor = items.reduce((total, item) => total + BigInt(item.qty) * BigInt(item.unitPriceMinor), 0n);
  return { minor, currency };
}

function decimalTotal(order: ExportedOrder, party: Party): Decimal | null {
  const total = minorTotal(order, party);
  if (total === null) return null;
  try {
    const [, fraction = ""] = toDecimal(total.minor, total.currency).split(".");
    return { digits: total.minor, scale: fraction.length };
  } catch {
    return null; // a code without a minor unit
  }
}

/** Each of their texts must be one of ours. */
function among(
  field: FieldName,
  ours: (order: ExportedOrder) => readonly string[],
  read: (text: string, reading: Reading) => string | null = normalKey,
): Compare {
  return (texts, order, reading) => {
    const known = ours(order);
    for (const text of texts) {
      const value = read(text, reading);
      if (value === null) return differ(field, known.join(" "), text, true);
      if (!known.some((each) => read(each, reading) === value)) return differ(field, known.join(" "), text);
    }
    return null;
  };
}

const key = (name: KeyName): Compare => among(name, (order) => [ourText(order, name)]);

/** Null: they agree, or their row says nothing. */
export const COMPARE: Readonly<Record<Exclude<FieldName, "status" | "partner_id">, Compare>> = {
  external_order_id: key("external_order_id"),
  reference: key("reference"),
  trace_id: key("trace_id"),
  order_id: key("order_id"),
  qty: sum("qty", (order) => whole(order.items.reduce((total, item) => total + item.qty, 0))),
  amount: sum("amount", decimalTotal),
  amount_minor: sum("amount_minor", (order, party) => {
    const total = minorTotal(order, party);
    return total === null ? null : whole(total.minor);
  }),
  currency: among("currency", (order) => [...new Set(order.items.map((item) => item.currency))]),
  visit_date: among(
    "visit_date",
    (order) => [...new Set(order.items.flatMap((item) => item.visitDate ?? []))],
    readDate,
  ),
  ticket_count: sum("ticket_count", (order) => whole(order.tickets)),
};

/** What an order is known by; empty: it has no reference yet. */
export function ourText(order: ExportedOrder, name: KeyName): string {
  switch (name) {
    case "external_order_id":
      return order.externalOrderId;
    case "reference":
      return order.reference ?? "";
    case "trace_id":
      return order.traceId;
    case "order_id":
      return String(order.id);
  }
}
