import { type Static, type TSchema, Type } from "typebox";
import { ATTEMPT_ERRORS } from "../orders/outcome.ts";
import { isoTime } from "../lib/iso-time.ts";
import { JOB_STATUSES } from "../orders/states.ts";
import type { StoredEvent } from "../storage/event-queries.ts";

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Time = Type.String({ format: "date-time", examples: ["2026-08-25T07:09:55.123Z"] });

/** An event of an order, as it is told. */
export const EventView = Type.Object({
  event: Type.String({ examples: ["order.ticketed"] }),
  event_id: Type.String({ description: "also the `webhook-id`: one for each event" }),
  sequence: Type.Integer({ minimum: 1, description: "counts the order's events, without gaps" }),
  occurred_at: nullable(Time),
  status: Type.Enum([...JOB_STATUSES], { description: "of its delivery: `succeeded` is delivered" }),
  attempts: Type.Integer({ minimum: 0 }),
  last_status_code: nullable(Type.Integer({ examples: [200] })),
  last_error: nullable(Type.Enum([...ATTEMPT_ERRORS])),
  next_attempt_at: nullable(Time),
  body: Type.String({
    description:
      "the callback's body, byte for byte, unless the buyer's data has been blanked since. The signature headers are made " +
      "anew for each attempt and are not stored.",
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
