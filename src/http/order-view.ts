import { type Static, type TSchema, Type } from "typebox";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import { OrderItem } from "../orders/order-input.ts";
import { ATTEMPT_ERRORS } from "../orders/outcome.ts";
import { JOB_STATUSES, type Leg, ORDER_STATUSES } from "../orders/states.ts";
import { EXAMPLE_ORDER, EXAMPLE_TICKETED } from "./example-order.ts";
import type {
  CallbackStory,
  JobStory,
  LateResult,
  OrderStory,
  OrderSummary,
} from "../storage/order-queries.ts";
import type { AcceptedOrder } from "../storage/orders.ts";

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
export const Id = Type.Integer({ minimum: 1, examples: [123] });
export const Time = Type.String({ format: "date-time", examples: ["2026-08-25T07:09:55.123Z"] });
export const TraceId = Type.String({ format: "uuid", description: "the order's, from end to end" });
export const PartnerId = Type.String({
  description: "the partner's id",
  examples: [EXAMPLE_ORDER.partnerId],
});
export const ExternalOrderId = Type.String({
  description: "the partner's own id of the order",
  examples: [EXAMPLE_ORDER.externalOrderId],
});
const OrderStatus = Type.Enum([...ORDER_STATUSES], {
  description: "where the order stands",
  examples: ["ota_callback_delivered"],
});
export const Code = nullable(
  Type.Integer({ description: "the HTTP status, if one arrived", examples: [200] }),
);
export const AttemptError = Type.Union([Type.Enum([...ATTEMPT_ERRORS]), Type.Null()], {
  description: "why no whole answer came, or null",
  examples: [null],
});
const Answer = Type.Optional(
  Type.Union([Type.String(), Type.Null()], {
    description: "how the answer began; operators alone see it",
    examples: ['{"tickets":[{"code":"A1"},{"code":"A2"}],"reference":"TK-9"}'],
  }),
);
export const AttemptNo = Type.Integer({ minimum: 1, description: "counts the attempts", examples: [1] });
export const DurationMs = Type.Union([Type.Integer(), Type.Null()], {
  description: "in milliseconds",
  examples: [212],
});
export const Note = Type.Union([Type.String(), Type.Null()], {
  description: "what else there is to say",
  examples: [null],
});

export const EventName = Type.String({ description: "what it tells", examples: ["order.ticketed"] });
export const EventId = Type.String({
  description: "names the event; also its `webhook-id`",
  examples: [EXAMPLE_TICKETED.eventId],
});
export const Sequence = Type.Integer({
  minimum: 1,
  description: "counts the order's events, without gaps",
  examples: [EXAMPLE_TICKETED.sequence],
});
export const Reference = Type.Union([Type.String(), Type.Null()], {
  description: "ticketing's",
  examples: [EXAMPLE_TICKETED.reference],
});
export const Tickets = Type.Array(Type.Unknown(), {
  description: "as ticketing gave them, objects or strings; empty where the order has none",
  examples: [EXAMPLE_TICKETED.tickets],
});

/** What the 201 says: the seed's six fields. */
export const AcceptedView = Type.Object({
  id: Id,
  partner_id: PartnerId,
  external_order_id: ExternalOrderId,
  trace_id: TraceId,
  pipeline_status: Type.Literal("accepted"),
  created_at: Time,
});
export type AcceptedView = Static<typeof AcceptedView>;

/** An order in the list. */
export const SummaryView = Type.Object({
  id: Id,
  partner_id: PartnerId,
  external_order_id: ExternalOrderId,
  trace_id: TraceId,
  status: OrderStatus,
  created_at: Time,
});
export type SummaryView = Static<typeof SummaryView>;

const JobStatus = Type.Enum([...JOB_STATUSES], {
  description: "`succeeded`: done; `pending` and `running` move by themselves; the others stand still",
  examples: ["succeeded"],
});
export const NextAttemptAt = Type.Union([Time, Type.Null()], {
  description: "when the next attempt is due; null: none is",
  examples: [null],
});
export const HeldUntil = Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
  description: "while its target's circuit is open: when the job is given up",
  examples: [null],
});

const AttemptView = Type.Object({
  no: AttemptNo,
  code: Code,
  error: AttemptError,
  at: Time,
  duration_ms: DurationMs,
  note: Note,
  answer: Answer,
});
const LateView = Type.Object({
  no: AttemptNo,
  code: Code,
  error: AttemptError,
  at: Time,
  recorded_at: Time,
  answer: Answer,
});
const JobView = Type.Object({
  status: JobStatus,
  last_status_code: Code,
  last_error: AttemptError,
  next_attempt_at: NextAttemptAt,
  held_until: HeldUntil,
  attempts: Type.Array(AttemptView, { description: "every one, the oldest first" }),
  late: Type.Array(LateView, {
    description: "results that came after their claim had ended",
    examples: [[]],
  }),
});
export const CallbackJobView = Type.Object({
  event: EventName,
  event_id: EventId,
  sequence: Sequence,
  ...JobView.properties,
});

const [TAKEN, TICKETED, DELIVERED] = ["07:09:55.123Z", "07:10:03.200Z", "07:10:03.612Z"].map(
  (time) => `2026-08-25T${time}`,
);
const failedAttempt = (no: number, time: string) =>
  ({ no, code: 500, error: null, at: `2026-08-25T${time}`, duration_ms: 38, note: null }) as const;
const EXAMPLE_JOB = { status: "succeeded", last_status_code: 200, last_error: null, next_attempt_at: null };
const EXAMPLE_ORDER_VIEW = {
  id: EXAMPLE_ORDER.orderId,
  partner_id: EXAMPLE_ORDER.partnerId,
  external_order_id: EXAMPLE_ORDER.externalOrderId,
  trace_id: EXAMPLE_ORDER.traceId,
  status: "ota_callback_delivered",
  created_at: TAKEN,
  updated_at: DELIVERED,
  ticketed_at: TICKETED,
  delivered_at: DELIVERED,
  callback_url: EXAMPLE_ORDER.callbackUrl,
  reference: EXAMPLE_TICKETED.reference,
  blocked_reason: null,
  items: EXAMPLE_ORDER.items,
  tickets: EXAMPLE_TICKETED.tickets,
  same_external_id: [],
  ticketing_job: {
    ...EXAMPLE_JOB,
    held_until: null,
    attempts: [
      failedAttempt(1, "07:09:55.140Z"),
      failedAttempt(2, "07:09:57.611Z"),
      { ...failedAttempt(3, "07:10:02.988Z"), code: 200, duration_ms: 212 },
    ],
    late: [],
  },
  ota_callback_job: {
    event: "order.ticketed",
    event_id: EXAMPLE_TICKETED.eventId,
    sequence: EXAMPLE_TICKETED.sequence,
    ...EXAMPLE_JOB,
    held_until: null,
    attempts: [{ ...failedAttempt(1, "07:10:03.241Z"), code: 200, duration_ms: 371 }],
    late: [],
  },
};

const ORDER_FIELDS = {
  id: Id,
  partner_id: PartnerId,
  external_order_id: ExternalOrderId,
  trace_id: TraceId,
  status: OrderStatus,
  created_at: Time,
  updated_at: Time,
  ticketed_at: nullable(Time),
  delivered_at: nullable(Time),
  callback_url: Type.String({ description: "where the partner is told" }),
  reference: Reference,
  blocked_reason: nullable(Type.String({ description: "why the order stands where it does" })),
  items: Type.Array(OrderItem, { description: "as ordered" }),
  tickets: Tickets,
  same_external_id: Type.Array(Id, {
    description: "the partner's other orders with this external_order_id, at most 100",
  }),
  ticketing_job: nullable(JobView),
  ota_callback_job: nullable(CallbackJobView),
  actions: Type.Optional(
    Type.Array(
      Type.Object({ actor: Type.String(), action: Type.String(), reason: Type.String(), at: Time }),
      { description: "what operators did; operators alone see it" },
    ),
  ),
};
/** All that is shown of one order; the seed's excerpt is a part of it. */
export const OrderView = Type.Object(ORDER_FIELDS, { examples: [EXAMPLE_ORDER_VIEW] });
export type OrderView = Static<typeof OrderView>;

/** Partners don't see what ticketing answered, nor who at the operator's did what. */
export type Audience = "partner" | "operator";

export function acceptedView(order: AcceptedOrder): AcceptedView {
  return {
    id: order.id,
    partner_id: order.partnerId,
    external_order_id: order.externalOrderId,
    trace_id: order.traceId,
    pipeline_status: "accepted",
    created_at: isoTime(order.createdAt),
  };
}

export function summaryView(order: OrderSummary): SummaryView {
  return {
    id: order.id,
    partner_id: order.partnerId,
    external_order_id: order.externalOrderId,
    trace_id: order.traceId,
    status: order.status,
    created_at: isoTime(order.createdAt),
  };
}

export function orderView(story: OrderStory, audience: Audience): OrderView {
  const { order, ticketing, callback } = story;
  return {
    id: order.id,
    partner_id: order.partner_id,
    external_order_id: order.external_order_id,
    trace_id: order.trace_id,
    status: order.pipeline_status,
    created_at: isoTime(order.created_at),
    updated_at: isoTime(order.updated_at),
    ticketed_at: isoTimeOrNull(order.ticketed_at),
    delivered_at: isoTimeOrNull(order.delivered_at),
    callback_url: order.callback_url,
    reference: order.reference,
    blocked_reason: audience === "operator" ? order.blocked_reason : withoutAddresses(order),
    items: [...story.items],
    tickets: [...story.tickets],
    same_external_id: [...story.sameExternalId],
    ticketing_job: ticketing && jobView("ticketing", ticketing, lateOf(story, "ticketing"), audience),
    ota_callback_job: callback && callbackView(story, callback, audience),
    ...(audience === "operator" && {
      actions: story.actions.map(({ actor, action, reason, at }) => ({
        actor,
        action,
        reason,
        at: isoTime(at),
      })),
    }),
  };
}

/** An event's job. */
export function callbackView(story: OrderStory, callback: CallbackStory, audience: Audience) {
  const { id, event, event_id, sequence } = callback.job;
  const late = lateOf(story, "callback").filter((result) => result.job_id === id);
  return { event, event_id, sequence, ...jobView("callback", callback, late, audience) };
}

/** What happened inside the operator's network in detail is not for partners: it names addresses there. */
function withoutAddresses({ blocked_reason: reason, pipeline_status: status }: OrderStory["order"]) {
  return status.startsWith("ota_callback_") ? reason : (reason?.replace(/ \((\w+): .*\)/s, " ($1)") ?? null);
}

function jobView(leg: Leg, { job, attempts }: JobStory, late: readonly LateResult[], audience: Audience) {
  const isTold = (error: string | null) => audience === "operator" || leg === "callback" || error === null;
  const answerOf = ({ answer }: { answer: string | null }) => (audience === "operator" ? { answer } : {});
  return {
    status: job.status,
    last_status_code: job.last_status_code,
    last_error: job.last_error,
    next_attempt_at: isoTimeOrNull(job.next_attempt_at),
    held_until: isoTimeOrNull(job.held_until),
    attempts: attempts.map((attempt) => ({
      no: attempt.no,
      code: attempt.code,
      error: attempt.error,
      at: isoTime(attempt.at),
      duration_ms: attempt.duration_ms,
      note: isTold(attempt.error) ? attempt.note : null,
      ...answerOf(attempt),
    })),
    late: late.map((result) => ({
      no: result.no,
      code: result.code,
      error: result.error,
      at: isoTime(result.at),
      recorded_at: isoTime(result.recorded_at),
      ...answerOf(result),
    })),
  };
}

function lateOf(story: OrderStory, leg: Leg): LateResult[] {
  return story.late.filter((result) => result.leg === leg);
}
