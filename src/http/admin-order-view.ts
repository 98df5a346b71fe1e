import { createHash } from "node:crypto";
import { type Static, Type } from "typebox";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import type { BuyerMask } from "../orders/buyer-mask.ts";
import { type Moment, MOMENTS, timelineOf } from "../orders/order-timeline.ts";
import { OPERATOR_ACTIONS } from "../orders/possible-actions.ts";
import { LEGS } from "../orders/states.ts";
import { verdictOf } from "../orders/verdict-sentence.ts";
import type { Circumstances, JobStory, OrderStory } from "../storage/order-queries.ts";
import { EXAMPLE_ORDER } from "./example-order.ts";
import { EXAMPLE_BODY } from "./event-view.ts";
import {
  AttemptError,
  CallbackJobView,
  Code,
  DurationMs,
  HeldUntil,
  Note,
  nullable,
  OrderView,
  PartnerId,
  callbackView,
  orderView,
  Time,
} from "./order-view.ts";

const Verdict = Type.Object({
  happened: Type.String({
    description: "one sentence",
    examples: ["Ticketing answered 503 four times."],
  }),
  next: Type.String({
    description: "one sentence, also when that is nothing",
    examples: ["Next try at 14:32:05 UTC, 11 left."],
  }),
  actions: Type.Array(
    Type.Object({
      action: Type.Enum([...OPERATOR_ACTIONS]),
      advice: Type.String({
        description: "when it is the right thing to do",
        examples: ["When ticketing is well again: begin a new run of attempts"],
      }),
      command: Type.String({
        description: "the arguments of the command line that does it",
        examples: ["order retry 123 --reason '...'"],
      }),
      path: Type.String({ description: "where to POST it", examples: ["/admin/orders/123/retry"] }),
    }),
    { description: "what can be done about the order now, what helps most first" },
  ),
});

const MomentView = Type.Object({
  at: Time,
  what: Type.Enum([...MOMENTS], { examples: ["attempt"] }),
  leg: nullable(Type.Enum([...LEGS])),
  event: Type.Union([Type.String(), Type.Null()], { description: "the callback event", examples: [null] }),
  no: nullable(Type.Integer({ description: "the attempt's number", examples: [1] })),
  code: Code,
  error: AttemptError,
  duration_ms: DurationMs,
  note: Note,
  actor: Type.Union([Type.String(), Type.Null()], { description: "who acted", examples: [null] }),
  action: Type.Union([Type.String(), Type.Null()], { description: "how", examples: [null] }),
  answer: nullable(Type.String({ description: "how it began", examples: ['{"reference":"TK-9"}'] })),
});

const { partnerId, externalOrderId, traceId, callbackUrl, items } = EXAMPLE_ORDER;
const MASKED = { name: "***" };
const EXAMPLE_PAYLOAD = JSON.stringify({
  external_order_id: externalOrderId,
  callback_url: callbackUrl,
  items,
  buyer: MASKED,
});
const EXAMPLE_REQUEST = JSON.stringify({
  trace_id: traceId,
  partner_id: partnerId,
  external_order_id: externalOrderId,
  items,
  buyer: MASKED,
});

const RequestView = Type.Object({
  body: nullable(
    Type.String({ description: "as ticketing would be sent it now", examples: [EXAMPLE_REQUEST] }),
  ),
  headers: Type.Record(Type.String(), Type.String(), {
    description: "those that the mapping adds",
    examples: [{ "X-Api-Version": "2" }],
  }),
  problem: Type.Union([Type.String(), Type.Null()], {
    description: "why nothing could be sent",
    examples: [null],
  }),
});

const CircuitView = Type.Object(
  {
    leg: Type.Enum([...LEGS]),
    state: Type.Enum(["open", "closed"]),
    reason: nullable(
      Type.String({ description: "why it opened", examples: ["20 orders in a row failed with 503"] }),
    ),
    opened_at: Time,
    closed_at: nullable(Time),
  },
  { description: "a target's circuit, as it last opened: while it is open, orders are held back" },
);

const NextAttemptView = Type.Object(
  {
    leg: Type.Enum([...LEGS]),
    event: Type.Union([Type.String(), Type.Null()], { description: "the callback event", examples: [null] }),
    no: Type.Integer({ minimum: 1, description: "counts the job's attempts", examples: [3] }),
    run_no: Type.Integer({ minimum: 1, description: "its number in the present run", examples: [3] }),
    in_flight: Type.Boolean({ description: "true: it is being made", examples: [false] }),
    at: nullable(
      Type.String({
        format: "date-time",
        description: "when it began, if it is in flight; else when it is due",
      }),
    ),
    held_until: HeldUntil,
  },
  { description: "an attempt that the gateway makes by itself" },
);

/** Everything that is known of an order. */
export const AdminOrderView = Type.Object({
  verdict: Verdict,
  order: OrderView,
  partner: Type.Object({
    id: PartnerId,
    name: nullable(Type.String({ description: "for people", examples: ["Demo Partner"] })),
    disabled_at: Type.Union([Time, Type.Null()], { examples: [null] }),
  }),
  buyer: Type.Enum(["masked", "revealed", "blanked"], {
    description: "whether the buyer's data stands in the texts below; blanked: it has been deleted",
  }),
  timeline: Type.Array(MomentView, { description: "in the order of time" }),
  next_attempts: Type.Array(NextAttemptView, {
    description: "one for each job that is in flight or waits; empty while the order stands still",
  }),
  payload: Type.String({ description: "as the partner sent it", examples: [EXAMPLE_PAYLOAD] }),
  request: RequestView,
  callbacks: Type.Array(
    Type.Object({
      ...CallbackJobView.properties,
      body: Type.String({
        description: "what every attempt sends, byte for byte unless the buyer is masked in it",
        examples: [EXAMPLE_BODY],
      }),
      body_sha256: Type.String({
        description: "of the exact bytes, in hex",
        examples: [createHash("sha256").update(EXAMPLE_BODY).digest("hex")],
      }),
    }),
    { description: "one for each event that the partner is told of" },
  ),
  circuits: Type.Array(CircuitView),
});
export type AdminOrderView = Static<typeof AdminOrderView>;

export interface AdminOrderContext extends Circumstances {
  readonly nowMs: number;
  readonly attemptsPerRun: number;
  /** Null: the buyer is shown. */
  readonly mask: BuyerMask | null;
  readonly request: AdminOrderView["request"];
}

export function adminOrderView(story: OrderStory, context: AdminOrderContext): AdminOrderView {
  const { mask, request, circuits, partner } = context;
  const shown = mask === null ? story : maskedStory(story, mask);
  const { order } = shown;
  const { actions, ...told } = verdictOf(shown, context);
  const path = (action: string): string => `/admin/orders/${order.id}/${action}`;
  return {
    verdict: { ...told, actions: actions.map((each) => ({ ...each, path: path(each.action) })) },
    order: orderView(shown, "operator"),
    partner: {
      id: order.partner_id,
      name: partner?.name ?? null,
      disabled_at: isoTimeOrNull(partner?.disabled_at ?? null),
    },
    buyer: order.buyer_blanked_at !== null ? "blanked" : mask === null ? "revealed" : "masked",
    timeline: timelineOf(shown, circuits).map(momentView),
    next_attempts: nextAttemptsOf(story),
    payload: order.raw_payload,
    request,
    callbacks: shown.callbacks.map((callback, index) => ({
      ...callbackView(shown, callback, "operator"),
      body: callback.job.body,
      body_sha256: createHash("sha256").update(story.callbacks[index]!.job.body).digest("hex"),
    })),
    circuits: circuits.map(({ leg, state, reason, opened_at, closed_at }) => ({
      leg,
      state,
      reason,
      opened_at: isoTime(opened_at),
      closed_at: isoTimeOrNull(closed_at),
    })),
  };
}

/** The story without the buyer, whoever may have repeated what the partner told of them. */
function maskedStory(story: OrderStory, mask: BuyerMask): OrderStory {
  const text = <T extends string | null>(given: T): T => (given === null ? given : mask.text(given)) as T;
  const results = <T extends { answer: string | null; note: string | null }>(list: readonly T[]): T[] =>
    list.map((each) => ({ ...each, answer: text(each.answer), note: text(each.note) }));
  const job = <T extends JobStory>(given: T): T => ({ ...given, attempts: results(given.attempts) });
  const { order, ticketing } = story;
  const callbacks = story.callbacks.map((callback) => ({
    ...job(callback),
    job: { ...callback.job, body: text(callback.job.body) },
  }));
  return {
    ...story,
    order: {
      ...order,
      raw_payload: mask.payload,
      blocked_reason: text(order.blocked_reason),
      reference: text(order.reference),
    },
    tickets: story.tickets.map((ticket) => mask.value(ticket)),
    ticketing: ticketing && job(ticketing),
    callback: callbacks.find(({ job }) => job.id === story.callback?.job.id) ?? null,
    callbacks,
    late: results(story.late),
  };
}

function nextAttemptsOf({ ticketing, callbacks }: OrderStory): AdminOrderView["next_attempts"] {
  const jobs = [
    ...(ticketing ? [{ leg: "ticketing" as const, event: null, job: ticketing.job }] : []),
    ...callbacks.map(({ job }) => ({ leg: "callback" as const, event: job.event, job })),
  ];
  return jobs
    .filter(({ job }) => job.status === "pending" || job.status === "running")
    .map(({ leg, event, job }) => {
      const isInFlight = job.status === "running";
      // A claim counts its attempt already.
      const toCome = isInFlight ? 0 : 1;
      return {
        leg,
        event,
        no: job.attempts + toCome,
        run_no: job.run_attempts + toCome,
        in_flight: isInFlight,
        at: isoTimeOrNull(isInFlight ? job.claimed_at : job.next_attempt_at),
        held_until: isoTimeOrNull(job.held_until),
      };
    });
}

function momentView({ at, durationMs, ...moment }: Moment): AdminOrderView["timeline"][number] {
  return { at: isoTime(at), ...moment, duration_ms: durationMs };
}
