import type { OrderItem } from "./order-input.ts";
import type { AttemptError } from "./outcome.ts";
import type { OrderStatus } from "./states.ts";
import { isMisconfigured } from "./target-health.ts";
import { canonicalJson } from "./fingerprint.ts";
import { isoTime } from "../lib/iso-time.ts";

/** The event that every partner is told, and the only one that moves its order (SPEC section 4). */
export const TICKETED_EVENT = "order.ticketed";

/**
 * What partners who have asked for it are told of orders that come to stand without tickets. Of `ticketing_unknown` nothing
 * can be told: its outcome isn't known.
 */
export const FAILURE_EVENTS = {
  ticketing_blocked: "order.blocked",
  ticketing_exhausted: "order.exhausted",
  cancelled: "order.cancelled",
} as const satisfies Partial<Record<OrderStatus, string>>;
export type FailedStatus = keyof typeof FAILURE_EVENTS;

/** The kinds of event that a partner may be told. */
export type CallbackEventName = typeof TICKETED_EVENT | (typeof FAILURE_EVENTS)[FailedStatus];

/** Why an order failed, in words that partners can act on; what ticketing said is not among them. */
export type ReasonCode =
  /** Ticketing refused this order. */
  | "ticketing_refused"
  /** Ticketing could not be used; nothing is known against the order. */
  | "ticketing_unavailable"
  /** Ticketing accepted the order, but its answer can't be read: tickets exist there. */
  | "answer_unreadable"
  /** The gateway could not put the order into a request. */
  | "not_sendable"
  /** Cancelled before ticketing issued anything. */
  | "cancelled"
  /** Cancelled, but an earlier attempt has no known outcome: ticketing may hold tickets. */
  | "cancelled_in_doubt";

export interface CallbackEvent {
  readonly event: CallbackEventName;
  /** Also the `webhook-id` of Standard Webhooks: one per event, the same on every attempt. */
  readonly eventId: string;
  /** Counts an order's events from 1. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly occurredAt: number;
  /** Of a failure. */
  readonly reasonCode?: ReasonCode;
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
  const { order, reasonCode } = event;
  return canonicalJson({
    event: event.event,
    event_id: event.eventId,
    sequence: event.sequence,
    occurred_at: isoTime(event.occurredAt),
    ...(reasonCode === undefined ? {} : { reason_code: reasonCode }),
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

/** The same text with another place among its order's events. */
export function withSequence(body: string, sequence: number): string {
  return canonicalJson({ ...(JSON.parse(body) as object), sequence });
}

export function isFailed(status: OrderStatus): status is FailedStatus {
  return Object.hasOwn(FAILURE_EVENTS, status);
}

/** How an order failed, as its job's last attempt tells. */
export interface Failure {
  readonly status: FailedStatus;
  readonly code: number | null;
  readonly error: AttemptError | null;
  /** An attempt's outcome is unknown. */
  readonly inDoubt: boolean;
}

export function reasonCode({ status, code, error, inDoubt }: Failure): ReasonCode {
  if (status === "cancelled") return inDoubt ? "cancelled_in_doubt" : "cancelled";
  if (status === "ticketing_exhausted" || isMisconfigured(code)) return "ticketing_unavailable";
  if (code === null) return "not_sendable";
  return error === null ? "ticketing_refused" : "answer_unreadable";
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
