import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ORDER_STATUSES } from "../../src/orders/states.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { startWay, type Way } from "../support/way.ts";

const ACT = { actor: "ops", reason: "the guest called" };

onEachDatabase("resend and close", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock, signingSecret: "a shared secret" });
  });
  afterEach(() => way.close());

  const actions = () => way.storage.operatorActions;
  const setStatus = (id: number, status: string) =>
    way.storage.database.run("update orders set pipeline_status = $2 where id = $1", [id, status]);

  test("a delivered callback is sent again: the same bytes, event id and key, as a new run", async () => {
    const id = await way.order();
    await way.work();
    clock.advance(60_000);
    assert.deepEqual(await actions().resend(id, ACT, clock.nowMs), { kind: "resent" });
    assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_pending");
    assert.equal((await actions().resend(id, ACT, clock.nowMs)).kind, "refused");
    // The new run has its whole schedule.
    way.partner.answer(503, 200);
    await way.work();
    clock.advance(2_000);
    await way.work();
    const [first, second, third] = way.partner.requests;
    assert.equal(way.partner.requests.length, 3);
    for (const again of [second!, third!]) {
      assert.deepEqual(again.body, first!.body);
      for (const name of ["webhook-id", "idempotency-key", "x-callback-signature", "x-trace-id"])
        assert.equal(again.headers[name], first!.headers[name], name);
    }
    const { order, callback, actions: acts } = await way.story(id);
    assert.equal(order.pipeline_status, "ota_callback_delivered");
    assert.deepEqual(
      callback!.attempts.map(({ no, code }) => [no, code]),
      [
        [1, 200],
        [2, 503],
        [3, 200],
      ],
    );
    assert.deepEqual(
      acts.map(({ actor, action, reason }) => [actor, action, reason]),
      [["ops", "resend callback", "the guest called"]],
    );
    assert.equal(way.ticketing.requests.length, 1);
  });

  test("what is sent again must be what was sent: not after the buyer was blanked", async () => {
    const id = await way.order();
    await way.work();
    await way.storage.database.run("update orders set buyer_blanked_at = 1 where id = $1", [id]);
    const refused = await actions().resend(id, ACT, clock.nowMs);
    assert.ok(refused.kind === "refused" && /blanked/.test(refused.why!), JSON.stringify(refused));
    assert.deepEqual((await way.story(id)).actions, []);
  });

  test("resend and close are refused from everywhere else, and nothing is recorded", async () => {
    const id = await way.order();
    const allowed = {
      resend: /^ota_callback_delivered$/,
      close: /^ticketing_(blocked|exhausted|unknown)$|^ota_callback_(blocked|exhausted)$/,
    };
    for (const [name, pattern] of Object.entries(allowed)) {
      for (const status of ORDER_STATUSES.filter((each) => !pattern.test(each))) {
        await setStatus(id, status);
        const act = actions()[name as keyof typeof allowed];
        assert.deepEqual(await act(id, ACT, clock.nowMs), { kind: "refused", status });
      }
      assert.deepEqual(await actions()[name as keyof typeof allowed](9_999, ACT, 0), { kind: "not_found" });
    }
    const story = await way.story(id);
    assert.deepEqual([story.actions, story.ticketing!.job.status], [[], "pending"]);
  });

  test("a closed order is at its end: its job too, a circuit or a retry don't take it up again", async () => {
    way.ticketing.answer(422);
    const id = await way.order();
    await way.work();
    const closed = await actions().close(id, ACT, clock.nowMs);
    assert.deepEqual(closed, { kind: "closed", from: "ticketing_blocked" });
    const { order, ticketing, actions: acts } = await way.story(id);
    assert.equal(order.pipeline_status, "closed");
    assert.match(order.blocked_reason!, /outside the gateway/);
    assert.equal(ticketing!.job.status, "closed");
    assert.deepEqual(
      acts.map(({ action }) => action),
      ["close"],
    );
    assert.deepEqual(await actions().retry(id, ACT, clock.nowMs), { kind: "refused", status: "closed" });
    clock.advance(3_600_000);
    assert.equal(await way.work(), 0);
  });

  test("a callback that stands still is closed", async () => {
    way.partner.answer(410);
    const id = await way.order();
    await way.work();
    assert.equal((await actions().close(id, ACT, clock.nowMs)).kind, "closed");
    const { ticketing, callback } = await way.story(id);
    assert.deepEqual([ticketing!.job.status, callback!.job.status], ["succeeded", "closed"]);
  });

  test("a request key: the repeated click does nothing, and another key does", async () => {
    way.ticketing.answer(422);
    const id = await way.order();
    await way.work();
    const once = { ...ACT, requestKey: "click-1" };
    assert.equal((await actions().retry(id, once, clock.nowMs)).kind, "retried");
    await way.work();
    const again = await actions().retry(id, once, clock.nowMs);
    assert.deepEqual(again, { kind: "repeated", status: "ticketing_blocked", action: "retry ticketing" });
    const { kind } = await actions().retry(id, { ...ACT, requestKey: "click-2" }, clock.nowMs);
    assert.equal(kind, "retried");
    assert.equal((await way.story(id)).actions.length, 2);
  });
});
