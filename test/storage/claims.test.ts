import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import type { Storage } from "../../src/storage/open.ts";
import type { ClaimedJob } from "../../src/storage/jobs.ts";
import { onEachDatabase, openUrl, POSTGRES } from "../support/databases.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import {
  attemptsOf,
  claim,
  claimOne,
  newOrder,
  NOW,
  place,
  settle,
  settlement,
  statusOf,
  storyOf,
} from "./fixtures.ts";

const ordersOf = (partnerId: string, count: number) =>
  Array.from({ length: count }, () => newOrder({ partnerId }));
const partnersOf = (jobs: readonly ClaimedJob[]) => jobs.map((job) => job.partnerId).toSorted();

onEachDatabase("claims", (kind) => {
  let storage: Storage;
  let url: string;
  beforeEach(async () => {
    url = await kind.migratedUrl();
    storage = openUrl(url);
    for (const id of [PARTNER_ID, "b", "c"]) await addPartner(storage, id);
  });
  afterEach(() => storage.close());
  const jobOf = async (orderId: number) => (await storyOf(storage, orderId)).ticketing!.job;

  test("no job is ever claimed twice, whoever claims at the same moment", async () => {
    const placed = [];
    for (let batch = 0; batch < 4; batch += 1) {
      placed.push(...(await place(storage, [...ordersOf(PARTNER_ID, 60), ...ordersOf("b", 40)])));
    }
    const processes = kind === POSTGRES ? [storage, openUrl(url), openUrl(url), openUrl(url)] : [storage];
    const taken: ClaimedJob[] = [];
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        for (let empty = 0; empty < 3;) {
          const jobs = await claim(processes[index % processes.length]!, "ticketing", { limit: 7 });
          empty = jobs.length === 0 ? empty + 1 : 0;
          taken.push(...jobs);
        }
      }),
    );
    assert.deepEqual(
      taken.map((job) => job.orderId).toSorted((a, b) => a - b),
      placed.map((order) => order.id).toSorted((a, b) => a - b),
    );
    assert.ok(taken.every((job) => job.no === 1 && job.attemptInRun === 1));
    await Promise.all(processes.slice(1).map((process) => process.close()));
  });

  test("a claim carries all that its attempt needs, and moves the order once", async () => {
    const [placed] = await place(storage, [newOrder({ rawPayload: `{"a":1}` })]);
    const token = randomUUID();
    const job = await claimOne(storage, "ticketing", { claim: token, now: NOW + 5 });
    const { externalOrderId, traceId, rawPayload, callbackUrl, claim: held, startedAt, runStartedAt } = job;
    assert.deepEqual(
      {
        externalOrderId,
        traceId,
        rawPayload,
        callbackUrl,
        held,
        startedAt,
        runStartedAt,
        event: job.callback?.event ?? null,
      },
      {
        externalOrderId: placed!.externalOrderId,
        traceId: placed!.traceId,
        rawPayload: `{"a":1}`,
        callbackUrl: "https://partner.example.com/callback",
        held: token,
        startedAt: NOW + 5,
        runStartedAt: NOW + 5,
        event: null,
      },
    );
    const story = await storyOf(storage, placed!.id);
    assert.equal(story.order.pipeline_status, "ticketing_processing");
    const { status, lease_until, claimed_by } = story.ticketing!.job;
    assert.deepEqual(
      { status, lease_until, claimed_by },
      {
        status: "running",
        lease_until: NOW + 5 + 15_000,
        claimed_by: "test",
      },
    );

    await settle(storage, "ticketing", settlement("ticketing", job, "pending"));
    const updatedAt = (await storyOf(storage, placed!.id)).order.updated_at;
    const again = await claimOne(storage, "ticketing", { now: NOW + 2_000 });
    assert.deepEqual([again.no, again.attemptInRun, again.runStartedAt], [2, 2, NOW + 5]);
    assert.equal((await storyOf(storage, placed!.id)).order.updated_at, updatedAt, "only the first moves it");
  });

  test("the callback leg has its own queue, with the event", async () => {
    const [placed] = await place(storage);
    const job = await claimOne(storage, "ticketing");
    assert.deepEqual(await claim(storage, "callback"), []);
    const end = settlement("ticketing", job, "succeeded");
    await settle(storage, "ticketing", end);
    assert.equal(await statusOf(storage, placed!.id), "ticketed");
    const callback = await claimOne(storage, "callback");
    assert.equal(await statusOf(storage, placed!.id), "ota_callback_pending");
    const { name, id, body } = end.ticketed!.event;
    assert.deepEqual(callback.callback!.event, { name, id, body });
    assert.equal(callback.rawPayload, "");
    assert.deepEqual(await claim(storage, "ticketing"), []);
  });

  test("limit, slots of each partner, busy partners", async () => {
    await place(storage, [...ordersOf(PARTNER_ID, 10), ...ordersOf("b", 10), ...ordersOf("c", 10)]);
    const first = await claim(storage, "ticketing", { limit: 7, slotsPerPartner: 3 });
    assert.equal(first.length, 7);
    const busy = [
      { partnerId: PARTNER_ID, slots: 0, firstAttempts: 3, retries: 0 },
      { partnerId: "b", slots: 2, firstAttempts: 1, retries: 0 },
    ];
    const second = await claim(storage, "ticketing", { slotsPerPartner: 3, busy });
    assert.deepEqual(partnersOf(second), ["b", "b", "c", "c", "c"]);
    assert.deepEqual(await claim(storage, "ticketing", { slotsPerPartner: 0 }), []);
    assert.deepEqual(await claim(storage, "ticketing", { limit: 0 }), []);
  });

  test("partners take turns: a thousand jobs of one don't hold up nine with one each", async () => {
    for (let batch = 0; batch < 10; batch += 1) await place(storage, ordersOf(PARTNER_ID, 100), NOW - 1000);
    const small = Array.from({ length: 9 }, (_, index) => `small${index}`);
    for (const id of small) await addPartner(storage, id);
    await place(
      storage,
      small.map((partnerId) => newOrder({ partnerId })),
    );
    const jobs = await claim(storage, "ticketing", { limit: 10 });
    assert.deepEqual(partnersOf(jobs), [PARTNER_ID, ...small].toSorted());
    assert.equal((await claim(storage, "ticketing", { limit: 10 })).length, 10);
  });

  test("shares are fair also when slots become free one by one", async () => {
    await place(storage, ordersOf(PARTNER_ID, 50), NOW - 60_000);
    const retried = await claim(storage, "ticketing", { limit: 20 });
    for (const job of retried) await settle(storage, "ticketing", settlement("ticketing", job, "pending"));
    await place(storage, ordersOf("b", 10), NOW);
    const counts = { [PARTNER_ID]: { firstAttempts: 0, retries: 0 }, b: { firstAttempts: 0, retries: 0 } };
    const taken: string[] = [];
    for (let slot = 0; slot < 9; slot += 1) {
      const busy = Object.entries(counts).map(([partnerId, each]) => ({ partnerId, slots: 100, ...each }));
      const job = await claimOne(storage, "ticketing", { busy, now: NOW + 2_000 });
      counts[job.partnerId as keyof typeof counts][job.isRetry ? "retries" : "firstAttempts"] += 1;
      taken.push(job.partnerId);
    }
    // Ten slots but one: neither the older backlog nor the steady first attempts take more than their share.
    assert.ok(counts.b.firstAttempts >= 4, taken.join(" "));
    const { firstAttempts, retries } = counts[PARTNER_ID];
    assert.ok(Math.abs(firstAttempts - retries) <= 1, `${firstAttempts} first attempts, ${retries} retries`);
    for (let slot = 0; slot < 4; slot += 1) {
      const busy = [
        { partnerId: PARTNER_ID, slots: 100, firstAttempts: 5, retries: 5 },
        { partnerId: "b", slots: 100, firstAttempts: slot, retries: 0 },
      ];
      const job = await claimOne(storage, "ticketing", { busy, now: NOW + 2_000 });
      assert.equal(job.partnerId, "b", "the one with less in flight comes first");
    }
  });

  test("of one partner the oldest come first", async () => {
    const placed = [];
    for (const late of [3, 1, 2]) placed.push(...(await place(storage, ordersOf(PARTNER_ID, 1), NOW - late)));
    const ids: number[] = [];
    for (let n = 0; n < 3; n += 1) ids.push((await claimOne(storage, "ticketing")).orderId);
    assert.deepEqual(ids, [placed[0]!.id, placed[2]!.id, placed[1]!.id]);
    const [, oldest] = [...(await place(storage)), ...(await place(storage, undefined, NOW - 5))];
    const [first] = await claim(storage, "ticketing", { limit: 10, slotsPerPartner: 1 });
    assert.equal(first!.orderId, oldest!.id);
  });

  test("nothing before it is due, nothing due before the watermark", async () => {
    await place(storage);
    assert.deepEqual(await claim(storage, "ticketing", { now: NOW - 1 }), []);
    assert.deepEqual(await claim(storage, "ticketing", { since: NOW + 1, now: NOW + 10 }), []);
    assert.equal((await claim(storage, "ticketing", { since: NOW })).length, 1);
  });

  test("given back is as if it had not been taken", async () => {
    const [placed] = await place(storage);
    const job = await claimOne(storage, "ticketing", { now: NOW + 1 });
    await storage.queues.ticketing.giveBack([job], NOW + 2);
    const {
      status,
      attempts,
      run_attempts,
      run_started_at,
      claim: held,
      next_attempt_at,
    } = await jobOf(placed!.id);
    assert.deepEqual(
      { status, attempts, run_attempts, run_started_at, held, next_attempt_at },
      {
        status: "pending",
        attempts: 0,
        run_attempts: 0,
        run_started_at: null,
        held: null,
        next_attempt_at: NOW,
      },
    );
    const again = await claimOne(storage, "ticketing", { now: NOW + 3 });
    assert.deepEqual([again.no, again.runStartedAt], [1, NOW + 3]);
    await storage.queues.ticketing.giveBack([job], NOW + 4);
    assert.equal((await jobOf(placed!.id)).status, "running", "a stale claim gives nothing back");
    await settle(storage, "ticketing", settlement("ticketing", again, "pending"));
    await storage.queues.ticketing.giveBack(
      [await claimOne(storage, "ticketing", { now: NOW + 2_000 })],
      NOW,
    );
    assert.equal((await jobOf(placed!.id)).run_started_at, NOW + 3);
    const last = await claimOne(storage, "ticketing", { now: NOW + 2_000 });
    await settle(storage, "ticketing", settlement("ticketing", last, "succeeded"));
    assert.deepEqual(await attemptsOf(storage, placed!.id), [
      [1, 500],
      [2, 200],
    ]);
  });

  test("abandoning a token gives back what was claimed under it, and no more", async () => {
    await place(storage, ordersOf(PARTNER_ID, 5));
    const token = randomUUID();
    await claim(storage, "ticketing", { limit: 3, claim: token });
    await claim(storage, "ticketing", { limit: 1 });
    await storage.queues.ticketing.abandon(randomUUID(), NOW);
    assert.equal((await storage.queues.ticketing.expired(100, true, NOW)).length, 4);
    await storage.queues.ticketing.abandon(token, NOW);
    assert.equal((await storage.queues.ticketing.expired(100, true, NOW)).length, 1);
    assert.equal((await claim(storage, "ticketing")).length, 4);
  });

  test("expired: those whose lease is over, oldest first; with all, every open claim", async () => {
    await place(storage, ordersOf(PARTNER_ID, 3));
    const later = await claimOne(storage, "ticketing", { leaseMs: 2_000 });
    const sooner = await claimOne(storage, "ticketing", { leaseMs: 1_000 });
    const { ticketing } = storage.queues;
    const ids = async (limit: number, all: boolean, now: number) =>
      (await ticketing.expired(limit, all, now)).map((claim) => claim.jobId);
    assert.deepEqual(await ids(10, false, NOW + 1_000), []);
    assert.deepEqual(await ids(10, false, NOW + 1_001), [sooner.jobId]);
    assert.deepEqual(await ids(10, false, NOW + 2_001), [sooner.jobId, later.jobId]);
    assert.deepEqual(await ids(1, false, NOW + 2_001), [sooner.jobId]);
    assert.deepEqual(await ids(10, true, NOW), [sooner.jobId, later.jobId]);
    const [claim] = await ticketing.expired(1, true, NOW);
    assert.equal(claim!.leaseUntil, NOW + 1_000);
  });
});
