import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { combine } from "../../src/lib/combiner.ts";
import { isEdge, ORDER_STATUSES } from "../../src/orders/states.ts";
import { createMoveOrders } from "../../src/storage/moves.ts";
import type { Claim } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { Settled, Settlement } from "../../src/storage/settlements.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import {
  attemptsOf,
  claimOne,
  claimRequest,
  lost,
  newOrder,
  NOW,
  place,
  settle,
  settlement,
  statusOf,
  storyOf,
  ticketed,
} from "./fixtures.ts";

onEachDatabase("settlements", (kind) => {
  let storage: Storage;
  let partner: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
  });
  beforeEach(() => addPartner(storage, (partner = `p${(partners += 1)}`)));
  // Orders are found by their jobs' references, by whatever way they became ticketed.
  afterEach(async () => {
    const differing = `select o.id, o.reference, j.reference as found_by from orders o join ticketing_jobs j on j.id = o.id
      where o.partner_id = $1 and o.reference is distinct from j.reference`;
    assert.deepEqual(await storage.database.run(differing, [partner]), []);
  });
  after(() => storage.close());

  const order = async () => (await place(storage, [newOrder({ partnerId: partner })]))[0]!.id;
  /** Of this test's partner alone: the database is shared. */
  const mine = (now: number) => ({
    busy: [{ partnerId: partner, slots: 100, firstAttempts: 0, retries: 0 }],
    slotsPerPartner: 0,
    now,
  });
  const take = (now = NOW) => claimOne(storage, "ticketing", mine(now));
  const takeCallback = (now = NOW) => claimOne(storage, "callback", mine(now));
  const isEmpty = async (now: number) =>
    (await storage.queues.ticketing.claim(claimRequest(mine(now)))).length === 0;
  const end = (claim: Claim, ...rest: [Settlement["job"], Partial<Settlement>?]) =>
    settle(storage, "ticketing", settlement("ticketing", claim, ...rest));
  const lose = (claim: Claim) => settle(storage, "ticketing", lost(claim));

  /** Group commit, as the settle step has it. */
  const combined = () =>
    combine<Settlement, Settled>({
      run: (batch) => storage.settlements.ticketing.settle(batch, NOW),
      maxBatch: 200,
      maxQueue: 1_000,
      isItemFault: (error) => storage.database.isDataFault(error),
    });

  test("a success: attempt, order, tickets and callback job in one", async () => {
    const id = await order();
    const job = await take();
    assert.deepEqual(await end(job, "succeeded"), {
      result: "settled",
      job: "succeeded",
      ticketed: true,
      callback: null,
    });
    const story = await storyOf(storage, id);
    assert.deepEqual(
      [story.order.pipeline_status, story.order.reference, story.order.ticketed_at, story.tickets],
      ["ticketed", "TK-1", NOW, [{ code: "TK-1" }]],
    );
    assert.deepEqual([story.ticketing!.job.status, story.ticketing!.job.claim], ["succeeded", null]);
    assert.deepEqual([story.callback!.job.status, story.callback!.job.next_attempt_at], ["pending", NOW]);
    assert.deepEqual(await attemptsOf(storage, id), [[1, 200]]);
    const callback = await takeCallback();
    const told = await settle(storage, "callback", settlement("callback", callback, "succeeded"), NOW + 9);
    assert.deepEqual(told, { result: "settled", job: "succeeded", ticketed: false, callback: null });
    const { order: delivered } = await storyOf(storage, id);
    assert.deepEqual(
      [delivered.pipeline_status, delivered.delivered_at],
      ["ota_callback_delivered", NOW + 9],
    );
  });

  test("every end of both legs puts the order where it belongs, with its reason", async () => {
    for (const [job, status] of [
      ["blocked", "ticketing_blocked"],
      ["exhausted", "ticketing_exhausted"],
      ["unknown", "ticketing_unknown"],
    ] as const) {
      const id = await order();
      assert.deepEqual(await end(await take(), job), {
        result: "settled",
        job,
        ticketed: false,
        callback: null,
      });
      const { order: row, callback } = await storyOf(storage, id);
      assert.deepEqual([row.pipeline_status, row.blocked_reason, callback], [status, "a reason", null]);
    }
    for (const [job, status] of [
      ["blocked", "ota_callback_blocked"],
      ["exhausted", "ota_callback_exhausted"],
    ] as const) {
      const id = await order();
      await end(await take(), "succeeded");
      await settle(storage, "callback", settlement("callback", await takeCallback(), job));
      assert.equal(await statusOf(storage, id), status);
    }
  });

  test("the fence: a stale claim changes nothing but is recorded once", async () => {
    const id = await order();
    const old = await take();
    await lose(old);
    const held = await take(NOW + 2_000);
    const before = (await storyOf(storage, id)).ticketing!.job;
    for (const result of ["late", "dropped", "dropped"]) {
      assert.equal((await end(old, "blocked")).result, result);
    }
    const story = await storyOf(storage, id);
    assert.deepEqual(story.ticketing!.job, before);
    assert.equal(story.order.pipeline_status, "ticketing_processing");
    assert.deepEqual(
      story.late.map(({ leg, no, code }) => ({ leg, no, code })),
      [{ leg: "ticketing", no: 1, code: 422 }],
    );
    assert.equal((await end(held, "succeeded")).result, "settled");
    assert.deepEqual(await attemptsOf(storage, id), [
      [1, "lost"],
      [2, 200],
    ]);
  });

  test("settled twice, after a COMMIT whose outcome was unknown: one row, one callback", async () => {
    const id = await order();
    const job = await take();
    const success = settlement("ticketing", job, "succeeded");
    assert.equal((await settle(storage, "ticketing", success)).result, "settled");
    assert.deepEqual(await settle(storage, "ticketing", success), {
      result: "dropped",
      job: "succeeded",
      ticketed: false,
      callback: null,
    });
    const story = await storyOf(storage, id);
    assert.deepEqual([story.late, story.tickets.length], [[], 1]);
    assert.deepEqual(await attemptsOf(storage, id), [[1, 200]]);
  });

  test("a late 2xx makes the order ticketed while the job waits for its next attempt", async () => {
    const id = await order();
    const old = await take();
    await lose(old);
    assert.deepEqual(await end(old, "succeeded"), {
      result: "late",
      job: "succeeded",
      ticketed: true,
      callback: null,
    });
    const story = await storyOf(storage, id);
    assert.deepEqual(
      [story.order.pipeline_status, story.ticketing!.job.status, story.ticketing!.job.next_attempt_at],
      ["ticketed", "succeeded", null],
    );
    assert.equal(story.callback!.job.status, "pending");
    assert.ok(await isEmpty(NOW + 3_600_000), "no attempt starts after `ticketed` was committed");
    assert.equal((await end(old, "succeeded", { ticketed: ticketed("TK-2") })).result, "dropped");
    assert.equal((await storyOf(storage, id)).order.reference, "TK-1");
  });

  for (const job of ["blocked", "exhausted", "unknown"] as const) {
    test(`a late 2xx makes an order ticketed that stands ${job}`, async () => {
      const id = await order();
      const old = await take();
      await lose(old);
      await end(await take(NOW + 2_000), job);
      assert.deepEqual(await end(old, "succeeded"), {
        result: "late",
        job: "succeeded",
        ticketed: true,
        callback: null,
      });
      const story = await storyOf(storage, id);
      assert.deepEqual(
        [story.order.pipeline_status, story.order.blocked_reason, story.ticketing!.job.status],
        ["ticketed", null, "succeeded"],
      );
      assert.equal((await storyOf(storage, id)).callback!.job.status, "pending");
    });
  }

  for (const job of ["pending", "blocked", "exhausted", "unknown", "succeeded"] as const) {
    test(`a late 2xx wins while another holds the claim, who then ends ${job}`, async () => {
      const id = await order();
      const old = await take();
      await lose(old);
      const held = await take(NOW + 2_000);
      assert.equal((await end(old, "succeeded")).ticketed, true);
      assert.equal(await statusOf(storage, id), "ticketed");
      const own = job === "succeeded" ? { ticketed: ticketed("TK-2") } : {};
      assert.deepEqual(await end(held, job, own), {
        result: "settled",
        job: "succeeded",
        ticketed: false,
        callback: null,
      });
      const story = await storyOf(storage, id);
      assert.deepEqual(
        [
          story.order.pipeline_status,
          story.order.reference,
          story.ticketing!.job.status,
          story.tickets.length,
        ],
        ["ticketed", "TK-1", "succeeded", 1],
      );
      assert.equal(story.ticketing!.attempts.length, 2);
      assert.ok(await isEmpty(NOW + 3_600_000));
    });
  }

  test("a late 2xx ends a circuit's hold on the job", async () => {
    const id = await order();
    const old = await take();
    await lose(old);
    const hold = "update ticketing_jobs set held_until = $2, next_attempt_at = $2 where id = $1";
    await storage.database.transact((tx) => tx(hold, [old.jobId, NOW + 60_000]));
    assert.equal((await end(old, "succeeded")).ticketed, true);
    const { job } = (await storyOf(storage, id)).ticketing!;
    assert.deepEqual([job.status, job.held_until], ["succeeded", null]);
  });

  test("a late 2xx, then the other holder is lost or gives back: still ticketed", async () => {
    for (const leave of [lose, (claim: Claim) => storage.queues.ticketing.giveBack([claim], NOW)]) {
      const id = await order();
      const old = await take();
      await lose(old);
      const held = await take(NOW + 2_000);
      await end(old, "succeeded");
      await leave(held);
      const story = await storyOf(storage, id);
      assert.deepEqual([story.order.pipeline_status, story.ticketing!.job.status], ["ticketed", "succeeded"]);
      assert.ok(await isEmpty(NOW + 3_600_000));
    }
  });

  test("a late answer of a partner is recorded and moves nothing", async () => {
    const id = await order();
    await end(await take(), "succeeded");
    const old = await takeCallback();
    await settle(storage, "callback", lost(old));
    const late = await settle(storage, "callback", settlement("callback", old, "succeeded"));
    assert.equal(late.result, "late");
    const story = await storyOf(storage, id);
    assert.equal(story.order.pipeline_status, "ota_callback_pending");
    assert.deepEqual(
      story.late.map(({ leg, code }) => [leg, code]),
      [["callback", 200]],
    );
    assert.equal((await takeCallback(NOW + 2_000)).no, 2);
  });

  test("`lost` and the real result together: one attempt row, and the order is ticketed", async () => {
    for (const ends of [
      (claim: Claim) => [lost(claim), settlement("ticketing", claim, "succeeded")],
      (claim: Claim) => [settlement("ticketing", claim, "succeeded"), lost(claim)],
    ]) {
      const id = await order();
      const others = [await order(), await order()];
      const settleAll = combined();
      const job = await take();
      const neighbours = [await take(), await take()];
      const [a, b] = ends(job) as [Settlement, Settlement];
      const batch = [
        settlement("ticketing", neighbours[0]!, "blocked"),
        a,
        b,
        settlement("ticketing", neighbours[1]!, "blocked"),
      ];
      const results = (await Promise.all(batch.map(settleAll))).map(({ result }) => result);
      assert.deepEqual([results[0], results[1], results[3]], ["settled", "settled", "settled"]);
      assert.equal(await statusOf(storage, id), "ticketed");
      assert.equal((await storyOf(storage, id)).ticketing!.attempts.length, 1);
      for (const other of others) assert.equal(await statusOf(storage, other), "ticketing_blocked");
    }
  });

  test("a stale claim and the one that is held, of one job in one batch", async () => {
    const id = await order();
    const old = await take();
    await lose(old);
    const held = await take(NOW + 2_000);
    const settleAll = combined();
    const results = await Promise.all([
      settleAll(settlement("ticketing", held, "blocked")),
      settleAll(settlement("ticketing", old, "succeeded")),
    ]);
    assert.deepEqual(
      results.map(({ result }) => result),
      ["settled", "late"],
    );
    const story = await storyOf(storage, id);
    assert.deepEqual([story.order.pipeline_status, story.ticketing!.job.status], ["ticketed", "succeeded"]);
    assert.deepEqual(await attemptsOf(storage, id), [
      [1, "lost"],
      [2, 422],
    ]);
  });

  test("a claim given back and taken again, whose two holders settle in one batch", async () => {
    const id = await order();
    const old = await take();
    await storage.queues.ticketing.giveBack([old], NOW);
    const held = await take();
    const settleAll = combined();
    const results = await Promise.all([
      settleAll(settlement("ticketing", old, "blocked")),
      settleAll(settlement("ticketing", held, "pending")),
    ]);
    assert.deepEqual(
      results.map(({ result }) => result),
      ["late", "settled"],
    );
    assert.deepEqual(await attemptsOf(storage, id), [[1, 500]]);
  });

  test("a batch with one bad row: the others are settled", async () => {
    const ids = [await order(), await order(), await order()];
    const jobs = [await take(), await take(), await take()];
    const settleAll = combined();
    const bad = settlement("ticketing", jobs[1]!, "succeeded");
    const results = await Promise.allSettled([
      settleAll(settlement("ticketing", jobs[0]!, "succeeded")),
      settleAll({ ...bad, ticketed: { ...bad.ticketed!, event: { ...bad.ticketed!.event, body: null! } } }),
      settleAll(settlement("ticketing", jobs[2]!, "blocked")),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    const statuses = [];
    for (const id of ids) statuses.push(await statusOf(storage, id));
    assert.deepEqual(statuses, ["ticketed", "ticketing_processing", "ticketing_blocked"]);
    assert.deepEqual(await attemptsOf(storage, ids[1]!), []);
    assert.equal((await storyOf(storage, ids[1]!)).ticketing!.job.claim, jobs[1]!.claim, "all or nothing");
  });

  test("texts that are hard to carry come back as they were", async () => {
    const id = await order();
    const text = `ตั๋ว 🎟️ \u0001 \uFFFD "'\\ \\u0000 ${"x".repeat(4_000)}`;
    const tickets = Array.from({ length: 1_000 }, (_, no) => JSON.stringify({ no, text: `${no} \u0000 🎟️` }));
    const attempt = { code: 200, error: null, durationMs: 1, answer: text, note: text };
    const success = { ...ticketed(), reference: text.slice(0, 255), tickets };
    await end(await take(), "succeeded", { attempt, ticketed: success });
    const story = await storyOf(storage, id);
    assert.deepEqual(
      [story.ticketing!.attempts[0]!.answer, story.ticketing!.attempts[0]!.note],
      [text, text],
    );
    assert.deepEqual(
      story.tickets,
      tickets.map((ticket) => JSON.parse(ticket) as unknown),
    );
    assert.equal(story.order.reference, text.slice(0, 255));
  });

  test("an order moves along the map's edges and nowhere else", async () => {
    const moveOrders = createMoveOrders(storage.database.words);
    const pairs = ORDER_STATUSES.flatMap((from) => ORDER_STATUSES.map((to) => ({ from, to })));
    const placed = [
      ...(await place(
        storage,
        pairs.slice(0, 100).map(() => newOrder({ partnerId: partner })),
      )),
      ...(await place(
        storage,
        pairs.slice(100).map(() => newOrder({ partnerId: partner })),
      )),
    ];
    await storage.database.transact(async (tx) => {
      for (const [index, { from }] of pairs.entries())
        await tx("update orders set pipeline_status = $2 where id = $1", [placed[index]!.id, from]);
    });
    const moves = pairs.map(({ to }, index) => {
      return { orderId: placed[index]!.id, to, reason: `to ${to}`, reference: null };
    });
    const moved = await storage.database.transact((tx) => moveOrders(tx, moves, NOW));
    for (const [index, { from, to }] of pairs.entries()) {
      const { id } = placed[index]!;
      assert.equal(moved.has(id), isEdge(from, to), `${from} -> ${to}`);
      const { order: row } = await storyOf(storage, id);
      const expected = isEdge(from, to) ? [to, `to ${to}`] : [from, null];
      assert.deepEqual([row.pipeline_status, row.blocked_reason], expected);
    }
  });
});
