import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { claimOne, settle, settlement, storyOf } from "../storage/fixtures.ts";
import { addOperator, DEMO, type Door, openDoor, ORDER } from "./door.ts";

suite("acts of operators over HTTP", () => {
  let door: Door;
  let kim: { authorization: string };
  const announced: string[] = [];
  beforeEach(async () => {
    announced.length = 0;
    door = await openDoor({ announce: (leg) => void announced.push(leg) });
    kim = await addOperator(door, "kim");
  });
  afterEach(() => door.close());

  const act = (id: number | string, verb: string, body: object, headers: Record<string, string> = kim) =>
    door.app.inject({
      method: "POST",
      url: `/admin/orders/${id}/${verb}`,
      headers: { "content-type": "application/json", ...headers },
      payload: body,
    });
  const reason = "the guest called";

  async function accepted(): Promise<number> {
    const response = await door.post({ payload: { ...ORDER } });
    return response.json<{ id: number }>().id;
  }
  async function blocked(): Promise<number> {
    const id = await accepted();
    const now = Date.now() + 1_000;
    const job = await claimOne(door.storage, "ticketing", { now });
    await settle(door.storage, "ticketing", settlement("ticketing", job, "blocked"), now);
    return id;
  }
  async function delivered(): Promise<number> {
    const id = await accepted();
    const now = Date.now() + 1_000;
    const job = await claimOne(door.storage, "ticketing", { now });
    await settle(door.storage, "ticketing", settlement("ticketing", job, "succeeded"), now);
    const callback = await claimOne(door.storage, "callback", { now });
    await settle(door.storage, "callback", settlement("callback", callback, "succeeded"), now);
    return id;
  }

  test("retry: done, recorded with the operator's name, and the workers hear of it", async () => {
    const id = await blocked();
    const response = await act(id, "retry", { reason });
    assert.deepEqual(
      [response.statusCode, response.json()],
      [200, { order_id: id, action: "retry", result: "done", order_status: "ticketing_processing" }],
    );
    assert.deepEqual(announced, ["ticketing"]);
    const { actions } = await storyOf(door.storage, id);
    assert.deepEqual(
      actions.map((one) => [one.actor, one.action, one.reason]),
      [["kim", "retry ticketing", reason]],
    );
  });

  test("a repeated click: 409 that says where the order is; under the same key the first answer", async () => {
    const id = await blocked();
    const key = { ...kim, "idempotency-key": "click-1" };
    const first = await act(id, "retry", { reason }, key);
    assert.equal(first.statusCode, 200);
    const refused = await act(id, "retry", { reason });
    const problem = refused.json<Record<string, unknown>>();
    assert.equal(refused.statusCode, 409);
    assert.deepEqual(
      [problem["type"], problem["order_id"], problem["order_status"]],
      ["urn:wavegate:problem:not-possible", id, "ticketing_processing"],
    );
    assert.match(String(problem["detail"]), /ticketing_processing.*nothing can be retried/);
    const again = await act(id, "retry", { reason }, key);
    assert.deepEqual(
      [again.statusCode, again.headers["idempotent-replayed"], again.json()],
      [200, "true", first.json()],
    );
    assert.equal((await act(id, "close", { reason }, key)).statusCode, 422);
    assert.equal((await storyOf(door.storage, id)).actions.length, 1);
  });

  test("resend, cancel, close, resolve", async () => {
    const sent = await delivered();
    const again = await act(sent, "resend", { reason });
    assert.equal(again.json<{ order_status: string }>().order_status, "ota_callback_pending");
    assert.deepEqual(announced, ["callback"]);
    const waiting = await accepted();
    assert.equal((await act(waiting, "cancel", { reason })).json<{ result: string }>().result, "done");
    const flying = await accepted();
    await claimOne(door.storage, "ticketing", { now: Date.now() + 1_000 });
    assert.equal((await act(flying, "cancel", { reason })).json<{ result: string }>().result, "requested");
    const outside = await blocked();
    assert.equal(
      (await act(outside, "close", { reason })).json<{ order_status: string }>().order_status,
      "closed",
    );
    const byHand = await blocked();
    const tickets = ["A1", "A2"];
    const resolved = await act(byHand, "resolve", { reason, ticketed: true, tickets, reference: "TK-9" });
    assert.equal(resolved.json<{ order_status: string }>().order_status, "ticketed");
    const story = await storyOf(door.storage, byHand);
    assert.deepEqual([story.tickets, story.order.reference], [tickets, "TK-9"]);
    const unknown = await blocked();
    const asked = await act(unknown, "resolve", { reason, ticketed: false });
    assert.equal(asked.json<{ order_status: string }>().order_status, "ticketing_processing");
  });

  test("an order that has its tickets isn't one that ticketing knows nothing of", async () => {
    const id = await accepted();
    const now = Date.now() + 1_000;
    const job = await claimOne(door.storage, "ticketing", { now });
    await settle(door.storage, "ticketing", settlement("ticketing", job, "succeeded"), now);
    const callback = await claimOne(door.storage, "callback", { now });
    await settle(door.storage, "callback", settlement("callback", callback, "exhausted"), now);
    const refused = await act(id, "resolve", { reason, ticketed: false });
    assert.equal(refused.statusCode, 409, refused.body);
    assert.match(refused.body, /ticketing must have come to a stop/);
    assert.deepEqual((await storyOf(door.storage, id)).actions, []);
    assert.deepEqual(announced, []);
    assert.equal((await act(id, "retry", { reason })).statusCode, 200);
  });

  test("refusals: a body that is not as it must be, no such order, a viewer, a partner", async () => {
    const id = await blocked();
    const refusals: [string, object, RegExp][] = [
      ["retry", {}, /\/reason is required/],
      ["retry", { reason: " " }, /\/reason must be why/],
      ["retry", { reason: "a\nb" }, /\/reason must be why/],
      ["retry", { reason, resaon: 1 }, /\/resaon is unknown/],
      ["resolve", { reason }, /\/ticketed is required/],
      ["resolve", { reason, ticketed: true }, /with tickets, a reference or both/],
      ["resolve", { reason, ticketed: false, tickets: ["A"] }, /exactly if that is true/],
      ["resolve", { reason, ticketed: true, tickets: [""] }, /\/tickets\/0 must be a text/],
      ["resolve", { reason, ticketed: true, tickets: [7] }, /\/tickets\/0 must be a text/],
    ];
    for (const [verb, body, expected] of refusals) {
      const response = await act(id, verb, body);
      assert.equal(response.statusCode, 400, response.body);
      const { errors } = response.json<{ errors: { pointer: string; detail: string }[] }>();
      assert.match(errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join("\n"), expected);
    }
    for (const unknown of [999, "x", "0"])
      assert.equal((await act(unknown, "retry", { reason })).statusCode, 404);
    const viewer = await addOperator(door, "vera", { role: "viewer" });
    assert.equal((await act(id, "retry", { reason }, viewer)).statusCode, 403);
    assert.equal((await act(id, "retry", { reason }, DEMO)).statusCode, 401);
    assert.equal((await act(id, "retry", { reason }, {})).statusCode, 401);
    assert.deepEqual((await storyOf(door.storage, id)).actions, []);
    assert.equal(
      (await act(id, "retry", { reason }, { ...kim, "content-type": "text/plain" })).statusCode,
      415,
    );
  });
});
