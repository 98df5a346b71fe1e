import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import { createBulkWorker } from "../../src/pipeline/bulk-worker.ts";
import { RowLocked } from "../../src/storage/database.ts";
import type { BulkStep } from "../../src/storage/bulk-jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, SQLITE } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claim, newOrder, NOW, place, settlement, statusOf } from "../storage/fixtures.ts";
import { SILENT } from "../support/log.ts";

const ACT = { actor: "kim", reason: "it is back" };

suite("the worker of bulk jobs", () => {
  let storage: Storage;
  let now: number;
  beforeEach(async () => {
    now = NOW;
    storage = await freshStorage(SQLITE);
    await addPartner(storage);
  });
  afterEach(() => storage.close());

  async function blocked(count: number): Promise<number[]> {
    const placed = await place(
      storage,
      Array.from({ length: count }, () => newOrder()),
    );
    const jobs = await claim(storage, "ticketing");
    await storage.settlements.ticketing.settle(
      jobs.map((job) => settlement("ticketing", job, "blocked")),
      NOW,
    );
    return placed.map(({ id }) => id);
  }
  const create = async (pacePerSec: number) => {
    const filter = { ...ANY_ORDER, statuses: ["ticketing_blocked" as const] };
    return (await storage.bulkJobs.create({ action: "close", filter, total: 9, pacePerSec }, ACT, NOW)).id;
  };
  const worker = (step: Storage["bulkJobs"]["step"] = storage.bulkJobs.step) =>
    createBulkWorker({
      storage: { ...storage, bulkJobs: { ...storage.bulkJobs, step } },
      pollMs: 1_000,
      clock: { statementNow: () => now },
      log: SILENT,
      onQueued: () => {},
    });

  test("keeps the pace: a second's orders at a time, and after a pause no more than it is behind", async () => {
    const ids = await blocked(12);
    const id = await create(2);
    const { round } = worker();
    const acted = async () => (await storage.bulkQueries.find(id))!.acted;
    assert.deepEqual([await round(), await round(), await acted()], [1, 0, 2]);
    now += 999;
    assert.equal(await round(), 0);
    // An hour without any process: one second of it is made up for.
    now += 3_600_000;
    assert.deepEqual([await round(), await round(), await round(), await acted()], [1, 1, 0, 6]);
    assert.equal(await statusOf(storage, ids[5]!), "closed");
    assert.equal(await statusOf(storage, ids[6]!), "ticketing_blocked");
  });

  test("an order whose row somebody holds is passed over; the others are done", async () => {
    const ids = await blocked(4);
    const id = await create(100);
    const held = ids[1]!;
    const step = async (given: BulkStep, at: number | null) => {
      if (given.orderIds.includes(held) && given.passOver !== true) throw new RowLocked("held");
      return storage.bulkJobs.step(given, at);
    };
    const { round } = worker(step);
    for (; (await round()) > 0; now += 1_000);
    const job = (await storage.bulkQueries.find(id))!;
    assert.deepEqual([job.status, job.acted, job.refused], ["done", 3, 1]);
    const [told] = await storage.bulkQueries.results(id, { result: "locked", afterOrderId: 0, limit: 9 });
    assert.equal(told!.orderId, held);
    assert.equal(await statusOf(storage, held), "ticketing_blocked");
  });

  test("a job that fails each time holds up no other", async () => {
    const ids = await blocked(1);
    const broken = await create(100);
    const whole = await create(100);
    const step = async (given: BulkStep, at: number | null) => {
      if (given.bulkId === broken) throw new Error("a defect");
      return storage.bulkJobs.step(given, at);
    };
    await assert.rejects(worker(step).round(), /a defect/);
    assert.equal((await storage.bulkQueries.find(whole))!.status, "done");
    assert.equal(await statusOf(storage, ids[0]!), "closed");
  });
});
