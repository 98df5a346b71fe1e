import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import type { Recorded } from "../support/recorder.ts";
import { PARTNER_ID, startWay, type Way } from "../support/way.ts";

const ACT = { actor: "ops", reason: "the SKU is on sale again" };

onEachDatabase("failure callbacks", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock, signingSecret: "shared" });
    await way.storage.database.queries
      .updateTable("partners")
      .set({ failure_events: 1 })
      .where("partner_id", "=", PARTNER_ID)
      .execute();
  });
  afterEach(() => way.close());

  const told = ({ body }: Recorded) => {
    const { event, event_id, sequence, reason_code, order } = JSON.parse(body) as Record<string, unknown>;
    return { event, event_id, sequence, reason_code, status: (order as { status: string }).status };
  };

  test("told under its own id and signed, retried on schedule, and the tickets come as the next event", async () => {
    way.ticketing.answer(422);
    way.partner.answer(500, 200);
    const id = await way.order();
    await way.work();
    clock.advance(2_000);
    await way.work();
    const [first, again, ...others] = way.partner.requests;
    assert.equal(others.length, 0);
    assert.equal(first!.body, again!.body, "byte for byte the same");
    const { event_id: eventId, ...blocked } = told(first!);
    assert.deepEqual(blocked, {
      event: "order.blocked",
      sequence: 1,
      reason_code: "ticketing_refused",
      status: "ticketing_blocked",
    });
    for (const { headers, body } of [first!, again!]) {
      assert.deepEqual([headers["idempotency-key"], headers["webhook-id"]], [eventId, eventId]);
      const signature = createHmac("sha256", "shared").update(body).digest("hex");
      assert.equal(headers["x-callback-signature"], signature);
    }
    assert.equal((await way.story(id)).order.pipeline_status, "ticketing_blocked");

    way.ticketing.answer(200);
    await way.storage.operatorActions.retry(id, ACT, clock.nowMs);
    await way.work();
    const last = way.partner.requests.at(-1)!;
    const { event, sequence, event_id } = told(last);
    assert.deepEqual([event, sequence], ["order.ticketed", 2]);
    assert.notEqual(event_id, eventId);
    const { order } = await way.story(id);
    assert.equal(last.headers["idempotency-key"], order.trace_id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
  });

  test("one that the partner refuses leaves its order where it stands", async () => {
    way.ticketing.answer(422);
    way.partner.answer(404);
    const id = await way.order();
    await way.work();
    assert.equal(way.partner.requests.length, 1);
    const { order, callback } = await way.story(id);
    assert.deepEqual([order.pipeline_status, callback], ["ticketing_blocked", null]);
    assert.deepEqual(await way.storage.readEvents(id, "another"), null);
    const [event] = (await way.storage.readEvents(id, PARTNER_ID))!;
    assert.deepEqual([event!.status, event!.last_status_code, event!.attempts], ["blocked", 404, 1]);
  });

  test("nothing of ticketing's inner life is told", async () => {
    way.ticketing.answer((response) => response.writeHead(422).end("no such SKU at 10.0.0.7"));
    await way.order();
    await way.work();
    const { body } = way.partner.requests[0]!;
    assert.ok(!/10\.0\.0\.7|no such SKU|127\.0\.0\.1|Alex/.test(body), body);
  });
});
