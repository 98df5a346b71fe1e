import type { CallbackEventName } from "../orders/callback-event.ts";
import { type Run, rowSet, type SqlWords } from "./database.ts";
import { CALLBACK_CLAIM_COLUMNS, type ClaimRow, type NewClaim } from "./jobs.ts";
import { NEW_JOB_FIELDS, newJobFields, newJobValues } from "./new-jobs.ts";

/** What a ticketed order has got, and what its partner is to be told. */
export interface Ticketed {
  readonly reference: string | null;
  /** The tickets as JSON texts. */
  readonly tickets: readonly string[];
  /** The event that the partner is to be told. */
  readonly event: {
    readonly name: CallbackEventName;
    readonly id: string;
    readonly sequence: number;
    readonly body: string;
  };
}

export interface TicketedOrder {
  readonly orderId: number;
  readonly partnerId: string;
  readonly ticketed: Ticketed;
  /** The order's callback begins: its job is written claimed. Null: it waits in the queue. */
  readonly claim?: NewClaim | null;
}

const TICKET_FIELDS = { order_id: "integer", partner_id: "text", no: "integer", body: "text" } as const;
const EVENT_FIELDS = {
  order_id: "integer",
  partner_id: "text",
  event: "text",
  event_id: "text",
  sequence: "integer",
  body: "text",
  ...NEW_JOB_FIELDS,
} as const;

/** Tickets and the callback job, in the transaction that made the orders ticketed. */
export function createWriteTickets(words: SqlWords) {
  const insertTickets = words.insertRows(
    "tickets",
    { order_id: "r.order_id", partner_id: "r.partner_id", no: "r.no", body: "r.body" },
    TICKET_FIELDS,
  );
  const insertJobs = `${words.insertRows(
    "ota_callback_jobs",
    {
      order_id: "r.order_id",
      partner_id: "r.partner_id",
      event: "r.event",
      event_id: "r.event_id",
      sequence: "r.sequence",
      body: "r.body",
      ...newJobValues(words.now("$2")),
    },
    EVENT_FIELDS,
  )} returning ${CALLBACK_CLAIM_COLUMNS}`;
  /** @returns the callback jobs that were written claimed */
  return async (tx: Run, orders: readonly TicketedOrder[], now: number | null): Promise<ClaimRow[]> => {
    if (orders.length === 0) return [];
    const tickets = orders.flatMap(({ orderId, partnerId, ticketed }) =>
      ticketed.tickets.map((body, index) => ({
        order_id: orderId,
        partner_id: partnerId,
        no: index + 1,
        body,
      })),
    );
    if (tickets.length > 0) void tx(insertTickets, [rowSet(TICKET_FIELDS, tickets)]);
    const events = orders.map(({ orderId, partnerId, ticketed: { event }, claim }) => ({
      order_id: orderId,
      partner_id: partnerId,
      event: event.name,
      event_id: event.id,
      sequence: event.sequence,
      body: event.body,
      ...newJobFields(claim ?? null),
    }));
    const written = await tx<ClaimRow>(insertJobs, [rowSet(EVENT_FIELDS, events), now]);
    return written.filter((row) => row.claim !== null);
  };
}
