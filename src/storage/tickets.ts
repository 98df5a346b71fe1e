import { withSequence } from "../orders/callback-event.ts";
import { codeOfTicket } from "../orders/ticket-codes.ts";
import { type Run, rowSet, type SqlWords } from "./database.ts";
import type { ClaimRow } from "./claim-row.ts";
import { createWriteEvents, type NewEvent } from "./events.ts";
import type { NewClaim } from "./jobs.ts";

/** What a ticketed order has got, and what its partner is to be told. */
export interface Ticketed {
  readonly reference: string | null;
  /** The tickets as JSON texts. */
  readonly tickets: readonly string[];
  /** The event that the partner is to be told, made as the order's first. */
  readonly event: NewEvent;
}

export interface TicketedOrder {
  readonly orderId: number;
  readonly partnerId: string;
  readonly ticketed: Ticketed;
  /** Events that the order's partner was told before. */
  readonly told: number;
  /** The order's callback begins: its job is written claimed. Null: it waits in the queue. */
  readonly claim?: NewClaim | null;
}

const TICKET_FIELDS = {
  order_id: "integer",
  partner_id: "text",
  no: "integer",
  body: "text",
  code: "text",
} as const;

/** What an update of `ticketing_jobs` sets once the order has its reference: orders are found by the job's. */
export const REFERENCE_OF_ORDER =
  "reference = (select o.reference from orders o where o.id = ticketing_jobs.id)";

/** Tickets and the callback job, in the transaction that made the orders ticketed. */
export function createWriteTickets(words: SqlWords) {
  const insertTickets = words.insertRows(
    "tickets",
    { order_id: "r.order_id", partner_id: "r.partner_id", no: "r.no", body: "r.body", code: "r.code" },
    TICKET_FIELDS,
  );
  const writeEvents = createWriteEvents(words);
  /** @returns the callback jobs that were written claimed */
  return async (tx: Run, orders: readonly TicketedOrder[], now: number | null): Promise<ClaimRow[]> => {
    if (orders.length === 0) return [];
    const tickets = orders.flatMap(({ orderId, partnerId, ticketed }) =>
      ticketed.tickets.map((body, index) => ({
        order_id: orderId,
        partner_id: partnerId,
        no: index + 1,
        body,
        code: codeOfTicket(body),
      })),
    );
    if (tickets.length > 0) void tx(insertTickets, [rowSet(TICKET_FIELDS, tickets)]);
    const events = orders.map(({ orderId, partnerId, ticketed, told, claim = null }) => {
      const event = told === 0 ? ticketed.event : later(ticketed.event, told + 1);
      return { orderId, partnerId, event, claim };
    });
    return writeEvents(tx, events, now);
  };
}

function later(event: NewEvent, sequence: number): NewEvent {
  return { ...event, sequence, body: withSequence(event.body, sequence) };
}
