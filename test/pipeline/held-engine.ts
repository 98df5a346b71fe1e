import { setTimeout as sleep } from "node:timers/promises";
import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { parseStrictJson } from "../../src/lib/strict-json.ts";
import { checkOrderInput, type OrderItem } from "../../src/orders/order-input.ts";
import type { Leg } from "../../src/orders/states.ts";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import { createAccept, type AcceptResult } from "../../src/pipeline/accept.ts";
import type { Step, Verdict } from "../../src/pipeline/attempt.ts";
import { createEngine, type Engine } from "../../src/pipeline/engine.ts";
import type { ClaimedJob, JobQueue } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { ticketed } from "../storage/fixtures.ts";
import { addPartner, LOOPBACK_POLICY, orderBody } from "../support/way.ts";
import { SILENT } from "../support/log.ts";

export const LEASE_MS = 15_000;
export const DEADLINE_MS = 10_000;
/** Nothing here may need it. */
const POLL_MS = 600_000;

/** An attempt that has begun, and ends when it is told to. */
export interface HeldAttempt {
  readonly leg: Leg;
  readonly job: ClaimedJob;
  /** Left out: as a success. */
  end(verdict?: Verdict): void;
}

export interface HeldEngine {
  readonly engine: Engine;
  /** Attempts in flight, the oldest first. */
  readonly held: HeldAttempt[];
  /** Jobs that were claimed from the queue. */
  readonly fromQueue: ClaimedJob[];
  accept(partnerId: string, more?: { key?: string; sku?: string | null }): Promise<AcceptResult>;
  /** Accepts and gives the id. */
  order(partnerId: string): Promise<number>;
  /** Ends whatever is in flight. */
  endAll(verdict: Verdict): void;
  /** The attempt of an order, once it has begun. */
  attempt(leg: Leg, orderId: number): Promise<HeldAttempt>;
  close(): Promise<void>;
}

export interface HeldOptions {
  readonly slots?: number;
  readonly slotsPerPartner?: number;
  readonly clock?: Clock;
  /** False: it takes jobs only when told to, as a process that doesn't work. */
  readonly started?: boolean;
  /** Instead of attempts that wait to be told. */
  readonly step?: (leg: Leg, job: ClaimedJob) => Promise<Verdict>;
  readonly offsetsMs?: readonly number[];
}

export function success(leg: Leg): Verdict {
  const record = { code: 200, error: null, durationMs: 1, answer: null, note: null };
  const gains = leg === "ticketing" ? ticketed() : null;
  return { outcome: "done", record, retryAfterMs: null, finding: "", ticketed: gains };
}

export function failure(outcome: "retry" | "blocked"): Verdict {
  const record = { code: 500, error: null, durationMs: 1, answer: null, note: null };
  return { outcome, record, retryAfterMs: null, finding: "it failed", ticketed: null };
}

/** Waits for what has to come about by itself. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (await condition()) return;
    await sleep(5);
  }
  throw new Error(`never: ${what}`);
}

/** Accept, both workers and settle on a real database; the other sides are the test's. No poll comes to anybody's help. */
export async function startHeldEngine(storage: Storage, options: HeldOptions = {}): Promise<HeldEngine> {
  const { slots = 10, slotsPerPartner = slots, clock = systemClock, started = true } = options;
  const held: HeldAttempt[] = [];
  const fromQueue: ClaimedJob[] = [];
  const holding = (leg: Leg): Step => {
    const { step } = options;
    if (step) return (job) => step(leg, job);
    return (job) =>
      new Promise((resolve) => {
        const attempt: HeldAttempt = {
          leg,
          job,
          end(verdict = success(leg)) {
            held.splice(held.indexOf(attempt), 1);
            resolve(verdict);
          },
        };
        held.push(attempt);
      });
  };
  const watched = (queue: JobQueue): JobQueue => ({
    ...queue,
    async claim(request) {
      const jobs = await queue.claim(request);
      fromQueue.push(...jobs);
      return jobs;
    },
  });
  const common = { slots, slotsPerPartner, deadlineMs: DEADLINE_MS };
  const { ticketing, callback } = storage.queues;
  const engine = createEngine({
    storage: {
      ...storage,
      database: { ...storage.database, wakeups: null },
      queues: { ticketing: watched(ticketing), callback: watched(callback) },
    },
    legs: {
      ticketing: { step: holding("ticketing"), ...common },
      callback: { step: holding("callback"), ...common },
    },
    schedule: { offsetsMs: options.offsetsMs ?? [0, 2_000], jitterMs: 0 },
    onUnknown: "retry",
    leaseMs: LEASE_MS,
    pollMs: POLL_MS,
    probeMs: 5_000,
    holdLimitSecs: 3_600,
    claimedBy: "test",
    clock,
    random: () => 0,
    log: SILENT,
  });
  const acceptOrder = createAccept({
    database: storage.database,
    intake: storage.intake,
    guard: createAddressGuard({
      policy: LOOPBACK_POLICY,
      resolve: async () => ({ kind: "failed", code: "NO_NETWORK" }),
    }),
    policy: LOOPBACK_POLICY,
    clock,
    log: SILENT,
    reserve: (partnerIds) => engine.workers.ticketing.reserve(partnerIds),
    onAccepted: () => engine.announce("ticketing"),
  });

  const accept: HeldEngine["accept"] = async (partnerId, { key = null, sku } = {}) => {
    const rawPayload = JSON.stringify(orderBody("http://127.0.0.1:9/callback"));
    const payload = parseStrictJson(rawPayload);
    if (!payload.ok) throw new Error(payload.detail);
    const checked = checkOrderInput(payload.value, []);
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    // What no request can bring: a row that the database refuses.
    const items = checked.order.items.map((item) =>
      sku === undefined ? item : ({ ...item, sku } as OrderItem),
    );
    return acceptOrder({
      partner: { id: partnerId, callbackHosts: null, rejectRepeats: false },
      idempotencyKey: key,
      input: { ...checked.order, items },
      payload,
      rawPayload,
    });
  };

  const endAll = (verdict: Verdict): void => {
    while (held.length > 0) held[0]!.end(verdict);
  };

  if (started) {
    await engine.start();
    await engine.tend();
    // The first look is behind both workers.
    for (const worker of Object.values(engine.workers)) {
      await until("a first look", () => {
        const slot = worker.reserve(["nobody"]);
        slot.begin([]);
        return slot.claims[0] !== null;
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    engine,
    held,
    fromQueue,
    accept,
    endAll,
    async order(partnerId) {
      const result = await accept(partnerId);
      if (result.kind !== "accepted") throw new Error(`not accepted: ${result.kind}`);
      return result.order.id;
    },
    async attempt(leg, orderId) {
      const find = () => held.find((each) => each.leg === leg && each.job.orderId === orderId);
      await until(`${leg} of order ${orderId}`, () => find() !== undefined);
      return find()!;
    },
    close: () =>
      engine.stop(0, async () => {
        endAll(failure("blocked"));
      }),
  };
}

let partners = 0;
/** A partner whom no other test knows. */
export async function newPartner(storage: Storage): Promise<string> {
  const id = `p${(partners += 1)}`;
  await addPartner(storage, id);
  return id;
}
