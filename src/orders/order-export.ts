import { type CsvCell, csvLine } from "../lib/csv-line.ts";
import { isoTimeOrNull } from "../lib/iso-time.ts";
import { toDecimal } from "./currency.ts";
import type { OrderStatus } from "./states.ts";

/** An order as it leaves the gateway in an export. Nothing of the buyer is in it. */
export interface ExportedOrder {
  readonly id: number;
  readonly partnerId: string;
  readonly externalOrderId: string;
  /** Ticketing's. */
  readonly reference: string | null;
  readonly traceId: string;
  readonly status: OrderStatus;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly ticketedAt: number | null;
  readonly deliveredAt: number | null;
  readonly items: readonly ExportedItem[];
  readonly tickets: number;
  /** The tickets' codes; null where they were not asked for. */
  readonly codes: readonly string[] | null;
}

export interface ExportedItem {
  readonly no: number;
  readonly sku: string;
  readonly qty: number;
  readonly unitPriceMinor: number;
  readonly currency: string;
  readonly visitDate: string | null;
  readonly visitTime: string | null;
}

export const EXPORT_FORMATS = ["csv", "jsonl"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  jsonl: "application/jsonl",
};

type Value = CsvCell | readonly string[] | bigint;
type Row = readonly [order: ExportedOrder, item: ExportedItem];

const amountOf = (item: ExportedItem): bigint => BigInt(item.qty) * BigInt(item.unitPriceMinor);

/** Null for a code that has no minor unit, as gold's. */
function decimalOf(item: ExportedItem): CsvCell {
  try {
    return { number: toDecimal(amountOf(item), item.currency) };
  } catch {
    return null;
  }
}

/** What an item's row says. What belongs to the order stands in each of its rows. */
const COLUMNS: Readonly<Record<string, (...row: Row) => Value>> = {
  order_id: (order) => order.id,
  partner_id: (order) => order.partnerId,
  external_order_id: (order) => order.externalOrderId,
  reference: (order) => order.reference,
  trace_id: (order) => order.traceId,
  status: (order) => order.status,
  accepted_at: (order) => isoTimeOrNull(order.createdAt),
  ticketed_at: (order) => isoTimeOrNull(order.ticketedAt),
  delivered_at: (order) => isoTimeOrNull(order.deliveredAt),
  item: (_, item) => item.no,
  sku: (_, item) => item.sku,
  visit_date: (_, item) => item.visitDate,
  visit_time: (_, item) => item.visitTime,
  qty: (_, item) => item.qty,
  unit_price_minor: (_, item) => item.unitPriceMinor,
  amount_minor: (_, item) => amountOf(item),
  amount: (_, item) => decimalOf(item),
  currency: (_, item) => item.currency,
  ticket_count: (order) => order.tickets,
};
const CODES = "ticket_codes";

/** An export's text, a piece for each page. Its rows are the orders' items. */
export async function* exportText(
  format: ExportFormat,
  pages: AsyncIterable<readonly ExportedOrder[]>,
  codes: boolean,
): AsyncGenerator<string> {
  if (format === "csv") yield csvLine([...Object.keys(COLUMNS), ...(codes ? [CODES] : [])]);
  for await (const orders of pages) yield orders.map((order) => linesOf(format, order)).join("");
}

function linesOf(format: ExportFormat, order: ExportedOrder): string {
  const lines = order.items.map((item) => {
    const values = Object.entries(COLUMNS).map(([name, read]): [string, Value] => [name, read(order, item)]);
    if (order.codes !== null) values.push([CODES, order.codes]);
    return format === "csv" ? csvLine(values.map(([, value]) => asCell(value))) : jsonLine(values);
  });
  return lines.join("");
}

function asCell(value: Value): CsvCell {
  if (typeof value === "bigint") return { number: String(value) };
  return isList(value) ? value.join("|") : value;
}

/** Decimals are texts in JSON, and so is a whole number that a double can't hold. */
function jsonLine(values: readonly (readonly [string, Value])[]): string {
  const plain = values.map(([name, value]) => {
    if (typeof value === "bigint") {
      return [name, Number.isSafeInteger(Number(value)) ? Number(value) : String(value)];
    }
    return [name, typeof value === "object" && value !== null && "number" in value ? value.number : value];
  });
  return `${JSON.stringify(Object.fromEntries(plain))}\n`;
}

function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}
