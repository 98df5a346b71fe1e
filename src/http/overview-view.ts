import { type Static, Type } from "typebox";
import { isoTime } from "../lib/iso-time.ts";
import { dayOf } from "../lib/zoned-day.ts";
import type { ErrorGroup } from "../orders/error-tally.ts";
import { type Leg, LEGS, ORDER_STATUSES } from "../orders/states.ts";
import type { LegHealth, OpenCircuit, Overview, WaitingOrder } from "../storage/overview.ts";
import { AttemptError, ExternalOrderId, Id, nullable, PartnerId, Time } from "./order-view.ts";

const DAY_MS = 86_400_000;

const Count = (description: string, example: number) =>
  Type.Integer({ minimum: 0, description, examples: [example] });
const AtLeast = Type.Boolean({ description: "true: there is more than was worth counting" });

const Order = Type.Object({
  id: Id,
  external_order_id: ExternalOrderId,
  partner_id: PartnerId,
  status: Type.Enum([...ORDER_STATUSES], { examples: ["ticketing_blocked"] }),
  run_attempts: Count("attempts of the present run at ticketing", 1),
  next_attempt_at: Type.Union([Time, Type.Null()], { examples: [null] }),
  created_at: Time,
});
const Latency = Type.Object({
  attempts: Count("the latest, from which it is taken", 1000),
  p50_ms: nullable(Type.Integer({ description: "half of them took at most so long", examples: [180] })),
  p95_ms: nullable(Type.Integer({ description: "19 of 20 took at most so long", examples: [940] })),
});
const Health = Type.Object({
  circuit: Type.Enum(["open", "closed"], {
    description: "open: its orders are held back",
    examples: ["closed"],
  }),
  reason: Type.Union([Type.String(), Type.Null()], {
    description: "why the circuit is open",
    examples: [null],
  }),
  open_since: Type.Union([Time, Type.Null()], { examples: [null] }),
  failures_last_hour: Count("attempts that failed", 7),
  waiting: Count("jobs that wait for an attempt", 2),
  standing: Count("jobs that stand still, until somebody acts", 1),
});

export const OverviewView = Type.Object({
  at: Time,
  time_zone: Type.String({ description: "the venue's: VENUE_TIMEZONE", examples: ["Asia/Bangkok"] }),
  at_least: AtLeast,
  held: Type.Union([Type.Object({ since: Time, by: Type.String(), reason: Type.String() }), Type.Null()], {
    description: "orders are accepted and shown, and nothing is worked until the gateway is released",
    examples: [null],
  }),
  hours: Type.Array(
    Type.Object({
      from: Time,
      accepted: Count("orders", 1204),
      ticketed: Count("orders", 1203),
      delivered: Count("orders", 1201),
      blocked: Count("came to stand still then, and still do", 1),
    }),
    { description: "the oldest first; the last one is not over" },
  ),
  latency: Type.Object({ ticketing: Latency, callback: Latency }),
  oldest_not_ticketed: Type.Object({
    in_work: Type.Union([Order, Type.Null()], { examples: [null] }),
    standing: nullable(Order),
  }),
  ticketing: Health,
  callbacks: Type.Omit(Health, ["circuit", "reason", "open_since"]),
  partners: Type.Array(
    Type.Object({
      id: PartnerId,
      name: Type.String({ examples: ["Demo Partner"] }),
      disabled_at: Type.Union([Time, Type.Null()], { examples: [null] }),
      ticketing: Type.Omit(Health, ["circuit", "reason", "open_since"]),
      callbacks: Health,
    }),
    { maxItems: 1000 },
  ),
  visits: Type.Array(
    Type.Object({
      date: Type.String({ format: "date" }),
      not_ticketed: Count("orders", 1),
      orders: Type.Array(Order, { maxItems: 20, description: "the oldest of them" }),
    }),
    { description: "orders with a visit today or tomorrow at the venue that have no tickets yet" },
  ),
});
export type OverviewView = Static<typeof OverviewView>;

export function overviewView(told: Overview, nowMs: number, timeZone: string): OverviewView {
  const circuitOf = (leg: Leg, partnerId: string): OpenCircuit | undefined =>
    told.circuits.find((circuit) => circuit.leg === leg && circuit.partnerId === partnerId);
  return {
    at: isoTime(nowMs),
    time_zone: timeZone,
    at_least: told.atLeast,
    held: told.hold && {
      since: isoTime(told.hold.since),
      by: told.hold.actor,
      reason: told.hold.reason,
    },
    hours: told.hours.map(({ from, stood, ...counts }) => ({
      from: isoTime(from),
      ...counts,
      blocked: stood,
    })),
    latency: { ticketing: latencyOf(told, "ticketing"), callback: latencyOf(told, "callback") },
    oldest_not_ticketed: {
      in_work: told.oldest.inWork && orderOf(told.oldest.inWork),
      standing: told.oldest.standing && orderOf(told.oldest.standing),
    },
    ticketing: { ...circuitView(circuitOf("ticketing", "")), ...countsOf(told.legs.ticketing) },
    callbacks: countsOf(told.legs.callback),
    partners: told.partners.map(({ id, name, disabledAt, legs }) => ({
      id,
      name,
      disabled_at: disabledAt === null ? null : isoTime(disabledAt),
      ticketing: countsOf(legs.ticketing),
      callbacks: { ...circuitView(circuitOf("callback", id)), ...countsOf(legs.callback) },
    })),
    visits: told.visits.map(({ date, notTicketed, orders }) => ({
      date,
      not_ticketed: notTicketed,
      orders: orders.map(orderOf),
    })),
  };
}

function orderOf(order: WaitingOrder) {
  const { id, externalOrderId, partnerId, status, createdAt, runAttempts, nextAttemptAt } = order;
  return {
    id,
    external_order_id: externalOrderId,
    partner_id: partnerId,
    status,
    run_attempts: runAttempts,
    next_attempt_at: nextAttemptAt === null ? null : isoTime(nextAttemptAt),
    created_at: isoTime(createdAt),
  };
}

function latencyOf({ latency }: Overview, leg: Leg): Static<typeof Latency> {
  const { attempts, p50Ms, p95Ms } = latency[leg];
  return { attempts, p50_ms: p50Ms, p95_ms: p95Ms };
}

function countsOf({ failures, waiting, standing }: LegHealth) {
  return { failures_last_hour: failures, waiting, standing };
}

function circuitView(open: OpenCircuit | undefined) {
  if (!open) return { circuit: "closed" as const, reason: null, open_since: null };
  return { circuit: "open" as const, reason: open.reason, open_since: isoTime(open.openedAt) };
}

/** The days whose visits matter, at the venue, as `YYYY-MM-DD`. */
export function todayAndTomorrow(nowMs: number, timeZone: string): string[] {
  const today = dayOf(nowMs, timeZone);
  // By the calendar: a day of the venue need not have 24 hours.
  return [today, dayOf(Date.parse(`${today}T00:00:00Z`) + DAY_MS, "UTC")];
}

export const ErrorGroupsView = Type.Object({
  since: Time,
  at_least: AtLeast,
  groups: Type.Array(
    Type.Object({
      fingerprint: Type.String({
        description: "as a filter's error_group it finds the group's orders",
        examples: ["ticketing:503:-:a1b2c3d4e5f6:ticketing.example.com"],
      }),
      leg: Type.Enum([...LEGS]),
      host: nullable(Type.String({ description: "that was called", examples: ["ticketing.example.com"] })),
      code: Type.Union([Type.Integer(), Type.Null()], {
        description: "the HTTP status, if one arrived",
        examples: [503],
      }),
      error: AttemptError,
      message: Type.String({
        description: "what was said, without what differs from order to order",
        examples: ["temporarily out of service"],
      }),
      standing: Count("orders that stand still by it now", 40),
      waiting: Count("orders that wait for their next attempt", 3),
      attempts: Count("since `since`, also of orders that fared better later", 617),
      partners: Type.Array(Type.String(), {
        maxItems: 10,
        description: "those with the most first",
        examples: [["demo", "ota-one"]],
      }),
      first_seen: Time,
      last_seen: Time,
      example_order_id: Id,
    }),
    { maxItems: 100, description: "those with the most orders first" },
  ),
});
export type ErrorGroupsView = Static<typeof ErrorGroupsView>;

/** @param ticketingHost the one that TICKETING_URL names now, or null */
export function errorGroupsView(
  found: { readonly groups: readonly ErrorGroup[]; readonly atLeast: boolean },
  since: number,
  ticketingHost: string | null,
): ErrorGroupsView {
  return {
    since: isoTime(since),
    at_least: found.atLeast,
    groups: found.groups.map((group) => ({
      fingerprint: group.fingerprint,
      leg: group.leg,
      host: group.leg === "ticketing" ? ticketingHost : group.host,
      code: group.code,
      error: group.error,
      message: group.message,
      standing: group.standing.size,
      waiting: group.waiting.size,
      attempts: group.attempts,
      partners: [...group.partners],
      first_seen: isoTime(group.firstSeen),
      last_seen: isoTime(group.lastSeen),
      example_order_id: group.exampleOrderId,
    })),
  };
}
