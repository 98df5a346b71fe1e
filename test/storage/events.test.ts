import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { callbackBody } from "../../src/orders/callback-event.ts";
import type { Claim } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { Settlement } from "../../src/storage/settlements.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import {
  claimOne,
  claimRequest,
  lost,
  newOrder,
  NOW,
  place,
  settle,
  settlement,
  statusOf,
} from "./fixtures.ts";
import { storyOf, ticketed } from "./fixtures.ts";

const ACT = { actor: "ops", reason: "a test" };

interface EventRow {
  event: string;
  event_id: string;
  sequence: number;
  status: string;
  body: string;
}

onEachDatabase("failure events", (kind) => {
  let storage: Storage;
  let partner: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
  });
  beforeEach(async () => {
    await addPartner(storage, (partner = `p${(partners += 1)}`));
    await optIn(1);
  });
  after(() => storage.close());

  const optIn = (value: number) =>
    storage.database.queries
      .updateTable("partners")
      .set({ failure_events: value })
      .where("partner_id", "=", partner)
      .execute();
  const order = async () => (await place(storage, [newOrder({ partnerId: partner })]))[0]!.id;
  const mine = (now: number) => ({
    busy: [{ partnerId: partner, slots: 100, firstAttempts: 0, retries: 0 }],
    slotsPerPartner: 0,
    now,
  });
  const take = (now = NOW) => claimOne(storage, "ticketing", mine(now));
  const end = (claim: Claim, job: Settlement["job"], more: Partial<Settlement> = {}) =>
    settle(storage, "ticketing", settlement("ticketing", claim, job, more));
  const events = (id: number) =>
    storage.database.queries
      .selectFrom("ota_callback_jobs")
      .select(["event", "event_id", "sequence", "status", "body"])
      .where("order_id", "=", id)
      .orderBy("sequence")
      .execute() as Promise<EventRow[]>;
  const told = async (id: number) =>
    (await events(id)).map(({ event, sequence, body }) => {
      const text = JSON.parse(body) as { sequence?: number; reason_code?: string };
      assert.equal(text.sequence ?? 1, sequence);
      return [event, text.reason_code ?? null];
    });

  test("an order that comes to stand is told with its reason, once, in the settle's transaction", async () => {
    const id = await order();
    await end(await take(), "blocked");
    const [event, ...others] = await events(id);
    assert.equal(others.length, 0);
    const { order: row, callback } = await storyOf(storage, id);
    assert.equal(callback, null, "the callback job that is shown is order.ticketed's");
    assert.equal(row.pipeline_status, "ticketing_blocked");
    assert.equal(
      event!.body,
      callbackBody({
        event: "order.blocked",
        eventId: event!.event_id,
        sequence: 1,
        occurredAt: NOW,
        reasonCode: "ticketing_refused",
        order: {
          id,
          externalOrderId: row.external_order_id,
          traceId: row.trace_id,
          status: "ticketing_blocked",
          reference: null,
          items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" }],
          tickets: [],
        },
      }),
    );
    assert.match(event!.event_id, /^evt_[0-9a-f]{32}$/);
    assert.deepEqual([event!.event, event!.status], ["order.blocked", "pending"]);
  });

  test("an event that can't be written takes the settle with it: all of it, or nothing", async () => {
    const id = await order();
    const claim = await take();
    const insert = `insert into ota_callback_jobs
        (order_id, partner_id, event, event_id, sequence, body, status, created_at, updated_at)
      values ($1, $2, 'order.blocked', 'evt_taken', 1, '{}', 'closed', 0, 0)`;
    await storage.database.transact((tx) => tx(insert, [id, partner]));
    await assert.rejects(end(claim, "blocked"));
    const { order: row, ticketing } = await storyOf(storage, id);
    assert.deepEqual(
      [row.pipeline_status, row.failures_told, ticketing!.job.status, ticketing!.attempts.length],
      ["ticketing_processing", 0, "running", 0],
    );
  });

  test("the reason codes", async () => {
    const attempt = { code: null, error: null, durationMs: 1, answer: null, note: null };
    const cases: [Settlement["job"], Partial<Settlement["attempt"]>, string, string][] = [
      ["blocked", { code: 422 }, "order.blocked", "ticketing_refused"],
      ["blocked", { code: 401 }, "order.blocked", "ticketing_unavailable"],
      ["blocked", { code: 200, error: "too_large" }, "order.blocked", "answer_unreadable"],
      ["blocked", {}, "order.blocked", "not_sendable"],
      ["exhausted", { error: "timeout" }, "order.exhausted", "ticketing_unavailable"],
    ];
    for (const [job, more, event, reason] of cases) {
      const id = await order();
      await end(await take(), job, { attempt: { ...attempt, ...more } });
      assert.deepEqual(await told(id), [[event, reason]]);
    }
    const id = await order();
    await end(await take(), "unknown");
    assert.deepEqual(await told(id), [], "what nobody knows can't be told");
  });

  test("a partner who hasn't asked is told of tickets alone", async () => {
    await optIn(0);
    const id = await order();
    await end(await take(), "blocked");
    assert.deepEqual(await told(id), []);
    await storage.operatorActions.retry(id, ACT, NOW);
    await end(await take(), "succeeded");
    assert.deepEqual(await told(id), [["order.ticketed", null]]);
  });

  test("events count from 1 without gaps, also over retries, a late success and by hand", async () => {
    const retried = await order();
    await end(await take(), "blocked");
    await storage.operatorActions.retry(retried, ACT, NOW);
    await end(await take(), "exhausted");
    await storage.operatorActions.retry(retried, ACT, NOW);
    await end(await take(), "succeeded");
    const all = [
      ["order.blocked", "ticketing_refused"],
      ["order.exhausted", "ticketing_unavailable"],
      ["order.ticketed", null],
    ];
    assert.deepEqual(await told(retried), all);
    const { callback } = await storyOf(storage, retried);
    assert.deepEqual([callback!.job.event, callback!.job.sequence], ["order.ticketed", 3]);

    const byHand = await order();
    await end(await take(), "blocked");
    await storage.operatorActions.markTicketed(byHand, ticketed(), ACT, NOW);
    assert.deepEqual(await told(byHand), [all[0], all[2]]);

    const late = await order();
    const claim = await take();
    await settle(storage, "ticketing", { ...lost(claim, "exhausted"), reason: "lost" });
    assert.equal((await end(claim, "succeeded")).result, "late");
    assert.deepEqual(await told(late), [all[1], all[2]]);
  });

  test("a cancelled order is told, with whether ticketing may hold tickets", async () => {
    const untouched = await order();
    await storage.operatorActions.cancel(untouched, ACT, NOW);
    assert.deepEqual(await told(untouched), [["order.cancelled", "cancelled"]]);
    const inFlight = await order();
    const claim = await take();
    await storage.operatorActions.cancel(inFlight, ACT, NOW);
    assert.deepEqual(await told(inFlight), []);
    const attempt = { code: null, error: "timeout" as const, durationMs: 1, answer: null, note: null };
    await end(claim, "pending", { attempt });
    assert.deepEqual(await told(inFlight), [["order.cancelled", "cancelled_in_doubt"]]);
    const unsent = await order();
    const held = await take();
    await storage.operatorActions.cancel(unsent, ACT, NOW);
    await storage.queues.ticketing.giveBack([held], NOW);
    assert.deepEqual(await told(unsent), [["order.cancelled", "cancelled"]]);
  });

  test("what becomes of a failure event's callback moves no order", async () => {
    for (const job of ["succeeded", "blocked", "exhausted"] as const) {
      const id = await order();
      await end(await take(), "blocked");
      const callback = await claimOne(storage, "callback", mine(NOW));
      assert.equal(callback.callback!.event.name, "order.blocked");
      assert.equal(await statusOf(storage, id), "ticketing_blocked");
      const settled = await settle(storage, "callback", settlement("callback", callback, job));
      assert.equal(settled.result, "settled");
      assert.equal(await statusOf(storage, id), "ticketing_blocked");
    }
  });

  test("nor when it is told after the order was ticketed", async () => {
    const id = await order();
    await end(await take(), "blocked");
    await storage.operatorActions.retry(id, ACT, NOW);
    await end(await take(), "succeeded");
    const [first, second] = await storage.queues.callback.claim(claimRequest({ ...mine(NOW), limit: 1 }));
    assert.deepEqual([first!.callback!.event.name, second], ["order.blocked", undefined]);
    assert.equal(await statusOf(storage, id), "ticketed", "its claim begins nothing");
    const ticketedJob = await claimOne(storage, "callback", mine(NOW));
    assert.equal(await statusOf(storage, id), "ota_callback_pending");
    await settle(storage, "callback", settlement("callback", first!, "exhausted"));
    assert.equal(await statusOf(storage, id), "ota_callback_pending");
    await settle(storage, "callback", settlement("callback", ticketedJob, "succeeded"));
    assert.equal(await statusOf(storage, id), "ota_callback_delivered");
  });

  test("one that an open circuit held until its limit takes no order with it", async () => {
    const id = await order();
    await end(await take(), "blocked");
    await storage.operatorActions.retry(id, ACT, NOW);
    await end(await take(), "succeeded");
    await storage.database.queries
      .updateTable("ota_callback_jobs")
      .set({ held_until: NOW })
      .where("order_id", "=", id)
      .where("event", "=", "order.blocked")
      .execute();
    assert.equal(await storage.circuits.callback.expire(10, NOW), 1);
    assert.deepEqual(
      (await events(id)).map(({ status }) => status),
      ["exhausted", "pending"],
    );
    assert.equal(await statusOf(storage, id), "ticketed");
  });

  test("an order that ticketing's circuit held until its limit is told as exhausted", async () => {
    const id = await order();
    await storage.database.queries
      .updateTable("ticketing_jobs")
      .set({ held_until: NOW })
      .where("id", "=", id)
      .execute();
    await storage.circuits.ticketing.expire(10, NOW);
    assert.deepEqual(await told(id), [["order.exhausted", "ticketing_unavailable"]]);
  });

  test("a batch: each order's event is its own, and a settle that is run again tells nothing twice", async () => {
    const ids = [await order(), await order(), await order()];
    const claims = [await take(), await take(), await take()];
    const ends = claims.map((claim) => settlement("ticketing", claim, "blocked"));
    await storage.settlements.ticketing.settle(ends, NOW);
    await storage.settlements.ticketing.settle(ends, NOW);
    for (const id of ids) assert.deepEqual(await told(id), [["order.blocked", "ticketing_refused"]]);
  });
});
