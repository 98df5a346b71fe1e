import { type TSchema, Type } from "typebox";
import {
  type CallbackEvent,
  callbackBody,
  FAILURE_EVENTS,
  type ReasonCode,
  TICKETED_EVENT,
} from "../orders/callback-event.ts";
import { canonicalJson } from "../orders/fingerprint.ts";
import { OrderItem } from "../orders/order-input.ts";
import type { OrderStatus } from "../orders/states.ts";
import { callbackHeaders, signingKey } from "../outbound/signature.ts";
import { attemptHeaders } from "../pipeline/attempt.ts";
import { TEST_EVENT } from "../pipeline/test-callback.ts";
import { EXAMPLE_ORDER, EXAMPLE_SECRET, EXAMPLE_TICKETED } from "./example-order.ts";
import {
  EventId,
  ExternalOrderId,
  Id,
  PartnerId,
  Reference,
  Sequence,
  Tickets,
  Time,
  TraceId,
} from "./order-view.ts";

const SENT_AT = Date.parse("2026-08-25T07:10:03.456Z");

const REASONS: Readonly<Record<ReasonCode, string>> = {
  ticketing_refused: "the ticketing system refused this order",
  ticketing_unavailable: "the ticketing system could not be used; nothing is known against the order",
  answer_unreadable: "ticketing accepted the order, but its answer can't be read: tickets exist there",
  not_sendable: "the gateway could not put the order into a request",
  cancelled: "cancelled before anything was issued",
  cancelled_in_doubt: "cancelled, but an earlier attempt was never answered: tickets may exist",
};

const ReasonCodes = Type.Enum(Object.keys(REASONS), {
  description: Object.entries(REASONS)
    .map(([code, meaning]) => `\`${code}\`: ${meaning}`)
    .join("; "),
});

/** What each event tells, and an order that has come to it. */
interface Told {
  readonly summary: string;
  readonly description: string;
  readonly status: OrderStatus;
  readonly reason?: ReasonCode;
}

const OPTIONAL = "Sent to partners who have asked the operator for failure events.";
const EVENTS: Readonly<Record<CallbackEvent["event"], Told>> = {
  [TICKETED_EVENT]: {
    summary: "An order has its tickets",
    description:
      "The last event of an order, whose status here is always `ticketed`. `tickets` and `reference` are ticketing's. An " +
      "operator may have the same event sent again, byte for byte.",
    status: "ticketed",
  },
  [FAILURE_EVENTS.ticketing_blocked]: {
    summary: "An order was not ticketed, and is not tried again by itself",
    description: `${OPTIONAL} Not final: the operator may try again, and the next event tells.`,
    status: "ticketing_blocked",
    reason: "ticketing_refused",
  },
  [FAILURE_EVENTS.ticketing_exhausted]: {
    summary: "An order failed on every attempt",
    description: `${OPTIONAL} Not final: the operator may try again, and the next event tells.`,
    status: "ticketing_exhausted",
    reason: "ticketing_unavailable",
  },
  [FAILURE_EVENTS.cancelled]: {
    summary: "An order was cancelled by the operator",
    description: `${OPTIONAL} Final.`,
    status: "cancelled",
    reason: "cancelled",
  },
};

const EVENT_FIELDS = {
  event_id: EventId,
  sequence: Sequence,
  occurred_at: Time,
};

function orderEvent(event: string, { status, reason }: Told): TSchema {
  return Type.Object(
    {
      event: Type.Literal(event),
      ...EVENT_FIELDS,
      ...(reason !== undefined && { reason_code: ReasonCodes }),
      order: Type.Object({
        id: Id,
        external_order_id: ExternalOrderId,
        trace_id: TraceId,
        status: Type.Literal(status),
        reference: Reference,
        items: Type.Array(OrderItem, { description: "as ordered, without what the partner added to them" }),
        tickets: Tickets,
      }),
    },
    { description: "canonical JSON (RFC 8785): the same bytes on every attempt; expect further fields" },
  );
}

const HEADERS: Readonly<Record<string, string>> = {
  "webhook-id": "the event's `event_id`: deduplicate by it",
  "webhook-timestamp":
    "when this attempt was sent, in seconds since 1970: refuse what is older than five minutes",
  "webhook-signature":
    "`v1,` and the base64 HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>` (Standard Webhooks). While a secret " +
    "is being replaced there are two, with a blank between; one that fits is enough. Missing if there is no secret",
  "X-Callback-Signature":
    "the hex HMAC-SHA256 of the body alone, under the current secret. Missing if there is no secret",
  "Idempotency-Key": `of \`${TICKETED_EVENT}\` the order's trace id, of any other event its \`event_id\``,
  "X-Trace-Id": "the order's trace id",
  "X-Origin-Partner-Id": "the partner's id",
  "X-External-Order-Id": "the partner's order id",
  traceparent: "W3C Trace Context; its trace id is the order's, without the dashes",
};
const UNSIGNED = new Set(["webhook-signature", "X-Callback-Signature"]);

const RESPONSES = {
  "2XX": { description: "Delivered, whatever the body says. Answer within ten seconds." },
  "3XX": { description: "Never followed: sent again on schedule." },
  "4XX": { description: "Ends the attempts of this event, but for 429; the operator can begin anew." },
  "429": { description: "Sent again on schedule, after `Retry-After` if there is one." },
  "503": { description: "Sent again on schedule, after `Retry-After` if there is one." },
  "5XX": { description: "Sent again on schedule." },
};

/** The headers of an attempt with this body, as they would be sent. */
function headersOf(body: string, event: string, eventId: string): object[] {
  const { partnerId, traceId, externalOrderId } = EXAMPLE_ORDER;
  const key = event === TICKETED_EVENT ? traceId : eventId;
  const sent = {
    ...attemptHeaders({ partnerId, traceId, externalOrderId }, key, "5f6b1c2a770d5f6b"),
    ...callbackHeaders({
      body,
      eventId,
      timestampSecs: Math.floor(SENT_AT / 1000),
      keys: [signingKey(EXAMPLE_SECRET)],
    }),
  };
  const values = new Map(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.entries(HEADERS).map(([name, description]) => ({
    name,
    in: "header",
    required: !UNSIGNED.has(name),
    description,
    schema: { type: "string" },
    example: values.get(name.toLowerCase()),
  }));
}

function webhook(event: string, words: Pick<Told, "summary" | "description">, schema: TSchema, body: string) {
  const example = JSON.parse(body) as { event_id: string };
  const { summary, description } = words;
  return {
    post: {
      operationId: `on${event.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      tags: ["callbacks"],
      summary,
      description,
      parameters: headersOf(body, event, example.event_id),
      requestBody: { required: true, content: { "application/json": { schema, example } } },
      responses: RESPONSES,
    },
  };
}

/** What the gateway sends to partners, as the `webhooks` of OpenAPI 3.1; the examples are signed as deliveries are. */
export function describeWebhooks(): Record<string, object> {
  const { reference, tickets, ...event } = EXAMPLE_TICKETED;
  const orderEvents = Object.entries(EVENTS).map(([name, told]) => {
    const { status, reason } = told;
    const body = callbackBody({
      event: name as CallbackEvent["event"],
      ...event,
      ...(reason !== undefined && { reasonCode: reason }),
      order: {
        ...EXAMPLE_ORDER,
        id: EXAMPLE_ORDER.orderId,
        status,
        reference: status === "ticketed" ? reference : null,
        tickets: status === "ticketed" ? tickets : [],
      },
    });
    return [name, webhook(name, told, orderEvent(name, told), body)] as const;
  });
  return Object.fromEntries([...orderEvents, [TEST_EVENT, testWebhook()]]);
}

function testWebhook(): object {
  const { eventId, sequence } = EXAMPLE_TICKETED;
  const body = canonicalJson({
    event: TEST_EVENT,
    event_id: eventId,
    sequence,
    occurred_at: new Date(EXAMPLE_TICKETED.occurredAt).toISOString(),
    partner_id: EXAMPLE_ORDER.partnerId,
  });
  const words = {
    summary: "A test that the operator sends to your endpoint",
    description: "No order's event. Verify it as any other, answer `2xx`, and do nothing.",
  };
  const schema = Type.Object({ event: Type.Literal(TEST_EVENT), ...EVENT_FIELDS, partner_id: PartnerId });
  return webhook(TEST_EVENT, words, schema, body);
}
