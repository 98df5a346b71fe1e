import type { OrderItem } from "./order-input.ts";
import type { OrderStatus } from "./states.ts";
import { canonicalJson } from "./fingerprint.ts";
import { isoTime } from "../lib/iso-time.ts";

/** The kinds of event that a partner may be told. */
export type CallbackEventName = "order.ticketed";

export interface CallbackEvent {
  readonly event: CallbackEventName;
  /** Also the `webhook-id` of Standard Webhooks: one per event, the same on every attempt. */
  readonly eventId: string;
  /** Counts an order's events from 1. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  readonly order: {
    readonly id: number;
    readonly externalOrderId: string;
    readonly traceId: string;
    readonly status: OrderStatus;
    readonly reference: string | null;
    readonly items: readonly OrderItem[];
    readonly tickets: readonly unknown[];
  };
}

/** The one text that every attempt of a callback sends: canonical JSON (RFC 8785), SPEC section 4. */
export function callbackBody(event: CallbackEvent): string {
  const { order } = event;
  return canonicalJson({
    event: event.event,
    event_id: event.eventId,
    sequence: event.sequence,
    occurred_at: isoTime(event.occurredAt),
    order: {
      id: order.id,
      external_order_id: order.externalOrderId,
      trace_id: order.traceId,
      status: order.status,
      reference: order.reference,
      items: order.items.map(publicItem),
      tickets: order.tickets,
    },
  });
}

/** An item's named fields, without what the partner added: those stay in the raw payload. */
export function publicItem(item: OrderItem): OrderItem {
  const { sku, qty, unit_price_minor, currency, visit_date, visit_time } = item;
  return {
    sku,
    qty,
    unit_price_minor,
    currency,
    ...(visit_date === undefined ? {} : { visit_date }),
    ...(visit_time === undefined ? {} : { visit_time }),
  };
}
