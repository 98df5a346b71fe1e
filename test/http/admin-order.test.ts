import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { Value } from "typebox/value";
import { AdminOrderView } from "../../src/http/admin-order-view.ts";
import { onEachDatabase } from "../support/databases.ts";
import { claimOne, settle, settlement, ticketed } from "../storage/fixtures.ts";
import { addOperator, type Door, openDoor, ORDER } from "./door.ts";

const BUYER = { name: "Alex Doe-Winter", email: "alex@example.com", phones: [66812345678], vip: true };
const LEAKS = /Doe-Winter|alex@example|66812345678/i;

onEachDatabase("GET /admin/orders/{id}", (kind) => {
  let door: Door;
  let viewer: { authorization: string };
  let olga: { authorization: string };
  beforeEach(async () => {
    door = await openDoor({ kind });
    viewer = await addOperator(door, "vera", { role: "viewer" });
    olga = await addOperator(door, "olga");
  });
  afterEach(() => door.close());

  const now = { now: null };
  const echo = JSON.stringify({
    message: `sold to DOE-WINTER, Alex <${BUYER.email}>`,
    phone: BUYER.phones[0],
  });

  /** An order whose second attempt was ticketed, with the buyer repeated wherever ticketing could. */
  async function place(): Promise<number> {
    const posted = await door.post({
      payload: { ...ORDER, buyer: BUYER, note: 12345678901234567890n.toString() },
    });
    const { id } = posted.json<{ id: number }>();
    const attempt = { code: 500, error: null, durationMs: 7, answer: echo, note: `refused ${BUYER.email}` };
    const first = await claimOne(door.storage, "ticketing", now);
    await settle(door.storage, "ticketing", settlement("ticketing", first, "pending", { attempt, dueAt: 1 }));
    const second = await claimOne(door.storage, "ticketing", now);
    const given = ticketed("TK-1");
    const tickets = [JSON.stringify({ code: "TK-1", holder: BUYER.name })];
    const event = {
      ...given.event,
      body: JSON.stringify({ order: { tickets: tickets.map((each) => JSON.parse(each) as unknown) } }),
    };
    await settle(
      door.storage,
      "ticketing",
      settlement("ticketing", second, "succeeded", { ticketed: { ...given, tickets, event } }),
    );
    const told = await claimOne(door.storage, "callback", now);
    await settle(
      door.storage,
      "callback",
      settlement("callback", told, "blocked", {
        attempt: { ...attempt, code: 410 },
        reason: "the partner answered 410",
      }),
    );
    return id;
  }

  const ask = async (id: number, query = "", headers: Record<string, string> = viewer) => {
    const answer = await door.get(`/admin/orders/${id}${query}`, headers);
    return { status: answer.statusCode, view: answer.json<AdminOrderView>(), text: answer.body };
  };

  test("tells everything, and the buyer to nobody who hasn't asked for them", async () => {
    const id = await place();
    const { status, view, text } = await ask(id);
    assert.equal(status, 200, text);
    assert.deepEqual([...Value.Errors(AdminOrderView, view)], []);
    assert.doesNotMatch(text, LEAKS);
    assert.equal(view.buyer, "masked");
    assert.equal(
      view.verdict.happened,
      "Ticketing has issued 1 ticket (reference TK-1), but the partner refused the callback: the partner answered 410.",
    );
    assert.match(view.verdict.next, /^Nothing more happens by itself: ask the partner why/);
    assert.deepEqual(
      view.verdict.actions.map(({ path }) => path),
      [`/admin/orders/${id}/retry`, `/admin/orders/${id}/close`],
    );
    const told = view.timeline.map(({ what, leg, no, code }) => [what, leg, no, code].join(" ").trim());
    assert.deepEqual(told.toSorted(), [
      "attempt callback 1 410",
      "attempt ticketing 1 500",
      "attempt ticketing 2 200",
      "received",
      "ticketed",
    ]);
    const times = view.timeline.map(({ at }) => at);
    assert.deepEqual(times, times.toSorted());
    const payload = JSON.parse(view.payload) as Record<string, unknown>;
    assert.deepEqual(payload, {
      ...ORDER,
      buyer: { name: "***", email: "***", phones: ["***"], vip: true },
      note: "12345678901234567890",
    });
    const request = JSON.parse(view.request.body ?? "") as Record<string, unknown>;
    assert.deepEqual(
      [request["partner_id"], request["buyer"], request["callback_url"]],
      ["demo", payload["buyer"], undefined],
    );
    assert.deepEqual(view.order.tickets, [{ code: "TK-1", holder: "***" }]);
    assert.deepEqual(
      view.callbacks.map(({ event, sequence, status }) => [event, sequence, status]),
      [["order.ticketed", 1, "blocked"]],
    );
  });

  test("tells which attempts are to come, and which is under way", async () => {
    assert.deepEqual((await ask(await place())).view.next_attempts, []);
    const { id } = (await door.post({ payload: ORDER })).json<{ id: number }>();
    const attempts = async () =>
      (await ask(id)).view.next_attempts.map(({ at, ...rest }) => ({ ...rest, at: typeof at }));
    const first = { leg: "ticketing", event: null, no: 1, run_no: 1, held_until: null, at: "string" };
    assert.deepEqual(await attempts(), [{ ...first, in_flight: false }]);
    const claimed = await claimOne(door.storage, "ticketing", now);
    assert.deepEqual(await attempts(), [{ ...first, in_flight: true }]);
    await settle(door.storage, "ticketing", settlement("ticketing", claimed, "pending", { dueAt: 1 }));
    assert.deepEqual(await attempts(), [{ ...first, no: 2, run_no: 2, in_flight: false }]);
  });

  test("the buyer for role operator alone, and on the record", async () => {
    const id = await place();
    assert.equal((await ask(id, "?reveal=buyer")).status, 403);
    assert.deepEqual((await door.storage.orders.story(id, null))?.actions, []);
    const { status, view } = await ask(id, "?reveal=buyer", olga);
    assert.deepEqual([status, view.buyer], [200, "revealed"]);
    assert.deepEqual((JSON.parse(view.payload) as { buyer: unknown }).buyer, BUYER);
    assert.match(view.request.body ?? "", LEAKS);
    assert.equal(view.order.ticketing_job?.attempts[0]?.answer, echo);
    const [callback] = view.callbacks;
    assert.match(callback?.body ?? "", /"holder":"Alex Doe-Winter"/);
    assert.equal(
      callback?.body_sha256,
      createHash("sha256")
        .update(callback?.body ?? "")
        .digest("hex"),
    );
    assert.equal((await ask(id)).view.callbacks[0]?.body_sha256, callback?.body_sha256);
    const [act] = (await door.storage.orders.story(id, null))?.actions ?? [];
    assert.deepEqual([act?.action, act?.actor, act?.partner_id], ["reveal", "olga", "demo"]);
    assert.equal((await ask(id)).view.timeline.filter(({ what }) => what === "action").length, 1);
  });

  test("refuses what it does not know, and who does not belong", async () => {
    const id = await place();
    for (const query of ["?reveal=all", "?reveal=buyer&reveal=buyer", "?revael=buyer"]) {
      assert.equal((await ask(id, query, olga)).status, 400, query);
    }
    for (const path of ["0", "404", "x"])
      assert.equal((await door.get(`/admin/orders/${path}`, viewer)).statusCode, 404);
    assert.equal((await door.get(`/admin/orders/${id}`)).statusCode, 401);
  });
});
