import { uuidV7 } from "../lib/ids.ts";
import { callbackBody } from "../orders/callback-event.ts";
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

/** What is stored of it, and the event that its partner is told: one text, built here and never again. */
export function ticketedOrder(order: OrderWithTickets, nowMs: number): Ticketed {
  const id = `evt_${uuidV7(nowMs).replaceAll("-", "")}`;
  const body = callbackBody({
    event: "order.ticketed",
    eventId: id,
    sequence: 1,
    occurredAt: nowMs,
    order: { ...order, status: "ticketed" },
  });
  return {
    reference: order.reference,
    tickets: order.tickets.map((ticket) => JSON.stringify(ticket)),
    event: { name: "order.ticketed", id, sequence: 1, body },
  };
}
