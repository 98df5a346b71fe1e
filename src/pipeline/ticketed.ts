import { eventId } from "../lib/ids.ts";
import { callbackBody, TICKETED_EVENT } from "../orders/callback-event.ts";
import type { OrderItem } from "../orders/order-input.ts";
import type { Ticketed } from "../storage/tickets.ts";

/** An order that has its tickets, whoever issued them. */
export interface OrderWithTickets {
  readonly id: number;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly items: readonly OrderItem[];
  readonly reference: string | null;
  readonly tickets: readonly unknown[];
}

/** What is stored of it, and the event that its partner is told: one text, built here but for its place among the order's events. */
export function ticketedOrder(order: OrderWithTickets, nowMs: number): Ticketed {
  const id = eventId(nowMs);
  const body = callbackBody({
    event: TICKETED_EVENT,
    eventId: id,
    sequence: 1,
    occurredAt: nowMs,
    order: { ...order, status: "ticketed" },
  });
  return {
    reference: order.reference,
    tickets: order.tickets.map((ticket) => JSON.stringify(ticket)),
    event: { name: TICKETED_EVENT, id, sequence: 1, body },
  };
}
