import { type Static, Type } from "typebox";
import { isoTime } from "../lib/iso-time.ts";
import { callbackBody } from "../orders/callback-event.ts";
import { JOB_STATUSES } from "../orders/states.ts";
import type { StoredEvent } from "../storage/event-queries.ts";
import { EXAMPLE_ORDER, EXAMPLE_TICKETED } from "./example-order.ts";
import {
  AttemptError,
  Code,
  EventId,
  EventName,
  NextAttemptAt,
  nullable,
  Sequence,
  Time,
} from "./order-view.ts";

export const EXAMPLE_BODY = callbackBody({
  event: "order.ticketed",
  ...EXAMPLE_TICKETED,
  order: { ...EXAMPLE_ORDER, ...EXAMPLE_TICKETED, id: EXAMPLE_ORDER.orderId, status: "ticketed" },
});

/** An event of an order, as it is told. */
export const EventView = Type.Object({
  event: EventName,
  event_id: EventId,
  sequence: Sequence,
  occurred_at: nullable(Time),
  status: Type.Enum([...JOB_STATUSES], {
    description: "of its delivery: `succeeded` is delivered",
    examples: ["succeeded"],
  }),
  attempts: Type.Integer({ minimum: 0, description: "how many there were", examples: [1] }),
  last_status_code: Code,
  last_error: AttemptError,
  next_attempt_at: NextAttemptAt,
  body: Type.String({
    description:
      "the callback's body, byte for byte, unless the buyer's data has been blanked since. The signature headers are made " +
      "anew for each attempt and are not stored.",
    examples: [EXAMPLE_BODY],
  }),
});
export type EventView = Static<typeof EventView>;

export function eventView({ body, next_attempt_at: next, ...event }: StoredEvent): EventView {
  const { occurred_at: at } = JSON.parse(body) as { occurred_at?: string };
  return {
    event: event.event,
    event_id: event.event_id,
    sequence: event.sequence,
    occurred_at: at ?? null,
    status: event.status,
    attempts: event.attempts,
    last_status_code: event.last_status_code,
    last_error: event.last_error,
    next_attempt_at: next === null ? null : isoTime(next),
    body,
  };
}
