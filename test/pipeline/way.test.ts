import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { json } from "../support/recorder.ts";
import { SEED_OFFSETS_SECS, startWay, type Way } from "../support/way.ts";

const TICKETS = { reference: "TK-9", tickets: [{ code: "A-1" }, "A-2"] };

onEachDatabase("the order's way", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock });
  });
  afterEach(() => way.close());

  test("an order is ticketed and called back, with one trace id down its story", async () => {
    way.ticketing.answer(json(200, TICKETS));
    const id = await way.order({ loyalty: { tier: "gold" } });
    assert.equal((await way.story(id)).order.pipeline_status, "accepted");
    assert.equal(await way.work(), 2);

    const { order, ticketing, callback, tickets } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.equal(order.reference, "TK-9");
    assert.deepEqual(tickets, TICKETS.tickets);
    assert.deepEqual(
      [ticketing!.job, callback!.job].map((job) => [
        job.status,
        job.last_status_code,
        job.claim,
        job.attempts,
      ]),
      [
        ["succeeded", 200, null, 1],
        ["succeeded", 200, null, 1],
      ],
    );
    const [toTicketing] = way.ticketing.requests;
    const [toPartner] = way.partner.requests;
    for (const { headers } of [toTicketing!, toPartner!]) {
      assert.equal(headers["x-trace-id"], order.trace_id);
      assert.equal(headers["idempotency-key"], order.trace_id);
      assert.equal(headers["x-origin-partner-id"], "demo");
      assert.equal(headers["x-external-order-id"], "EXT-42");
      assert.equal(headers["accept-encoding"], "identity");
      assert.equal(String(headers["traceparent"]).split("-")[1], order.trace_id.replaceAll("-", ""));
    }
    assert.deepEqual(JSON.parse(toTicketing!.body), {
      trace_id: order.trace_id,
      partner_id: "demo",
      external_order_id: "EXT-42",
      items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
      buyer: { name: "Alex" },
      loyalty: { tier: "gold" },
    });
    assert.equal(toPartner!.body, callback!.job.body);
    const event = JSON.parse(toPartner!.body);
    assert.equal(event.event, "order.ticketed");
    assert.equal(event.order.trace_id, order.trace_id);
    assert.deepEqual(event.order.tickets, TICKETS.tickets);
  });

  test("the seed's excerpt: 500, 500, 200, then a callback", async () => {
    way.ticketing.answer(500, 500, 200);
    const id = await way.order();
    for (const wait of [0, 2_000, 4_000]) {
      clock.advance(wait);
      await way.work();
    }
    const { order, ticketing, callback } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    const shown = ticketing!.attempts.map(({ no, code, error }) => ({ no, code, error }));
    assert.deepEqual(shown, [
      { no: 1, code: 500, error: null },
      { no: 2, code: 500, error: null },
      { no: 3, code: 200, error: null },
    ]);
    assert.equal(callback!.attempts.length, 1);
    const keys = new Set(way.ticketing.requests.map(({ headers }) => headers["idempotency-key"]));
    assert.deepEqual([...keys], [order.trace_id]);
  });

  test("the schedule, attempt by attempt: 15 at the seed's offsets, then exhausted", async () => {
    way.ticketing.answer(503);
    const id = await way.order();
    const startMs = clock.nowMs;
    for (const [index, offsetSecs] of SEED_OFFSETS_SECS.entries()) {
      if (index > 0) {
        clock.nowMs = startMs + offsetSecs * 1000 - 1;
        assert.equal(await way.work(), 0, `attempt ${index + 1} came too early`);
        clock.advance(1);
      }
      assert.equal(await way.work(), 1, `attempt ${index + 1} did not come`);
    }
    clock.advance(3_600_000);
    assert.equal(await way.work(), 0);
    const { order, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "ticketing_exhausted");
    assert.equal(ticketing!.job.status, "exhausted");
    assert.deepEqual(
      ticketing!.attempts.map(({ no, at }) => [no, (at - startMs) / 1000]),
      SEED_OFFSETS_SECS.map((secs, index) => [index + 1, secs]),
    );
    assert.match(order.blocked_reason!, /^15 attempts failed; at last ticketing answered 503$/);
  });

  test("a 4xx blocks at once, and an operator's retry begins a new run", async () => {
    way.ticketing.answer(422);
    const id = await way.order();
    assert.equal(await way.work(), 1);
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_blocked");
    clock.advance(3_600_000);
    assert.equal(await way.work(), 0);

    way.ticketing.answer(500, 200);
    const act = { actor: "ops", reason: "the price list was fixed" };
    const storage = way.storage;
    const retried = await storage.operatorActions.retry(id, act, clock.nowMs);
    assert.deepEqual(retried, {
      kind: "retried",
      leg: "ticketing",
      from: "ticketing_blocked",
      to: "ticketing_processing",
    });
    assert.equal(await way.work(), 1);
    clock.advance(2_000);
    assert.equal(await way.work(), 2);
    const { order, ticketing, actions } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.equal(order.blocked_reason, null);
    assert.deepEqual(
      ticketing!.attempts.map(({ no, code }) => [no, code]),
      [
        [1, 422],
        [2, 500],
        [3, 200],
      ],
    );
    assert.deepEqual(
      actions.map(({ actor, action, reason }) => ({ actor, action, reason })),
      [{ actor: "ops", action: "retry ticketing", reason: "the price list was fixed" }],
    );
    assert.deepEqual(await storage.operatorActions.retry(id, act, clock.nowMs), {
      kind: "refused",
      status: "ota_callback_delivered",
    });
    assert.deepEqual(await storage.operatorActions.retry(999, act, clock.nowMs), { kind: "not_found" });
  });

  test("a callback is retried with the same bytes, blocked by a 4xx, and retried by an operator", async () => {
    way.partner.answer(500, 410);
    const id = await way.order();
    await way.work();
    clock.advance(2_000);
    await way.work();
    assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_blocked");
    way.partner.answer(204);
    const storage = way.storage;
    await storage.operatorActions.retry(id, { actor: "ops", reason: "route was added" }, clock.nowMs);
    await way.work();
    const { order, callback } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(
      callback!.attempts.map(({ no, code }) => [no, code]),
      [
        [1, 500],
        [2, 410],
        [3, 204],
      ],
    );
    assert.equal(new Set(way.partner.requests.map(({ body }) => body)).size, 1);
    assert.equal(way.ticketing.requests.length, 1);
  });

  test("Retry-After puts the next attempt off, at most to the end of the schedule", async () => {
    way.ticketing.answer(
      json(503, {}, { "retry-after": "40" }),
      json(429, {}, { "retry-after": "100000" }),
      200,
    );
    const id = await way.order();
    const startMs = clock.nowMs;
    await way.work();
    assert.equal((await way.story(id)).ticketing!.job.next_attempt_at, startMs + 40_000);
    clock.advance(40_000);
    await way.work();
    assert.equal((await way.story(id)).ticketing!.job.next_attempt_at, startMs + 300_000);
    clock.advance(260_000);
    await way.work();
    assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_delivered");
  });

  test("downtime shifts the schedule and never becomes a burst", async () => {
    way.ticketing.answer(500);
    const id = await way.order();
    await way.work();
    clock.advance(3_600_000);
    assert.equal(await way.work(), 1);
    assert.equal(await way.work(), 0);
    const { ticketing } = await way.story(id);
    assert.equal(ticketing!.job.next_attempt_at, clock.nowMs + 4_000);
  });

  test("an answer with 40 tickets is carried into the order and the callback", async () => {
    const tickets = Array.from({ length: 40 }, (_, index) => ({ code: `บัตร-${index}`, seat: `🎟️ ${index}` }));
    way.ticketing.answer(json(201, { tickets, reference: "TK-40" }));
    const id = await way.order();
    await way.work();
    assert.deepEqual((await way.story(id)).tickets, tickets);
    assert.deepEqual(JSON.parse(way.partner.requests[0]!.body).order.tickets, tickets);
  });

  test("a 2xx is done whatever its body says, and the note says why there are no tickets", async () => {
    way.ticketing.answer((response) => response.writeHead(200).end("\u0000OK, thank you \uD83C\u0000"));
    const id = await way.order();
    await way.work();
    const { order, ticketing, tickets } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(tickets, []);
    assert.match(ticketing!.attempts[0]!.note!, /no JSON/);
    assert.match(ticketing!.attempts[0]!.answer!, /OK, thank you/);
  });

  test("an open claim is taken over when its lease ends: `lost`, then on schedule", async () => {
    const id = await way.order();
    const queue = way.storage.queues.ticketing;
    const request = { limit: 1, busy: [], slotsPerPartner: 1, since: 0, claimedBy: "gone", leaseMs: 15_000 };
    const claim = "01890000-0000-7000-8000-000000000001";
    const [job] = await queue.claim({ ...request, claim, now: clock.nowMs });
    clock.advance(15_000);
    await way.engine.tend();
    assert.equal(await way.work(), 0);
    clock.advance(1);
    await way.engine.tend();
    await way.work();
    const { order, ticketing } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(
      ticketing!.attempts.map(({ no, code, error }) => [no, code, error]),
      [
        [1, null, "lost"],
        [2, 200, null],
      ],
    );
    assert.equal(job!.no, 1);
  });
});
