import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { json } from "../support/recorder.ts";
import { startWay, type Way } from "../support/way.ts";

onEachDatabase("circuits", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock, slots: 50 });
  });
  afterEach(() => way.close());

  async function orders(count: number): Promise<number[]> {
    const ids = await Promise.all(Array.from({ length: count }, () => way.order()));
    return ids.toSorted((a, b) => a - b);
  }

  /** Lets simulated time pass in steps, in each of which everything due is worked. */
  async function pass(totalMs: number, stepMs: number): Promise<void> {
    for (let passed = 0; passed < totalMs; passed += stepMs) {
      clock.advance(stepMs);
      await way.engine.tend();
      await way.work();
    }
  }

  async function statuses(ids: readonly number[]): Promise<Record<string, number>> {
    const { queries } = way.storage.database;
    const orders = queries.selectFrom("orders").select("pipeline_status as status").where("id", "in", ids);
    const counts: Record<string, number> = {};
    for (const { status } of await orders.execute()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }

  test("an outage of 30 minutes ends with 2,000 orders delivered and no manual work", async () => {
    way.ticketing.answer(503);
    const ids: number[] = [];
    for (let minute = 0; minute < 30; minute += 1) {
      ids.push(...(await orders(minute < 20 ? 67 : 66)));
      await way.engine.tend();
      await way.work();
      await pass(60_000, 10_000);
    }
    assert.equal(ids.length, 2_000);
    const requests = way.ticketing.requests.length;
    assert.ok(requests < 1_200, `${requests} requests were sent into the outage`);
    const [open] = await way.storage.circuits.ticketing.listOpen();
    assert.equal(open!.reason, "ticketing answered 503");

    way.ticketing.answer(200);
    await pass(30_000, 2_000);
    await pass(300_000, 30_000);
    assert.deepEqual(await statuses(ids), { ota_callback_delivered: 2_000 });
    assert.deepEqual(await way.storage.circuits.ticketing.listOpen(), []);
  });

  test("one order alone never opens a circuit: its schedule stays", async () => {
    way.ticketing.answer(503);
    const id = await way.order();
    await way.work();
    await pass(400_000, 5_000);
    assert.deepEqual(await way.storage.circuits.ticketing.listOpen(), []);
    const { order, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "ticketing_exhausted");
    assert.equal(ticketing!.attempts.length, 15);
  });

  test("a success between keeps the circuit closed", async () => {
    let turn = 0;
    way.ticketing.answer((response) => response.writeHead((turn += 1) % 15 === 0 ? 200 : 503).end());
    await orders(40);
    for (let round = 0; round < 40; round += 1) await way.engine.workers.ticketing.takeDue();
    await way.work();
    assert.deepEqual(await way.storage.circuits.ticketing.listOpen(), []);
  });

  test("held jobs spend no attempts, and show until when they are held", async () => {
    way.ticketing.answer(503);
    await orders(20);
    await way.work();
    const id = await way.order();
    await pass(60_000, 1_000);
    const { ticketing } = await way.story(id);
    assert.equal(ticketing!.job.run_attempts, 0);
    assert.ok(ticketing!.attempts.length <= 1, "the probes go round");
    assert.equal(ticketing!.job.next_attempt_at, ticketing!.job.held_until);
    assert.ok(ticketing!.job.held_until! > clock.nowMs);
    // 20 first attempts, then a probe each 5 s; none of them counts in a run.
    assert.equal(way.ticketing.requests.length, 20 + 12);
  });

  test("credentials gone bad: the blocked orders are taken back and end well", async () => {
    way.ticketing.answer(401);
    const ids = await orders(25);
    await way.work();
    assert.ok((await statuses(ids))["ticketing_blocked"]! >= 20);
    await way.engine.tend();
    assert.deepEqual(await statuses(ids), { ticketing_processing: 25 });
    await pass(30_000, 5_000);
    assert.deepEqual(await statuses(ids), { ticketing_processing: 25 });
    way.ticketing.answer(200);
    await pass(20_000, 5_000);
    assert.deepEqual(await statuses(ids), { ota_callback_delivered: 25 });
  });

  test("a 401 for a few orders stays theirs", async () => {
    way.ticketing.answer(401);
    const ids = await orders(19);
    await way.work();
    await pass(60_000, 5_000);
    assert.deepEqual(await statuses(ids), { ticketing_blocked: 19 });
  });

  test("a hold is bounded: past its limit the order is exhausted", async () => {
    way.ticketing.answer(503);
    const ids = await orders(20);
    await way.work();
    await way.engine.tend();
    const late = await way.order();
    await way.engine.tend();
    await pass(3_700_000, 100_000);
    assert.deepEqual(await statuses([...ids, late]), { ticketing_exhausted: 21 });
    assert.match((await way.story(late)).order.blocked_reason!, /held until its limit/);
  });

  test("a partner's callbacks have a circuit of their own", async () => {
    way.partner.answer(json(502, {}));
    const ids = await orders(20);
    await way.work();
    await way.engine.tend();
    const [open] = await way.storage.circuits.callback.listOpen();
    assert.equal(open!.partner_id, "demo");
    assert.deepEqual(await way.storage.circuits.ticketing.listOpen(), []);
    await pass(1_200_000, 60_000);
    way.partner.answer(200);
    await pass(120_000, 10_000);
    assert.deepEqual(await statuses(ids), { ota_callback_delivered: 20 });
  });
});
