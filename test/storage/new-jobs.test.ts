import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import type { Leg } from "../../src/orders/states.ts";
import type { ClaimedJob, NewClaim } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { NewOrder } from "../../src/storage/orders.ts";
import type { Settlement } from "../../src/storage/settlements.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import {
  attemptsOf,
  claimOne,
  keyed,
  lost,
  newOrder,
  NOW,
  place,
  rowsIn,
  settle,
  settlement,
  statusOf,
  storyOf,
  ticketed,
} from "./fixtures.ts";

const LEASE_MS = 15_000;

onEachDatabase("new jobs", (kind) => {
  let storage: Storage;
  let p: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
  });
  beforeEach(async () => {
    for (const table of ["ticketing_jobs", "ota_callback_jobs", "circuits"]) {
      await storage.database.run(`delete from ${table}`, []);
    }
    await addPartner(storage, (p = `p${(partners += 1)}`));
  });
  after(() => storage.close());

  const newClaim = (): NewClaim => ({ claim: randomUUID(), claimedBy: "test", leaseMs: LEASE_MS });
  const mine = (more: Partial<NewOrder> = {}) => newOrder({ partnerId: p, ...more });
  const jobOf = async (leg: Leg, id: number) => (await storyOf(storage, id))[leg]!.job;
  const openCircuit = (leg: Leg, partnerId: string, state = "open") =>
    storage.database.run(
      "insert into circuits (leg, partner_id, state, opened_at, next_probe_at) values ($1, $2, $3, 0, 0)",
      [leg, partnerId, state],
    );
  /** Places one order under a claim, as its job. */
  async function born(more: Partial<NewOrder> = {}, claim = newClaim()): Promise<ClaimedJob> {
    const [result] = await storage.intake.accept([mine({ claim, ...more })], NOW);
    assert.ok(result!.kind === "accepted" && result!.job, JSON.stringify(result));
    return result!.job;
  }
  const success = (job: ClaimedJob, more: Partial<Settlement> = {}) =>
    settlement("ticketing", job, "succeeded", { callbackClaim: newClaim(), ...more });

  test("of a batch, those with a claim are running and those without wait; the results tell which", async () => {
    const claim = newClaim();
    const orders = Array.from({ length: 6 }, (_, index) => mine({ claim: index % 2 === 0 ? claim : null }));
    const results = await storage.intake.accept(orders, NOW);
    for (const [index, result] of results.entries()) {
      assert.ok(result.kind === "accepted");
      const { id } = result.order;
      const job = await jobOf("ticketing", id);
      const claimed = index % 2 === 0;
      assert.deepEqual(
        [
          job.status,
          job.claim,
          job.claimed_by,
          job.claimed_at,
          job.lease_until,
          job.attempts,
          job.run_attempts,
        ],
        claimed
          ? ["running", claim.claim, "test", NOW, NOW + LEASE_MS, 1, 1]
          : ["pending", null, null, null, null, 0, 0],
      );
      assert.deepEqual([job.next_attempt_at, job.run_started_at], [NOW, claimed ? NOW : null]);
      assert.equal(await statusOf(storage, id), claimed ? "ticketing_processing" : "accepted");
      assert.equal(result.job?.orderId ?? null, claimed ? id : null);
    }
    assert.equal((await storage.queues.ticketing.expired(10, true, NOW)).length, 3);
  });

  test("the claimed job carries what the queue's claim of the same order would", async () => {
    const order = mine({ rawPayload: `{"a":"\u00e9\u0e01"}`, externalOrderId: "EXT '42'" });
    const bornJob = await born({ ...order, claim: newClaim() });
    await storage.queues.ticketing.giveBack([bornJob], NOW);
    const claimed = await claimOne(storage, "ticketing");
    assert.deepEqual({ ...bornJob, claim: null }, { ...claimed, claim: null });
    await settle(storage, "ticketing", success(claimed, { callbackClaim: null }));
    const byQueue = await claimOne(storage, "callback");

    await storage.partners.rotateSigningSecret(p, "sealed", { inherited: "older", until: NOW + 9 }, NOW);
    const other = await born();
    const end = success(other);
    const { callback } = await settle(storage, "ticketing", end);
    assert.equal(callback!.claim, end.callbackClaim!.claim);
    await storage.queues.callback.giveBack([callback!], NOW);
    const again = await claimOne(storage, "callback");
    assert.deepEqual({ ...callback!, claim: null }, { ...again, claim: null });
    assert.deepEqual(Object.keys(callback!).toSorted(), Object.keys(byQueue).toSorted());
  });

  test("a repeat claims nothing, whatever kind of repeat it is", async () => {
    const first = keyed("k", { partnerId: p, externalOrderId: "E" });
    const [placed] = await place(storage, [first]);
    const claim = newClaim();
    const results = await storage.intake.accept(
      [
        keyed("k", { partnerId: p, claim }),
        keyed("k", { partnerId: p, claim }, "another"),
        mine({ externalOrderId: "E", rejectRepeats: true, claim }),
      ],
      NOW,
    );
    assert.deepEqual(
      results.map((result) => result.kind),
      ["replayed", "key_reused", "repeated"],
    );
    assert.deepEqual(await storage.queues.ticketing.expired(10, true, NOW), []);
    assert.equal((await jobOf("ticketing", placed!.id)).status, "pending");
  });

  for (const leg of ["ticketing", "callback"] as const) {
    test(`an open circuit of ${leg} leaves them to wait; a closed one, or another's, does not`, async () => {
      const stranger = `${p}x`;
      await addPartner(storage, stranger);
      await openCircuit(leg, leg === "ticketing" ? "" : p);
      if (leg === "ticketing") {
        const [result] = await storage.intake.accept([mine({ claim: newClaim() })], NOW);
        assert.ok(result!.kind === "accepted");
        assert.equal(result!.job, null);
        assert.equal(await statusOf(storage, result!.order.id), "accepted");
        const { status, claim, claimed_by, lease_until, attempts } = await jobOf(
          "ticketing",
          result!.order.id,
        );
        assert.deepEqual(
          [status, claim, claimed_by, lease_until, attempts],
          ["pending", null, null, null, 0],
        );
      } else {
        const [held, free] = [await born(), await born({ partnerId: stranger })];
        const results = await storage.settlements.ticketing.settle([success(held), success(free)], NOW);
        assert.deepEqual(
          results.map(({ ticketed, callback }) => [ticketed, callback?.orderId ?? null]),
          [
            [true, null],
            [true, free.orderId],
          ],
        );
        assert.equal(await statusOf(storage, held.orderId), "ticketed");
        assert.equal(await statusOf(storage, free.orderId), "ota_callback_pending");
        const { status, claim, attempts } = await jobOf("callback", held.orderId);
        assert.deepEqual([status, claim, attempts], ["pending", null, 0]);
      }
      await storage.database.run("update circuits set state = 'closed'", []);
      await settle(storage, "ticketing", success(await born()));
      assert.equal((await storage.queues.callback.expired(10, true, NOW)).length, leg === "callback" ? 2 : 1);
    });
  }

  test("a claim at birth is a claim like any: it ends, is given back, abandoned, taken over", async () => {
    const claim = newClaim();
    const jobs = [await born({}, claim), await born({}, claim), await born(), await born()];
    const [one, two, three, four] = jobs as [ClaimedJob, ClaimedJob, ClaimedJob, ClaimedJob];
    await storage.queues.ticketing.abandon(claim.claim, NOW);
    for (const { orderId } of [one, two]) {
      const { status, attempts, run_attempts, run_started_at, next_attempt_at } = await jobOf(
        "ticketing",
        orderId,
      );
      assert.deepEqual(
        [status, attempts, run_attempts, run_started_at, next_attempt_at],
        ["pending", 0, 0, null, NOW],
      );
    }
    await settle(storage, "ticketing", settlement("ticketing", three, "pending"));
    assert.deepEqual(await attemptsOf(storage, three.orderId), [[1, 500]]);
    assert.deepEqual(await storage.queues.ticketing.expired(10, false, NOW + LEASE_MS), []);
    const [expired] = await storage.queues.ticketing.expired(10, false, NOW + LEASE_MS + 1);
    assert.equal(expired!.jobId, four.jobId);
    await settle(storage, "ticketing", lost(expired!), NOW + LEASE_MS + 1);
    assert.deepEqual(await attemptsOf(storage, four.orderId), [[1, "lost"]]);
    const late = await settle(storage, "ticketing", success(four));
    assert.deepEqual([late.result, late.ticketed, late.callback], ["late", true, null]);
    assert.equal(await statusOf(storage, four.orderId), "ticketed");
    assert.equal((await jobOf("callback", four.orderId)).status, "pending");
    const again = await claimOne(storage, "ticketing");
    assert.deepEqual([again.orderId, again.no, again.attemptInRun], [one.orderId, 1, 1]);
  });

  test("with the ticket the callback begins in one step: statuses, times, one event", async () => {
    const job = await born();
    const end = success(job, { ticketed: ticketed("TK-9") });
    const { callback } = await settle(storage, "ticketing", end, NOW + 5);
    const { order, callback: leg } = await storyOf(storage, job.orderId);
    assert.deepEqual(
      [order.pipeline_status, order.ticketed_at, order.reference],
      ["ota_callback_pending", NOW + 5, "TK-9"],
    );
    const { status, claimed_at, run_started_at, lease_until, attempts, next_attempt_at } = leg!.job;
    assert.deepEqual(
      [status, claimed_at, run_started_at, lease_until, attempts, next_attempt_at],
      ["running", NOW + 5, NOW + 5, NOW + 5 + LEASE_MS, 1, NOW + 5],
    );
    assert.deepEqual(
      [callback!.jobId, callback!.no, callback!.attemptInRun, callback!.startedAt, callback!.isRetry],
      [leg!.job.id, 1, 1, NOW + 5, false],
    );
    assert.equal(callback!.callback!.event.id, end.ticketed!.event.id);
    await settle(storage, "callback", settlement("callback", callback!, "succeeded"));
    assert.equal(await statusOf(storage, job.orderId), "ota_callback_delivered");
  });

  test("settled twice after an unknown COMMIT: one callback, under the first claim", async () => {
    const job = await born();
    const end = success(job);
    const first = await settle(storage, "ticketing", end);
    const again = await settle(storage, "ticketing", { ...end, callbackClaim: newClaim() });
    assert.deepEqual([again.result, again.ticketed, again.callback], ["dropped", false, null]);
    assert.equal(await rowsIn(storage, `ota_callback_jobs where order_id = ${job.orderId}`), 1);
    assert.equal((await jobOf("callback", job.orderId)).claim, first.callback!.claim);
    await storage.queues.callback.abandon(first.callback!.claim, NOW);
    assert.equal(await statusOf(storage, job.orderId), "ota_callback_pending");
    const taken = await claimOne(storage, "callback");
    assert.deepEqual([taken.orderId, taken.no], [job.orderId, 1]);
  });

  test("of a batch only what became ticketed with a claim begins", async () => {
    const jobs = [await born(), await born(), await born(), await born()] as const;
    const cancelled = await storage.operatorActions.cancel(
      jobs[3].orderId,
      { actor: "ops", reason: "why" },
      NOW,
    );
    assert.ok(cancelled);
    const results = await storage.settlements.ticketing.settle(
      [
        success(jobs[0]),
        success(jobs[1], { callbackClaim: null }),
        settlement("ticketing", jobs[2], "blocked", { callbackClaim: newClaim() }),
        settlement("ticketing", jobs[3], "blocked", { callbackClaim: newClaim() }),
      ],
      NOW,
    );
    assert.deepEqual(
      results.map(({ callback }) => callback?.orderId ?? null),
      [jobs[0].orderId, null, null, null],
    );
    assert.deepEqual(await Promise.all(jobs.map(({ orderId }) => statusOf(storage, orderId))), [
      "ota_callback_pending",
      "ticketed",
      "ticketing_blocked",
      "cancelled",
    ]);
    assert.equal((await storage.queues.callback.expired(10, true, NOW)).length, 1);
  });

  test("a batch that the database refuses claims nothing", async () => {
    const before = await rowsIn(storage, "orders");
    const bad = mine({ claim: newClaim(), items: [{ ...newOrder().items[0]!, sku: null as never }] });
    const refused = storage.intake.accept([mine({ claim: newClaim() }), bad], NOW);
    const error = await refused.catch((reason: unknown) => reason);
    assert.ok(storage.database.isDataFault(error), String(error));
    assert.equal(await rowsIn(storage, "orders"), before);
    assert.deepEqual(await storage.queues.ticketing.expired(10, true, NOW), []);
  });
});
