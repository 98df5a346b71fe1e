import type { CallbackJob, OrderStory } from "../../api/types.ts";

/** What every attempt says of its order (`src/pipeline/attempt.ts`); `traceparent` alone differs from attempt to attempt. */
function attemptHeaders({ order }: OrderStory, idempotencyKey: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": "WaveGate",
    "x-trace-id": order.trace_id,
    "x-origin-partner-id": order.partner_id,
    "x-external-order-id": order.external_order_id,
    "idempotency-key": idempotencyKey,
  };
}

/** As ticketing is sent them, without what is secret. */
export function ticketingHeaders(story: OrderStory): Record<string, string> {
  return {
    ...attemptHeaders(story, story.order.trace_id),
    ...story.request.headers,
    authorization: "<token>",
  };
}

/** As the partner is sent them: the signatures are made anew for each attempt. */
export function callbackHeaders(story: OrderStory, { event, event_id }: CallbackJob): Record<string, string> {
  return {
    ...attemptHeaders(story, event === "order.ticketed" ? story.order.trace_id : event_id),
    "webhook-id": event_id,
    "webhook-timestamp": "<timestamp>",
    "webhook-signature": "<signature>",
    "X-Callback-Signature": "<signature>",
  };
}
