import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Step, Verdict } from "../../src/pipeline/attempt.ts";
import { createSettle } from "../../src/pipeline/settle.ts";
import { createWorker, type Worker } from "../../src/pipeline/worker.ts";
import type { ClaimedJob, JobQueue } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { attemptsOf, newOrder, place, storyOf } from "../storage/fixtures.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { addPartner } from "../support/way.ts";
import { noSlots } from "../support/no-slots.ts";
import { SILENT } from "../support/log.ts";

const LEASE_MS = 15_000;
const DEADLINE_MS = 10_000;
/** What has to be left of a lease beyond the deadline. */
const MARGIN_MS = 1_000;

const BLOCKED: Verdict = {
  outcome: "blocked",
  record: { code: 422, error: null, durationMs: 1, answer: null, note: null },
  retryAfterMs: null,
  finding: "ticketing answered 422",
  ticketed: null,
};

onEachDatabase("a worker", (kind) => {
  let storage: Storage;
  let clock: FakeClock;
  /** Attempts in flight, each with the way to end it. */
  let open: { job: ClaimedJob; end: () => void }[];
  beforeEach(async () => {
    storage = await freshStorage(kind);
    clock = createFakeClock();
    open = [];
    for (const id of ["p", "q"]) await addPartner(storage, id);
  });
  afterEach(() => storage.close());

  const waits: Step = (job) => new Promise((resolve) => open.push({ job, end: () => resolve(BLOCKED) }));

  function worker(
    more: { step?: Step; slots?: number; slotsPerPartner?: number; queue?: JobQueue } = {},
  ): Worker {
    const common = { leg: "ticketing", clock, log: SILENT } as const;
    const settle = createSettle({
      ...common,
      database: storage.database,
      settlements: storage.settlements.ticketing,
      schedule: { offsetsMs: [0, 2_000], jitterMs: 0 },
      onUnknown: "retry",
      random: () => 0,
      reserveCallbacks: noSlots,
      onTicketed() {},
    });
    return createWorker({
      ...common,
      settle,
      queue: storage.queues.ticketing,
      step: waits,
      slots: 10,
      slotsPerPartner: 10,
      deadlineMs: DEADLINE_MS,
      leaseMs: LEASE_MS,
      pollMs: 1_000,
      hasPeers: false,
      claimedBy: "test",
      ...more,
    });
  }
  const orders = (partnerId: string, count: number) =>
    place(
      storage,
      Array.from({ length: count }, () => newOrder({ partnerId })),
      clock.nowMs,
    );

  test("no more in flight than slots, and of one partner than its own; a slot that is free is taken", async () => {
    await orders("p", 6);
    const few = worker({ slots: 5, slotsPerPartner: 2 });
    assert.equal(await few.takeDue(), 2);
    assert.equal(await few.takeDue(), 0, "the partner's slots are taken");
    await orders("q", 6);
    assert.equal(await few.takeDue(), 2);
    open[0]!.end();
    while (few.inFlight() === 4) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await few.takeDue(), 1);
    assert.deepEqual(open.map(({ job }) => job.partnerId).toSorted(), ["p", "p", "p", "q", "q"]);
    const one = worker({ slots: 3 });
    assert.equal(await one.takeDue(), 3);
    assert.equal(await one.takeDue(), 0, "the slots are taken");
    for (const { end } of open) end();
    await Promise.all([few.idle(), one.idle()]);
  });

  /** A process that stands still between its claim and its attempt. */
  const standingStill = (ms: number): JobQueue => ({
    ...storage.queues.ticketing,
    claim: async (request) => {
      const jobs = await storage.queues.ticketing.claim(request);
      clock.advance(ms);
      return jobs;
    },
  });

  test("an attempt that could outlive its lease is given back unsent", async () => {
    const [order] = await orders("p", 1);
    const room = LEASE_MS - DEADLINE_MS - MARGIN_MS;
    const late = worker({ queue: standingStill(room + 1) });
    await late.takeDue();
    assert.equal(open.length, 0);
    await late.idle();
    const { job, attempts } = (await storyOf(storage, order!.id)).ticketing!;
    assert.deepEqual([job.status, job.attempts, attempts], ["pending", 0, []]);

    const inTime = worker({ queue: standingStill(room) });
    await inTime.takeDue();
    const [sent] = open;
    sent!.end();
    await inTime.idle();
    assert.deepEqual(await attemptsOf(storage, order!.id), [[1, 422]]);
  });

  test("a defect of ours in an attempt is a failure like any: on record, and tried again", async () => {
    const [order] = await orders("p", 1);
    const broken = worker({ step: () => Promise.reject(new Error("a defect")) });
    await broken.takeDue();
    await broken.idle();
    const { job, attempts } = (await storyOf(storage, order!.id)).ticketing!;
    assert.deepEqual([job.status, job.next_attempt_at], ["pending", clock.nowMs + 2_000]);
    assert.match(attempts[0]!.note!, /an error inside the gateway/);
  });
});
