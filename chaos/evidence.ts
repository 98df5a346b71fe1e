import type { Selectable } from "kysely";
import { LEGS, type Leg } from "../src/orders/states.ts";
import type { Storage } from "../src/storage/open.ts";
import {
  type AttemptsTable,
  type CallbackJobsTable,
  type JobsTable,
  LEG_TABLES,
  type LateResultsTable,
  type OrdersTable,
} from "../src/storage/tables.ts";
import type { Answered } from "./client.ts";
import type { FaultLog } from "./fault-log.ts";
import type { Incarnation, LogLine } from "./gateways.ts";
import type { Plan, PlannedOrder } from "./plan.ts";
import { type RecordedRequest, requestNamedIn } from "./recording.ts";
import type { Sightings } from "./watch.ts";

export type Attempt = Selectable<AttemptsTable>;
export type LateResult = Selectable<LateResultsTable>;

/** An attempt row with what belongs to it. */
export interface AttemptEvidence {
  readonly row: Attempt;
  /** The same attempt's result, if it came after its claim had ended. */
  readonly late: LateResult | null;
  /** The request at the target: the one that its answer names, else one that fits in time. */
  request: RecordedRequest | null;
  /** Until the job's next attempt began. */
  readonly until: number;
}

export interface LegEvidence {
  readonly leg: Leg;
  readonly jobs: readonly (Selectable<JobsTable> & Partial<Selectable<CallbackJobsTable>>)[];
  readonly attempts: readonly AttemptEvidence[];
  readonly requests: readonly RecordedRequest[];
  /** Requests and late results that no attempt row accounts for. */
  readonly unaccounted: readonly RecordedRequest[];
  readonly strayLate: readonly LateResult[];
}

export interface OrderEvidence {
  readonly row: Selectable<OrdersTable>;
  readonly planned: PlannedOrder | null;
  readonly legs: Readonly<Record<Leg, LegEvidence>>;
}

/** Both sides of a run: what the database says and what everybody else has seen. */
export interface Evidence {
  readonly plan: Plan;
  readonly answers: readonly Answered[];
  readonly orders: readonly OrderEvidence[];
  readonly keys: ReadonlyMap<string, string>;
  readonly items: ReadonlyMap<number, number>;
  readonly strayRequests: readonly RecordedRequest[];
  readonly faultLog: FaultLog;
  readonly incarnations: readonly Incarnation[];
  readonly lines: readonly LogLine[];
  readonly sightings: Sightings;
  readonly circuitsOpened: number;
}

export type Witnessed = Omit<Evidence, "orders" | "keys" | "items" | "strayRequests" | "circuitsOpened"> & {
  readonly requests: readonly RecordedRequest[];
};

/** Reads the database and lays it beside what was witnessed. */
export async function gatherEvidence(
  { database }: Storage,
  { requests, ...witnessed }: Witnessed,
): Promise<Evidence> {
  const { queries } = database;
  const orders = await queries.selectFrom("orders").selectAll().orderBy("id").execute();
  const keys = await queries.selectFrom("idempotency_keys").selectAll().execute();
  const items = await queries.selectFrom("order_items").select("order_id").execute();
  const circuits = await queries.selectFrom("circuits").selectAll().execute();
  const lates = groupBy(await queries.selectFrom("late_results").selectAll().execute(), (late) =>
    at(late.leg, late.order_id),
  );
  const requestsOf = groupBy(requests, ({ leg, traceId }) => `${leg} ${traceId}`);
  const jobsOf = new Map<string, LegEvidence["jobs"][number][]>();
  const attemptsOf = new Map<string, Attempt[]>();
  for (const leg of LEGS) {
    const tables = LEG_TABLES[leg];
    for (const job of await queries.selectFrom(tables.jobs).selectAll().execute())
      push(jobsOf, at(leg, job.order_id), job);
    for (const attempt of await queries.selectFrom(tables.attempts).selectAll().orderBy("no").execute())
      push(attemptsOf, at(leg, attempt.order_id), attempt);
  }
  const planned = new Map(witnessed.plan.orders.map((order) => [order.externalOrderId, order]));
  const legOf = (leg: Leg, { id, trace_id }: Selectable<OrdersTable>): LegEvidence =>
    legEvidence(leg, {
      jobs: jobsOf.get(at(leg, id)) ?? [],
      attempts: attemptsOf.get(at(leg, id)) ?? [],
      lates: lates.get(at(leg, id)) ?? [],
      requests: requestsOf.get(`${leg} ${trace_id}`) ?? [],
    });
  const traces = new Set(orders.map((order) => order.trace_id));
  const itemCounts = new Map<number, number>();
  for (const { order_id } of items) itemCounts.set(order_id, (itemCounts.get(order_id) ?? 0) + 1);
  return {
    ...witnessed,
    orders: orders.map((row) => ({
      row,
      planned: planned.get(row.external_order_id) ?? null,
      legs: { ticketing: legOf("ticketing", row), callback: legOf("callback", row) },
    })),
    keys: new Map(keys.map((row) => [row.key, row.trace_id])),
    items: itemCounts,
    strayRequests: requests.filter(({ traceId }) => !traces.has(traceId)),
    circuitsOpened: circuits.length,
  };
}

function at(leg: Leg, orderId: number): string {
  return `${leg} ${orderId}`;
}

/** These errors mean that no request left. */
const UNSENT = new Set<string | null>(["dns", "connect", "tls", "guard"]);
/** Clocks are read in whole milliseconds. */
const ROUNDING_MS = 3;

function legEvidence(
  leg: Leg,
  given: {
    jobs: LegEvidence["jobs"];
    attempts: readonly Attempt[];
    lates: readonly LateResult[];
    requests: readonly RecordedRequest[];
  },
): LegEvidence {
  const { jobs, lates, requests } = given;
  const byNo = new Map(requests.map((request) => [request.no, request]));
  const free = new Set(requests);
  const attempts = given.attempts.map((row, index): AttemptEvidence => {
    const late = lates.find(({ claim, job_id }) => claim === row.claim && job_id === row.job_id) ?? null;
    const named = requestNamedIn(row.answer) ?? requestNamedIn(late?.answer ?? null);
    const request = named === null ? null : (byNo.get(named) ?? null);
    if (request) free.delete(request);
    return { row, late, request, until: given.attempts[index + 1]?.at ?? Number.POSITIVE_INFINITY };
  });
  // What is left has no answer that could name it: each goes to the last attempt that had begun.
  for (const request of [...free].toSorted((a, b) => a.startedAt - b.startedAt)) {
    const attempt = attempts.findLast(
      ({ row, late, request: taken }) =>
        taken === null && !UNSENT.has((late ?? row).error) && row.at <= request.startedAt + ROUNDING_MS,
    );
    if (!attempt) continue;
    attempt.request = request;
    free.delete(request);
  }
  const known = new Set(attempts.map(({ late }) => late));
  return {
    leg,
    jobs,
    attempts,
    requests,
    unaccounted: [...free],
    strayLate: lates.filter((late) => !known.has(late)),
  };
}

function push<T>(groups: Map<string, T[]>, key: string, value: T): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function groupBy<T>(list: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) push(groups, keyOf(each), each);
  return groups;
}
