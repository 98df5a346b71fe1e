import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import type { BulkStep } from "../../src/storage/bulk-jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claim, newOrder, NOW, place, rowsIn, settlement, statusOf, storyOf } from "./fixtures.ts";

const ACT = { actor: "kim", reason: "ticketing is back" };

onEachDatabase("bulk jobs", (kind) => {
  let storage: Storage;
  let partner: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
  });
  beforeEach(() => addPartner(storage, (partner = `p${(partners += 1)}`)));
  after(() => storage.close());

  /** Orders of the test's partner that came to stand so. */
  async function standing(count: number, stands: "exhausted" | "blocked" = "exhausted"): Promise<number[]> {
    const orders = Array.from({ length: count }, () => newOrder({ partnerId: partner }));
    const placed = await place(storage, orders);
    const jobs = await claim(storage, "ticketing");
    await storage.settlements.ticketing.settle(
      jobs.map((job) => settlement("ticketing", job, stands)),
      NOW,
    );
    return placed.map(({ id }) => id).toSorted((a, b) => a - b);
  }
  const create = async (more = {}, action: "retry" | "cancel" | "close" = "retry") => {
    const filter = { ...ANY_ORDER, partnerId: partner, ...more };
    return (await storage.bulkJobs.create({ action, filter, total: 3, pacePerSec: 10 }, ACT, NOW)).id;
  };
  const step = (bulkId: number, more: Partial<BulkStep>) =>
    storage.bulkJobs.step({ bulkId, afterId: 0, orderIds: [], isLast: false, ...more }, NOW);

  test("a step acts, records, keeps results and moves on, in one transaction", async () => {
    const [a, b, c] = await standing(3);
    const id = await create();
    assert.deepEqual(await step(id, { orderIds: [a!, b!] }), { acted: 2, refused: 0, isDone: false });
    const job = await storage.bulkQueries.find(id);
    assert.deepEqual(
      [job!.status, job!.afterId, job!.acted, job!.upToId >= c!, job!.actor, job!.filter.partnerId],
      ["running", b, 2, true, "kim", partner],
    );
    assert.deepEqual(await step(id, { afterId: b!, orderIds: [c!], isLast: true }), {
      acted: 3,
      refused: 0,
      isDone: true,
    });
    assert.equal((await storage.bulkQueries.find(id))!.status, "done");
    for (const orderId of [a!, b!, c!]) {
      const { order, ticketing, actions } = await storyOf(storage, orderId);
      assert.deepEqual([order.pipeline_status, ticketing!.job.lane], ["ticketing_processing", 1]);
      assert.deepEqual(
        actions.map(({ actor, action, reason, detail }) => [actor, action, reason, JSON.parse(detail!)]),
        [["kim", "retry ticketing", "ticketing is back", { bulk_id: id }]],
      );
    }
    const page = { result: null, afterOrderId: a!, limit: 10 };
    assert.deepEqual(
      (await storage.bulkQueries.results(id, page)).map(({ orderId, result, orderStatus }) => [
        orderId,
        result,
        orderStatus,
      ]),
      [
        [b, "done", "ticketing_processing"],
        [c, "done", "ticketing_processing"],
      ],
    );
  });

  test("the same step twice, and two at once: it is made once", async () => {
    const [a, b] = await standing(2);
    const id = await create();
    const both = await Promise.all([step(id, { orderIds: [a!] }), step(id, { orderIds: [a!] })]);
    assert.equal(both.filter((progress) => progress !== null).length, 1);
    assert.equal(await step(id, { orderIds: [a!, b!] }), null);
    assert.equal((await storyOf(storage, a!)).actions.length, 1);
    assert.equal(await statusOf(storage, b!), "ticketing_exhausted");
  });

  test("an order that has moved since it was found is left alone", async () => {
    const [a, b] = await standing(2, "blocked");
    const filtered = await create({ statuses: ["ticketing_exhausted"] });
    assert.deepEqual(await step(filtered, { orderIds: [a!] }), { acted: 0, refused: 1, isDone: false });
    await storage.operatorActions.retry(b!, ACT, NOW);
    const id = await create();
    assert.deepEqual(await step(id, { orderIds: [a!, b!] }), { acted: 1, refused: 1, isDone: false });
    const [refused] = await storage.bulkQueries.results(id, { result: "refused", afterOrderId: 0, limit: 9 });
    assert.deepEqual([refused!.orderId, refused!.orderStatus], [b, "ticketing_processing"]);
  });

  test("cancelled, it ends where it is, and that is recorded", async () => {
    const [a, b] = await standing(2);
    const id = await create();
    await step(id, { orderIds: [a!] });
    const actions = await rowsIn(storage, "operator_actions");
    assert.equal(await storage.bulkJobs.cancel(id, ACT, NOW), true);
    assert.equal(await storage.bulkJobs.cancel(id, ACT, NOW), false);
    assert.equal(await rowsIn(storage, "operator_actions"), actions + 1);
    assert.equal(await step(id, { afterId: a!, orderIds: [b!] }), null);
    assert.deepEqual(
      [(await storage.bulkQueries.find(id))!.status, await statusOf(storage, b!)],
      ["cancelled", "ticketing_exhausted"],
    );
  });

  test("a held order is passed over, and told", async () => {
    const [a] = await standing(1);
    const id = await create();
    assert.deepEqual(await step(id, { orderIds: [a!], passOver: true }), {
      acted: 0,
      refused: 1,
      isDone: false,
    });
    const [result] = await storage.bulkQueries.results(id, { result: null, afterOrderId: 0, limit: 9 });
    assert.equal(result!.result, "locked");
    assert.equal(await statusOf(storage, a!), "ticketing_exhausted");
  });

  test("the pace: the next step is due when the orders of the last are paid for", async () => {
    const ids = await standing(10, "blocked");
    const id = await create({}, "close");
    const due = async (now: number) => (await storage.bulkQueries.due(now)).some((job) => job.id === id);
    assert.equal(await due(NOW), true);
    await step(id, { orderIds: ids });
    assert.deepEqual([await due(NOW + 999), await due(NOW + 1_000)], [false, true]);
    assert.equal(await statusOf(storage, ids[9]!), "closed");
  });

  test("of clicks at once under one key, one makes the job", async () => {
    await storage.operators.add({ name: "kim", role: "operator", tokenDigest: "d", development: false }, NOW);
    const job = {
      action: "close" as const,
      filter: { ...ANY_ORDER, partnerId: partner },
      total: 0,
      pacePerSec: 1,
    };
    const clicks = Array.from({ length: 8 }, async () =>
      storage.bulkJobs.create(job, { ...ACT, requestKey: "click" }, NOW),
    );
    const made = await Promise.all(clicks);
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.equal(made.filter(({ repeated }) => repeated).length, 7);
  });
});
