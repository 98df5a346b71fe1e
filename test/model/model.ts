import assert from "node:assert/strict";
import type { AttemptError } from "../../src/orders/outcome.ts";
import { LEGS, type JobStatus, type Leg, type OrderStatus } from "../../src/orders/states.ts";
import { ANSWERS, type AnswerName, type Judged, judge } from "./answers.ts";

/** What both the model and the engine under test are set to. */
export const SETTINGS = {
  offsetsMs: [0, 2_000, 6_000],
  jitterMs: 500,
  leaseMs: 15_000,
  threshold: 2,
  probeMs: 5_000,
  holdLimitSecs: 60,
} as const;

/** When a job is due: the jitter leaves it a little open, until the database has said it. */
export type Due = readonly [from: number, to: number];

export interface ModelJob {
  readonly leg: Leg;
  status: JobStatus;
  attempts: number;
  runAttempts: number;
  runStartedAt: number | null;
  lane: 0 | 1;
  due: Due | null;
  heldUntil: number | null;
  endsAs: JobStatus | null;
  open: { readonly token: string; readonly startedAt: number; readonly leaseUntil: number } | null;
  readonly rows: { no: number; token: string; code: number | null; error: AttemptError | null }[];
}

export interface ModelOrder {
  readonly id: number;
  readonly partner: string;
  status: OrderStatus;
  readonly ticketing: ModelJob;
  callback: ModelJob | null;
  readonly late: { leg: Leg; no: number; token: string; code: number | null }[];
}

export interface ModelCircuit {
  open: boolean;
  nextProbeAt: number;
  /** Orders that failed in a row; true: blocked by it. */
  readonly failures: Map<number, boolean>;
}

/** A claim that somebody was given once; whether it is still held is the job's to say. */
interface Token {
  readonly token: string;
  readonly leg: Leg;
  readonly orderId: number;
  readonly no: number;
}

const WORKED = { ticketing: "ticketing_processing", callback: "ota_callback_pending" } as const;
const BLOCKED = { ticketing: "ticketing_blocked", callback: "ota_callback_blocked" } as const;
const EXHAUSTED = { ticketing: "ticketing_exhausted", callback: "ota_callback_exhausted" } as const;
/** Statuses in which a person, or a late 2xx, may still make the order ticketed. */
const STANDING = ["ticketing_blocked", "ticketing_exhausted", "ticketing_unknown"];

function newJob(leg: Leg, now: number): ModelJob {
  return {
    leg,
    status: "pending",
    attempts: 0,
    runAttempts: 0,
    runStartedAt: null,
    lane: 0,
    due: [now, now],
    heldUntil: null,
    endsAs: null,
    open: null,
    rows: [],
  };
}

/** The life of orders and their jobs, as SPEC sections 4 and 5 tell it, without a database. */
export class Model {
  readonly hold: boolean;
  readonly orders: ModelOrder[] = [];
  readonly tokens: Token[] = [];
  readonly circuits = new Map<string, ModelCircuit>();

  /** @param hold `TICKETING_ON_UNKNOWN=hold` */
  constructor(hold: boolean) {
    this.hold = hold;
  }

  accept(id: number, partner: string, now: number): void {
    const ticketing = newJob("ticketing", now);
    this.orders.push({ id, partner, status: "accepted", ticketing, callback: null, late: [] });
  }

  orderOf(id: number): ModelOrder {
    const order = this.orders.find((each) => each.id === id);
    assert.ok(order, `no order ${id} in the model`);
    return order;
  }

  jobs(leg: Leg): { order: ModelOrder; job: ModelJob }[] {
    return this.orders.flatMap((order) => (order[leg] === null ? [] : [{ order, job: order[leg] }]));
  }

  circuit(leg: Leg, target: string): ModelCircuit {
    const key = `${leg} ${target}`;
    const known = this.circuits.get(key);
    if (known) return known;
    const circuit = { open: false, nextProbeAt: 0, failures: new Map<number, boolean>() };
    this.circuits.set(key, circuit);
    return circuit;
  }

  circuitOf(leg: Leg, partner: string): ModelCircuit {
    return this.circuit(leg, leg === "ticketing" ? "" : partner);
  }

  /** Jobs that a claim may take now. */
  claimable(leg: Leg, now: number): { order: ModelOrder; job: ModelJob }[] {
    return this.jobs(leg).filter(
      ({ order, job }) =>
        job.status === "pending" && job.due![0] <= now && !this.circuitOf(leg, order.partner).open,
    );
  }

  /** Jobs of a target that a probe may take. */
  held(leg: Leg, target: string): { order: ModelOrder; job: ModelJob }[] {
    return this.jobs(leg).filter(
      ({ order, job }) =>
        job.status === "pending" && job.heldUntil !== null && (target === "" || target === order.partner),
    );
  }

  claim(leg: Leg, orderId: number, token: string, now: number): void {
    const order = this.orderOf(orderId);
    const job = order[leg]!;
    job.status = "running";
    job.attempts += 1;
    job.runAttempts += 1;
    job.runStartedAt ??= now;
    job.open = { token, startedAt: now, leaseUntil: now + SETTINGS.leaseMs };
    if (order.status === "accepted" || order.status === "ticketed") order.status = WORKED[leg];
    this.tokens.push({ token, leg, orderId, no: job.attempts });
  }

  settle({ token, leg, orderId, no }: Token, answer: AnswerName, now: number): void {
    const order = this.orderOf(orderId);
    const job = order[leg]!;
    const { outcome, health } = judge(leg, answer, this.hold);
    const { code, error, retryAfterMs } = ANSWERS[answer];
    if (job.open?.token !== token) {
      this.#late(order, job, { leg, no, token, code }, outcome, now);
      return;
    }
    const circuit = this.circuitOf(leg, order.partner);
    const onHold = health === "failing" && outcome !== "unknown" && circuit.open;
    job.rows.push({ no, token, code, error });
    this.#end(order, job, { outcome, retryAfterMs, endedAt: now, onHold }, now);
    if (onHold || health === null) return;
    if (health === "working") {
      circuit.failures.clear();
    } else {
      circuit.failures.set(orderId, outcome === "blocked");
      if (!circuit.open && circuit.failures.size >= SETTINGS.threshold) {
        circuit.open = true;
        circuit.nextProbeAt = now + SETTINGS.probeMs;
      }
    }
  }

  /** Somebody finds the claims whose lease has ended; with `all`, every open one. */
  rescue(all: boolean, now: number): void {
    for (const leg of LEGS) {
      for (const { order, job } of this.jobs(leg)) {
        if (job.open === null || !(all || job.open.leaseUntil < now)) continue;
        job.rows.push({ no: job.attempts, token: job.open.token, code: null, error: "lost" });
        const outcome = leg === "ticketing" && this.hold ? "unknown" : "retry";
        const endedAt = Math.min(job.open.leaseUntil, now);
        this.#end(order, job, { outcome, retryAfterMs: null, endedAt, onHold: false }, now);
      }
    }
  }

  giveBack({ token, leg, orderId }: Token): void {
    const order = this.orderOf(orderId);
    const job = order[leg]!;
    if (job.open?.token !== token) return;
    job.attempts -= 1;
    job.runAttempts -= 1;
    if (job.runAttempts === 0) job.runStartedAt = null;
    if (job.heldUntil !== null) job.due = [job.heldUntil, job.heldUntil];
    job.open = null;
    job.status = job.endsAs ?? "pending";
    if (job.status === "cancelled") order.status = "cancelled";
    job.endsAs = null;
  }

  /** @returns the leg that is worked again, or null */
  retry(orderId: number, now: number): Leg | null {
    const order = this.orderOf(orderId);
    const leg = STANDING.includes(order.status)
      ? "ticketing"
      : order.status === "ota_callback_blocked" || order.status === "ota_callback_exhausted"
        ? "callback"
        : null;
    if (leg === null) return null;
    order.status = WORKED[leg];
    const fresh = {
      status: "pending",
      runAttempts: 0,
      runStartedAt: null,
      lane: 1,
      due: [now, now],
    } as const;
    Object.assign(order[leg]!, fresh);
    return leg;
  }

  cancel(orderId: number): "cancelled" | "requested" | "refused" {
    const order = this.orderOf(orderId);
    const { ticketing } = order;
    if (!["accepted", "ticketing_processing", ...STANDING].includes(order.status)) return "refused";
    Object.assign(ticketing, { due: null, heldUntil: null });
    if (ticketing.open !== null) {
      ticketing.endsAs = "cancelled";
      return "requested";
    }
    ticketing.status = "cancelled";
    order.status = "cancelled";
    return "cancelled";
  }

  markTicketed(orderId: number, now: number): boolean {
    const order = this.orderOf(orderId);
    if (!STANDING.includes(order.status)) return false;
    Object.assign(order.ticketing, { status: "succeeded", due: null, heldUntil: null });
    this.#ticketed(order, now);
    return true;
  }

  /** One look at a leg's circuits; `probed` are the orders whose jobs went out as probes. */
  round(leg: Leg, probed: readonly { orderId: number; token: string }[], now: number): void {
    const targets = [...this.circuits].filter(([key, { open }]) => open && key.startsWith(`${leg} `));
    let left = probed;
    if (targets.length > 0) {
      for (const [, circuit] of targets) if (circuit.failures.size === 0) circuit.open = false;
      for (const [, circuit] of targets) if (circuit.open) this.#takeBack(leg, circuit, now);
      for (const { order, job } of this.held(leg, "")) {
        if (job.heldUntil! > now) continue;
        Object.assign(job, { status: "exhausted", due: null, heldUntil: null });
        order.status = EXHAUSTED[leg];
      }
      for (const { order, job } of this.jobs(leg)) {
        const waits = job.status === "pending" && job.due![0] <= now && job.heldUntil === null;
        if (!waits || !this.circuitOf(leg, order.partner).open) continue;
        job.heldUntil = now + SETTINGS.holdLimitSecs * 1000;
        job.due = [job.heldUntil, job.heldUntil];
      }
      for (const [key, circuit] of targets.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (!circuit.open || circuit.nextProbeAt > now) continue;
        circuit.nextProbeAt = now + SETTINGS.probeMs;
        const eligible = this.held(leg, key.slice(leg.length + 1)).map(({ order }) => order.id);
        if (eligible.length === 0) continue;
        const [probe, ...rest] = left;
        assert.ok(probe, `a ${leg} probe was due`);
        assert.ok(eligible.includes(probe.orderId), `order ${probe.orderId} was not to be probed`);
        this.claim(leg, probe.orderId, probe.token, now);
        left = rest;
      }
    }
    assert.deepEqual(left, [], "probes that were not due");
    for (const { order, job } of this.held(leg, "")) {
      if (this.circuitOf(leg, order.partner).open) continue;
      job.heldUntil = null;
      job.due = [now, now];
    }
  }

  #takeBack(leg: Leg, circuit: ModelCircuit, now: number): void {
    for (const [orderId, blocked] of circuit.failures) {
      const order = this.orderOf(orderId);
      const job = order[leg]!;
      if (blocked && job.status === "blocked") {
        Object.assign(job, { status: "pending", due: [now, now], lane: 1, runAttempts: job.runAttempts - 1 });
        order.status = WORKED[leg];
      }
      circuit.failures.set(orderId, false);
    }
  }

  #late(
    order: ModelOrder,
    job: ModelJob,
    result: ModelOrder["late"][number],
    outcome: Judged,
    now: number,
  ): void {
    const isOwn = job.rows.some(({ token, error }) => token === result.token && error !== "lost");
    const isKnown = order.late.some(({ leg, token }) => leg === result.leg && token === result.token);
    if (isOwn || isKnown) return;
    order.late.push(result);
    if (job.leg !== "ticketing" || outcome !== "done") return;
    if (order.status !== "ticketing_processing" && !STANDING.includes(order.status)) return;
    Object.assign(job, { due: null, heldUntil: null });
    if (job.open === null) job.status = "succeeded";
    else job.endsAs = "succeeded";
    this.#ticketed(order, now);
  }

  /** The end of a claim, its attempt row written. */
  #end(
    order: ModelOrder,
    job: ModelJob,
    end: { outcome: Judged; retryAfterMs: number | null; endedAt: number; onHold: boolean },
    now: number,
  ): void {
    const { endsAs, heldUntil } = job;
    const next = end.outcome === "retry" ? this.#nextDue(job, end.endedAt, end.retryAfterMs) : null;
    if (end.onHold) job.runAttempts -= 1;
    Object.assign(job, { open: null, endsAs: null, lane: 1, due: null, heldUntil: null });
    if (end.outcome === "done") {
      job.status = "succeeded";
      if (job.leg === "callback") order.status = "ota_callback_delivered";
      else if (order.status === "ticketing_processing") this.#ticketed(order, now);
    } else if (endsAs !== null) {
      job.status = endsAs;
      if (endsAs === "cancelled") order.status = "cancelled";
    } else if (end.onHold) {
      Object.assign(job, { status: "pending", due: [heldUntil ?? now, heldUntil ?? now], heldUntil });
    } else if (end.outcome === "retry") {
      job.status = next === null ? "exhausted" : "pending";
      job.due = next;
      if (next === null) order.status = EXHAUSTED[job.leg];
    } else {
      job.status = end.outcome;
      order.status = end.outcome === "unknown" ? "ticketing_unknown" : BLOCKED[job.leg];
    }
  }

  /** SPEC section 4, "Schedule"; null: the run is over. */
  #nextDue(job: ModelJob, endedAt: number, retryAfterMs: number | null): Due | null {
    const { offsetsMs, jitterMs } = SETTINGS;
    const offset = offsetsMs[job.runAttempts];
    if (offset === undefined) return null;
    const planned = job.open!.startedAt + offset - offsetsMs[job.runAttempts - 1]!;
    const end = job.runStartedAt! + offsetsMs.at(-1)!;
    const due = (jitter: number): number => {
      const normal = Math.max(planned + jitter, endedAt);
      if (retryAfterMs === null) return normal;
      return Math.min(Math.max(normal, endedAt + retryAfterMs), Math.max(normal, end));
    };
    return [due(0), due(jitterMs)];
  }

  #ticketed(order: ModelOrder, now: number): void {
    order.status = "ticketed";
    order.callback = newJob("callback", now);
  }
}
