import { codesOfTicket } from "../orders/ticket-codes.ts";
import { type Run, rowSet, type SqlWords } from "./database.ts";

/** An order and what ticketing gave for it. */
interface Coded {
  readonly orderId: number;
  readonly partnerId: string;
  readonly ticketed: { readonly reference: string | null; readonly tickets: readonly string[] };
}

const FIELDS = { code: "text", order_id: "integer", partner_id: "text" } as const;

/**
 * Writes what a ticketed order is found by: ticketing's reference and its tickets' codes. Beside the orders, whose rows
 * would no longer change in place if an index named the reference.
 */
export function createWriteCodes(words: SqlWords) {
  const insert = words.insertRows(
    "order_codes",
    { code: "r.code", order_id: "r.order_id", partner_id: "r.partner_id" },
    FIELDS,
  );
  return (tx: Run, orders: readonly Coded[]): void => {
    const rows = orders.flatMap(({ orderId, partnerId, ticketed: { reference, tickets } }) =>
      [...new Set([...(reference ? [reference] : []), ...tickets.flatMap(codesOfTicket)])].map((code) => ({
        code,
        order_id: orderId,
        partner_id: partnerId,
      })),
    );
    if (rows.length > 0) void tx(insert, [rowSet(FIELDS, rows)]);
  };
}
