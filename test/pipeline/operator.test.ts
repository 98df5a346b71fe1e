import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { startWay, type Way } from "../support/way.ts";

const ACT = { actor: "ops", reason: "the guest called" };
const CLAIM = "01890000-0000-7000-8000-000000000001";

onEachDatabase("cancel", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock });
  });
  afterEach(() => way.close());

  const cancel = (id: number) => way.storage.operatorActions.cancel(id, ACT, clock.nowMs);
  const claimOne = async () => {
    const terms = { claim: CLAIM, claimedBy: "test", leaseMs: 15_000, now: clock.nowMs };
    const [job] = await way.storage.queues.ticketing.claim({
      ...terms,
      limit: 1,
      busy: [],
      slotsPerPartner: 1,
      since: 0,
    });
    return job!;
  };

  test("an order that waits is cancelled, and nothing is sent", async () => {
    const id = await way.order();
    assert.deepEqual(await cancel(id), { kind: "cancelled" });
    assert.equal(await way.work(), 0);
    const { order, ticketing, actions } = await way.story(id);
    assert.equal(order.pipeline_status, "cancelled");
    assert.equal(order.blocked_reason, "cancelled before it was ticketed");
    assert.equal(ticketing!.job.status, "cancelled");
    assert.equal(actions[0]!.action, "cancel");
    assert.deepEqual(await cancel(id), { kind: "refused", status: "cancelled" });
  });

  test("with an attempt in flight it is recorded, and a failure ends in cancelled", async () => {
    const id = await way.order();
    const job = await claimOne();
    assert.deepEqual(await cancel(id), { kind: "requested" });
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_processing");
    await way.storage.settlements.ticketing.settle(
      [
        {
          claim: job,
          attempt: { code: null, error: "timeout", durationMs: 10, answer: null, note: null },
          job: "pending",
          dueAt: clock.nowMs + 2_000,
          reason: null,
          ticketed: null,
          health: null,
          finding: "",
        },
      ],
      clock.nowMs,
    );
    const { order, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "cancelled");
    assert.match(order.blocked_reason!, /ticketing may hold tickets/);
    assert.equal(ticketing!.job.next_attempt_at, null);
    clock.advance(60_000);
    assert.equal(await way.work(), 0);
  });

  test("with an attempt in flight a success still makes it ticketed", async () => {
    const id = await way.order();
    way.ticketing.answer((response) => {
      void cancel(id).then(() => response.writeHead(200).end('{"tickets":["T"]}'));
    });
    await way.work();
    const { order, tickets } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(tickets, ["T"]);
  });

  test("a late success of a cancelled order is told: somebody has to revoke the tickets", async () => {
    const id = await way.order();
    const job = await claimOne();
    clock.advance(15_001);
    await way.engine.tend();
    await cancel(id);
    assert.match((await way.story(id)).order.blocked_reason!, /may hold tickets/);
    await way.storage.settlements.ticketing.settle(
      [
        {
          claim: job,
          attempt: { code: 200, error: null, durationMs: 20_000, answer: "{}", note: null },
          job: "succeeded",
          dueAt: null,
          reason: null,
          ticketed: {
            reference: "TK",
            tickets: [],
            event: { name: "order.ticketed", id: "evt_late", sequence: 1, body: "{}" },
          },
          health: "working",
          finding: "",
        },
      ],
      clock.nowMs,
    );
    const { order, late, callback } = await way.story(id);
    assert.equal(order.pipeline_status, "cancelled");
    assert.match(order.blocked_reason!, /has issued tickets/);
    assert.equal(late.length, 1);
    assert.equal(callback, null);
  });

  test("a claim given back after the request was cancelled", async () => {
    const id = await way.order();
    const job = await claimOne();
    await cancel(id);
    await way.storage.queues.ticketing.giveBack([job], clock.nowMs);
    const { order, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "cancelled");
    assert.equal(order.blocked_reason, "cancelled before it was ticketed");
    assert.equal(ticketing!.job.ends_as, null);
  });

  test("a ticketed order can't be cancelled", async () => {
    const id = await way.order();
    await way.work();
    assert.deepEqual(await cancel(id), { kind: "refused", status: "ota_callback_delivered" });
    assert.deepEqual(await cancel(id + 1), { kind: "not_found" });
  });
});

onEachDatabase("unknown outcomes", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock, onUnknown: "hold" });
  });
  afterEach(() => way.close());

  test("an answer that broke off is held for a person, who marks it ticketed", async () => {
    way.ticketing.answer((response) => {
      response.writeHead(200, { "content-length": "100" }).write("{");
      setTimeout(() => response.destroy(), 20);
    });
    const id = await way.order();
    await way.work();
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_unknown");
    clock.advance(3_600_000);
    assert.equal(await way.work(), 0);
    const ticketed = {
      reference: "TK-7",
      tickets: ['"CODE-1"'],
      event: { name: "order.ticketed" as const, id: "evt_1", sequence: 1, body: "{}" },
    };
    const marked = await way.storage.operatorActions.markTicketed(id, ticketed, ACT, clock.nowMs);
    assert.deepEqual(marked, { kind: "ticketed", from: "ticketing_unknown" });
    await way.work();
    const { order, tickets, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(tickets, ["CODE-1"]);
    for (const q of ["CODE-1", ticketed.reference])
      assert.deepEqual(await way.storage.orderSearch.ids({ ...ANY_ORDER, q }, 0, 5), [id], q);
    assert.equal(ticketing!.job.status, "succeeded");
    assert.equal(way.partner.requests.length, 1);
  });

  test("a lost attempt is unknown, a refused connection is not", async () => {
    const id = await way.order();
    const terms = { claim: CLAIM, claimedBy: "gone", leaseMs: 15_000, now: clock.nowMs };
    await way.storage.queues.ticketing.claim({ ...terms, limit: 1, busy: [], slotsPerPartner: 1, since: 0 });
    clock.advance(15_001);
    await way.engine.tend();
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_unknown");
    await way.ticketing.close();
    const other = await way.order();
    await way.work();
    const { order, ticketing } = await way.story(other);
    assert.equal(order.pipeline_status, "ticketing_processing");
    assert.equal(ticketing!.attempts[0]!.error, "connect");
  });

  test("not ticketed: a retry begins a new run", async () => {
    way.ticketing.answer((response) => response.destroy(), 200);
    const id = await way.order();
    await way.work();
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_unknown");
    const retried = await way.storage.operatorActions.retry(id, ACT, clock.nowMs);
    assert.equal(retried.kind, "retried");
    await way.work();
    assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_delivered");
  });
});
