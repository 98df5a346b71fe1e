import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { classify } from "../../src/orders/outcome.ts";
import { LEGS, type Leg } from "../../src/orders/states.ts";
import type { Verdict } from "../../src/pipeline/attempt.ts";
import { createCircuitKeeper, type CircuitKeeper } from "../../src/pipeline/circuit-keeper.ts";
import { createRescuer, type Rescuer } from "../../src/pipeline/rescuer.ts";
import { createSettle, type Settle } from "../../src/pipeline/settle.ts";
import type { ClaimedJob, ClaimTerms } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { newOrder, ticketed } from "../storage/fixtures.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { addPartner } from "../support/way.ts";
import { ANSWERS, type AnswerName } from "./answers.ts";
import { SETTINGS } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";
import { noSlots } from "../support/no-slots.ts";
import { SILENT } from "../support/log.ts";

export const PARTNERS = ["p1", "p2"] as const;

/** All that a run leaves behind; children first. */
const TABLES =
  "late_results ticketing_attempts ota_callback_attempts ota_callback_jobs ticketing_jobs circuit_failures circuits tickets operator_actions order_items orders partners".split(
    " ",
  );
const EMPTY: Snapshot = {
  orders: [],
  jobs: { ticketing: [], callback: [] },
  attempts: { ticketing: [], callback: [] },
  late: [],
  tickets: [],
  circuits: [],
  failures: [],
};

/** The real engine without its loops and its network: who calls decides what happens next, and what an attempt brings. */
export class World {
  readonly storage: Storage;
  readonly clock: FakeClock;
  readonly settles: Record<Leg, Settle>;
  readonly rescuers: Record<Leg, Rescuer>;
  readonly keepers: Record<Leg, CircuitKeeper>;
  /** Every claim that was ever given out, by its order and number. */
  readonly claims = new Map<string, ClaimedJob>();
  /** The jitter's next chance, in [0, 1). */
  random = 0;
  before: Snapshot = EMPTY;
  #probed: ClaimedJob[] = [];
  readonly #hold: boolean;
  readonly #told = new Map<string, unknown>();

  constructor(storage: Storage, clock: FakeClock, hold: boolean) {
    this.storage = storage;
    this.clock = clock;
    this.#hold = hold;
    const common = { clock, log: SILENT, pollMs: 1_000 };
    const ofLegs = <T>(make: (leg: Leg) => T): Record<Leg, T> => ({
      ticketing: make("ticketing"),
      callback: make("callback"),
    });
    this.settles = ofLegs((leg) =>
      createSettle({
        ...common,
        leg,
        database: storage.database,
        settlements: storage.settlements[leg],
        schedule: SETTINGS,
        onUnknown: hold ? "hold" : "retry",
        random: () => this.random,
        reserveCallbacks: noSlots,
        onTicketed() {},
      }),
    );
    this.rescuers = ofLegs((leg) =>
      createRescuer({ ...common, queue: storage.queues[leg], settle: this.settles[leg], onRescued() {} }),
    );
    this.keepers = ofLegs((leg) =>
      createCircuitKeeper({
        ...common,
        leg,
        circuits: storage.circuits[leg],
        probeMs: SETTINGS.probeMs,
        holdLimitSecs: SETTINGS.holdLimitSecs,
        worker: {
          wake() {},
          probe: async (target) => {
            const jobs = await storage.queues[leg].claimProbe(target, this.#terms());
            this.#probed.push(...this.#given(leg, jobs));
          },
        },
      }),
    );
  }

  /** As if the database were fresh, but quicker. */
  async reset(): Promise<void> {
    await this.storage.database.transact(async (tx) => {
      for (const table of TABLES) await tx(`delete from ${table}`, []);
    });
    for (const id of PARTNERS) await addPartner(this.storage, id);
  }

  async accept(partnerId: string): Promise<number> {
    const [result] = await this.storage.intake.accept([newOrder({ partnerId })], this.clock.nowMs);
    assert.ok(result?.kind === "accepted");
    return result.order.id;
  }

  async claim(leg: Leg, limit: number, slotsPerPartner: number): Promise<ClaimedJob[]> {
    const request = { ...this.#terms(), limit, busy: [], slotsPerPartner, since: 0 };
    return this.#given(leg, await this.storage.queues[leg].claim(request));
  }

  async settle(leg: Leg, token: string, orderId: number, answer: AnswerName): Promise<void> {
    const { code, error, sent, retryAfterMs } = ANSWERS[answer];
    const outcome = classify(leg, { code, error, sent }, this.#hold ? "hold" : "retry");
    const verdict: Verdict = {
      outcome,
      record: { code, error, durationMs: 1, answer: null, note: null },
      retryAfterMs,
      finding: answer,
      ticketed: leg === "ticketing" && outcome === "done" ? ticketed() : null,
    };
    const job = this.claims.get(`${token} ${orderId}`)!;
    await this.settles[leg].attempted(job, verdict, this.clock.nowMs, new AbortController().signal);
  }

  async rescue(all: boolean): Promise<void> {
    for (const leg of LEGS) await this.rescuers[leg].rescue(all);
  }

  /** @returns the jobs that went out as probes */
  async round(leg: Leg): Promise<ClaimedJob[]> {
    this.#probed = [];
    await this.keepers[leg].round();
    return this.#probed;
  }

  #terms(): ClaimTerms {
    const { leaseMs } = SETTINGS;
    return { claim: randomUUID(), claimedBy: "test", leaseMs, now: this.clock.nowMs };
  }

  #given(leg: Leg, jobs: ClaimedJob[]): ClaimedJob[] {
    for (const job of jobs) {
      this.claims.set(`${job.claim} ${job.orderId}`, job);
      // Invariant 6: what an attempt's Idempotency-Key and body are made of never changes.
      const told = { traceId: job.traceId, event: job.callback?.event };
      const key = `${leg} ${job.orderId}`;
      assert.deepEqual(told, this.#told.get(key) ?? told, `invariant 6: ${key}`);
      this.#told.set(key, told);
    }
    return jobs;
  }
}
