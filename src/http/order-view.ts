import { type Static, type TSchema, Type } from "typebox";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import { OrderItem } from "../orders/order-input.ts";
import { ATTEMPT_ERRORS } from "../orders/outcome.ts";
import { JOB_STATUSES, type Leg, ORDER_STATUSES } from "../orders/states.ts";
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
const TraceId = Type.String({ format: "uuid", description: "the order's, from end to end" });
export const OrderStatus = Type.Enum([...ORDER_STATUSES]);
export const Code = nullable(
  Type.Integer({ description: "the HTTP status, if one arrived", examples: [200] }),
);
export const AttemptError = nullable(Type.Enum([...ATTEMPT_ERRORS]));
const Answer = Type.Optional(
  nullable(Type.String({ description: "how the answer began; operators alone see it" })),
);

/** What the 201 says: the seed's six fields. */
export const AcceptedView = Type.Object({
  id: Id,
  partner_id: Type.String({ examples: ["demo"] }),
  external_order_id: Type.String({ examples: ["EXT-42"] }),
  trace_id: TraceId,
  pipeline_status: Type.Literal("accepted"),
  created_at: Time,
});
export type AcceptedView = Static<typeof AcceptedView>;

/** An order in the list. */
export const SummaryView = Type.Object({
  id: Id,
  partner_id: Type.String({ examples: ["demo"] }),
  external_order_id: Type.String({ examples: ["EXT-42"] }),
  trace_id: TraceId,
  status: OrderStatus,
  created_at: Time,
});
export type SummaryView = Static<typeof SummaryView>;

const AttemptView = Type.Object({
  no: Type.Integer({ minimum: 1 }),
  code: Code,
  error: AttemptError,
  at: Time,
  duration_ms: nullable(Type.Integer()),
  note: nullable(Type.String()),
  answer: Answer,
});
const LateView = Type.Object(
  {
    no: Type.Integer({ minimum: 1 }),
    code: Code,
    error: AttemptError,
    at: Time,
    recorded_at: Time,
    answer: Answer,
  },
  { description: "a result that came after its claim had ended" },
);
const JobView = Type.Object({
  status: Type.Enum([...JOB_STATUSES]),
  last_status_code: Code,
  last_error: AttemptError,
  next_attempt_at: nullable(Time),
  held_until: nullable(
    Type.String({
      format: "date-time",
      description: "while its target's circuit is open: when the job is given up",
    }),
  ),
  attempts: Type.Array(AttemptView),
  late: Type.Array(LateView),
});
export const CallbackJobView = Type.Object({
  event: Type.String({ examples: ["order.ticketed"] }),
  event_id: Type.String(),
  sequence: Type.Integer({ minimum: 1 }),
  ...JobView.properties,
});

/** All that is shown of one order; the seed's excerpt is a part of it. */
export const OrderView = Type.Object({
  id: Id,
  partner_id: Type.String(),
  external_order_id: Type.String(),
  trace_id: TraceId,
  status: OrderStatus,
  created_at: Time,
  updated_at: Time,
  ticketed_at: nullable(Time),
  delivered_at: nullable(Time),
  callback_url: Type.String(),
  reference: nullable(Type.String({ description: "ticketing's" })),
  blocked_reason: nullable(Type.String({ description: "why the order stands where it does" })),
  items: Type.Array(OrderItem),
  tickets: Type.Array(Type.Unknown(), { description: "as ticketing gave them: objects or strings" }),
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
});
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
