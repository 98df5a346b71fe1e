import assert from "node:assert/strict";
import { LEGS, type Leg, type OrderStatus } from "../../src/orders/states.ts";
import type { Storage } from "../../src/storage/open.ts";
import { LEG_TABLES, type AttemptsTable, type JobsTable } from "../../src/storage/tables.ts";
import { mayHaveMoved } from "../orders/spec-map.ts";
import { IN_DOUBT } from "./answers.ts";
import { type Due, type Model, type ModelJob, SETTINGS } from "./model.ts";

type JobRow = JobsTable & { id: number };
type AttemptRow = AttemptsTable;

interface OrderRow {
  id: number;
  pipeline_status: OrderStatus;
  blocked_reason: string | null;
  ticketed_at: number | null;
  delivered_at: number | null;
}

interface LateRow {
  leg: Leg;
  order_id: number;
  no: number;
  claim: string;
  code: number | null;
  error: string | null;
}

/** What the database holds, as far as the model speaks of it. */
export interface Snapshot {
  readonly orders: readonly OrderRow[];
  readonly jobs: Readonly<Record<Leg, readonly JobRow[]>>;
  readonly attempts: Readonly<Record<Leg, readonly AttemptRow[]>>;
  readonly late: readonly LateRow[];
  readonly tickets: readonly { order_id: number }[];
  readonly circuits: readonly { leg: Leg; target: string; next_probe_at: number }[];
  readonly failures: readonly { leg: Leg; target: string; order_id: number }[];
}

export async function takeSnapshot({ database: { run } }: Storage): Promise<Snapshot> {
  const rows = <Row extends object>(text: string): Promise<Row[]> => run<Row>(text, []);
  const ofLegs = async <Row extends object>(what: "jobs" | "attempts", by: string) => ({
    ticketing: await rows<Row>(`select * from ${LEG_TABLES.ticketing[what]} order by ${by}`),
    callback: await rows<Row>(`select * from ${LEG_TABLES.callback[what]} order by ${by}`),
  });
  const [orders, jobs, attempts, late, tickets, circuits, failures] = await Promise.all([
    rows<OrderRow>("select * from orders order by id"),
    ofLegs<JobRow>("jobs", "order_id, id"),
    ofLegs<AttemptRow>("attempts", "order_id, no"),
    rows<LateRow>("select * from late_results order by id"),
    rows<{ order_id: number }>("select order_id from tickets"),
    rows<{ leg: Leg; target: string; next_probe_at: number }>(
      "select leg, partner_id as target, next_probe_at from circuits where state = 'open' order by leg, partner_id",
    ),
    rows<{ leg: Leg; target: string; order_id: number }>(
      "select leg, partner_id as target, order_id from circuit_failures order by leg, partner_id, order_id",
    ),
  ]);
  return { orders, jobs, attempts, late, tickets, circuits, failures };
}

/** What the database says equals what the model predicts; due times, which chance has a part in, lie within bounds. */
export function compare(snapshot: Snapshot, model: Model): void {
  const actual = snapshot.orders.map(({ id, pipeline_status: status }) => ({
    id,
    status,
    ticketing: jobView(snapshot, "ticketing", id),
    callback: jobView(snapshot, "callback", id),
    late: snapshot.late
      .filter((row) => row.order_id === id)
      .map(({ leg, no, claim: token, code }) => ({ leg, no, token, code })),
  }));
  const expected = model.orders.map(({ id, status, ticketing, callback, late }) => ({
    id,
    status,
    ticketing: expectedView(ticketing),
    callback: callback && expectedView(callback),
    late,
  }));
  assert.deepEqual(actual, expected, "the database is not where the model is");
  for (const leg of LEGS) for (const { order, job } of model.jobs(leg)) adoptDue(snapshot, order.id, job);
  const circuits = [...model.circuits].map(([key, circuit]) => {
    const [leg, target] = key.split(" ") as [Leg, string];
    return { leg, target, ...circuit };
  });
  const byKey = <T extends { leg: string; target: string }>(list: T[]): T[] =>
    list.toSorted((a, b) => (`${a.leg} ${a.target}` < `${b.leg} ${b.target}` ? -1 : 1));
  assert.deepEqual(
    byKey(snapshot.circuits.map((circuit) => ({ ...circuit }))),
    byKey(
      circuits
        .filter(({ open }) => open)
        .map(({ leg, target, nextProbeAt }) => ({ leg, target, next_probe_at: nextProbeAt })),
    ),
    "open circuits",
  );
  assert.deepEqual(
    snapshot.failures.map((row) => `${row.leg} ${row.target} ${row.order_id}`).toSorted(),
    circuits
      .flatMap(({ leg, target, failures }) => [...failures.keys()].map((id) => `${leg} ${target} ${id}`))
      .toSorted(),
    "orders that failed in a row",
  );
}

function jobView({ jobs, attempts }: Snapshot, leg: Leg, orderId: number) {
  const [row, ...others] = jobs[leg].filter((job) => job.order_id === orderId);
  assert.equal(others.length, 0, `order ${orderId} has one ${leg} job at most`);
  if (!row) return null;
  return {
    status: row.status,
    attempts: row.attempts,
    runAttempts: row.run_attempts,
    runStartedAt: row.run_started_at,
    lane: row.lane,
    isDue: row.next_attempt_at !== null,
    heldUntil: row.held_until,
    endsAs: row.ends_as,
    open: row.claim && { token: row.claim, startedAt: row.claimed_at, leaseUntil: row.lease_until },
    rows: attempts[leg]
      .filter((attempt) => attempt.order_id === orderId)
      .map(({ no, claim: token, code, error }) => ({ no, token, code, error })),
  };
}

function expectedView({ status, attempts, runAttempts, runStartedAt, lane, due, ...job }: ModelJob) {
  const { heldUntil, endsAs, open, rows } = job;
  const isDue = due !== null;
  return { status, attempts, runAttempts, runStartedAt, lane, isDue, heldUntil, endsAs, open, rows };
}

function adoptDue({ jobs }: Snapshot, orderId: number, model: ModelJob): void {
  if (model.due === null) return;
  const at = jobs[model.leg].find((job) => job.order_id === orderId)!.next_attempt_at!;
  const [from, to]: Due = model.due;
  const where = `the ${model.leg} job of order ${orderId} is due at ${at}, not within ${from}..${to}`;
  assert.ok(from <= at && at <= to, where);
  model.due = [at, at];
}

const NEEDS_REASON = /_blocked$|_exhausted$|_unknown$|^cancelled$/;

/** SPEC section 7, as far as the database can tell; `before` is what it held one command ago. */
export function checkInvariants(snapshot: Snapshot, before: Snapshot): void {
  for (const leg of LEGS) for (const job of snapshot.jobs[leg]) checkJob(snapshot, leg, job);
  const statusBefore = new Map(before.orders.map((order) => [order.id, order.pipeline_status]));
  for (const order of snapshot.orders) {
    const { id, pipeline_status: status } = order;
    const from = statusBefore.get(id) ?? "accepted";
    assert.ok(mayHaveMoved(from, status), `invariant 7: order ${id} went from ${from} to ${status}`);
    const callbacks = snapshot.jobs.callback.filter((job) => job.order_id === id).length;
    const tickets = snapshot.tickets.filter((ticket) => ticket.order_id === id).length;
    const isTicketed = order.ticketed_at !== null;
    assert.deepEqual([callbacks, tickets], isTicketed ? [1, 1] : [0, 0], `invariant 5: order ${id}`);
    assert.equal(isTicketed, /^ticketed$|^ota_/.test(status), `order ${id} is ${status}`);
    assert.equal(order.blocked_reason !== null, NEEDS_REASON.test(status), `order ${id} explains ${status}`);
    if (status === "cancelled") checkCancelled(snapshot, order);
  }
  for (const [leg, rows] of Object.entries(before.attempts)) {
    const now = new Set(snapshot.attempts[leg as Leg].map((row) => JSON.stringify(row)));
    for (const row of rows) assert.ok(now.has(JSON.stringify(row)), "attempt rows are append-only");
  }
}

function checkJob(snapshot: Snapshot, leg: Leg, job: JobRow): void {
  const where = `${leg} job ${job.id}`;
  const isRunning = job.status === "running";
  for (const column of [job.claim, job.claimed_at, job.lease_until, job.claimed_by])
    assert.equal(column !== null, isRunning, `invariant 2: ${where} is ${job.status}`);
  const rows = snapshot.attempts[leg].filter((row) => row.job_id === job.id);
  const ended = job.attempts - (isRunning ? 1 : 0);
  assert.deepEqual(
    rows.map((row) => row.no),
    Array.from({ length: ended }, (_, index) => index + 1),
    `invariants 3 and 4: attempts of ${where}`,
  );
  assert.equal(new Set(rows.map((row) => row.claim)).size, rows.length, `one row for each claim of ${where}`);
  const inRun = 0 <= job.run_attempts && job.run_attempts <= SETTINGS.offsetsMs.length;
  assert.ok(inRun, `invariant 4: ${where} has ${job.run_attempts} in its run`);
  if (job.status === "pending") assert.notEqual(job.next_attempt_at, null, `${where} waits for nothing`);
  if (job.held_until !== null)
    assert.match(job.status, /^(pending|running)$/, `${where} is held, but ${job.status}`);
}

function checkCancelled({ attempts, late }: Snapshot, order: OrderRow): void {
  const isIssued = late.some(
    (row) => row.leg === "ticketing" && row.order_id === order.id && row.code === 200 && row.error === null,
  );
  const inDoubt = attempts.ticketing.some((row) => row.order_id === order.id && IN_DOUBT.has(row.error));
  const expected = isIssued ? /has issued tickets/ : inDoubt ? /may hold tickets/ : /before it was ticketed/;
  assert.match(order.blocked_reason!, expected, `order ${order.id}`);
}
