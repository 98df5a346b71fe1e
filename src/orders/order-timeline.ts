import type { AttemptError } from "./outcome.ts";
import type { Leg } from "./states.ts";

/** What may stand in an order's timeline. */
export const MOMENTS = [
  "received",
  "attempt",
  "late_result",
  "ticketed",
  "delivered",
  "event",
  "action",
  "circuit_opened",
  "circuit_closed",
] as const;

/** Something that happened to an order, or to a target while the order depended on it. */
export interface Moment {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly what: (typeof MOMENTS)[number];
  readonly leg: Leg | null;
  /** The callback event that it is about. */
  readonly event: string | null;
  /** The attempt's number within its job. */
  readonly no: number | null;
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly durationMs: number | null;
  /** In the gateway's words, or an operator's. */
  readonly note: string | null;
  /** Who acted, and how. */
  readonly actor: string | null;
  readonly action: string | null;
  /** How the answer began. */
  readonly answer: string | null;
}

interface Result {
  readonly no: number;
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly at: number;
  readonly duration_ms: number | null;
  readonly answer: string | null;
  readonly note: string | null;
}

interface JobFacts {
  readonly attempts: readonly Result[];
}

/** As much of a story as the timeline is made of. */
export interface TimelineStory {
  readonly order: {
    readonly created_at: number;
    readonly ticketed_at: number | null;
    readonly delivered_at: number | null;
  };
  readonly ticketing: JobFacts | null;
  readonly callbacks: readonly (JobFacts & {
    readonly job: { readonly event: string; readonly created_at: number };
  })[];
  readonly late: readonly (Result & { readonly leg: Leg; readonly recorded_at: number })[];
  readonly actions: readonly {
    readonly at: number;
    readonly actor: string;
    readonly action: string;
    readonly reason: string;
  }[];
}

interface CircuitFacts {
  readonly leg: Leg;
  readonly reason: string | null;
  readonly opened_at: number;
  readonly closed_at: number | null;
}

const NOTHING: Omit<Moment, "at" | "what"> = {
  leg: null,
  event: null,
  no: null,
  code: null,
  error: null,
  durationMs: null,
  note: null,
  actor: null,
  action: null,
  answer: null,
};

/** All that is on record of an order, in the order of time; what is of one time, in the order of the way. */
export function timelineOf(story: TimelineStory, circuits: readonly CircuitFacts[]): Moment[] {
  const { order, ticketing, callbacks, late, actions } = story;
  const moments: Moment[] = [
    { ...NOTHING, at: order.created_at, what: "received" },
    ...actions.map(({ at, actor, action, reason }): Moment => ({
      ...NOTHING,
      at,
      what: "action",
      actor,
      action,
      note: reason,
    })),
    ...(ticketing?.attempts ?? []).map((attempt) => attemptMoment("ticketing", null, attempt)),
    ...circuits.flatMap((circuit) => circuitMoments(order, circuit)),
    // A late result may be what ticketed the order, in the same transaction.
    ...lateMoments("ticketing", late),
    ...once("ticketed", order.ticketed_at),
    ...callbacks.flatMap(({ job, attempts }) => [
      // That of `order.ticketed` is made by becoming ticketed.
      ...(job.event === "order.ticketed"
        ? []
        : [{ ...NOTHING, at: job.created_at, what: "event" as const, event: job.event }]),
      ...attempts.map((attempt) => attemptMoment("callback", job.event, attempt)),
    ]),
    ...lateMoments("callback", late),
    ...once("delivered", order.delivered_at),
  ];
  return moments.toSorted((one, other) => one.at - other.at);
}

function once(what: Moment["what"], at: number | null): Moment[] {
  return at === null ? [] : [{ ...NOTHING, at, what }];
}

function attemptMoment(leg: Leg, event: string | null, result: Result): Moment {
  const { at, no, code, error, duration_ms: durationMs, note, answer } = result;
  return { ...NOTHING, at, what: "attempt", leg, event, no, code, error, durationMs, note, answer };
}

function lateMoments(leg: Leg, late: TimelineStory["late"]): Moment[] {
  return late
    .filter((result) => result.leg === leg)
    .map((result) => ({
      ...attemptMoment(leg, null, result),
      at: result.recorded_at,
      what: "late_result",
    }));
}

/** A circuit's last opening, if the order waited for its target then. */
function circuitMoments(order: TimelineStory["order"], circuit: CircuitFacts): Moment[] {
  const { leg, reason, opened_at: openedAt, closed_at: closedAt } = circuit;
  const began = leg === "ticketing" ? order.created_at : order.ticketed_at;
  const ended = (leg === "ticketing" ? order.ticketed_at : order.delivered_at) ?? Number.POSITIVE_INFINITY;
  if (began === null || openedAt > ended || (closedAt ?? began) < began) return [];
  const opened: Moment = { ...NOTHING, at: openedAt, what: "circuit_opened", leg, note: reason };
  if (closedAt === null || closedAt > ended) return [opened];
  return [opened, { ...NOTHING, at: closedAt, what: "circuit_closed", leg }];
}
