import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { sql } from "kysely";
import { onEachDatabase } from "../support/databases.ts";
import type { Rejections } from "../../src/storage/rejections.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { addOperator, DEMO, type Door, openDoor, ORDER } from "./door.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the API says is asserted field by field
type Json = any;

onEachDatabase("what POST /orders refused", (kind) => {
  const clock = createFakeClock();
  let door: Door;
  let viewer: { authorization: string };
  before(async () => {
    door = await openDoor({ kind, clock });
    await door.addPartner({ id: "once", rejectRepeats: true });
    await door.addPartner({ id: "slow", rateCapacity: 1, ratePerSec: 0.001 });
    await door.addPartner({ id: "inside", allowlistCidrs: ["10.0.0.0/8"] });
    viewer = await addOperator(door, "vera", { role: "viewer" });
  });
  beforeEach(async () => {
    clock.advance(60_000);
    await sql`delete from rejected_requests`.execute(door.storage.database.queries);
  });
  after(() => door.close());

  const as = (id: string) => ({ ...DEMO, "x-partner-id": id });
  /** The list, once it has so many rows: they are written within moments. */
  async function rejections(rows: number, query = ""): Promise<Json[]> {
    for (;;) {
      const response = await door.get(`/admin/rejections?limit=200${query}`, viewer);
      const found = response.json().rejections;
      if (found.length >= rows) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test("each kind with its partner and its reason, and the external id where it could be read", async () => {
    const order = (more: object) => ({ payload: { ...ORDER, ...more } });
    await door.post({ headers: { "x-partner-token": "wrong" } });
    await door.post({ headers: as("inside") });
    await door.post(order({ external_order_id: "BAD-ITEMS", items: [], buyer: { name: "Alex Smith" } }));
    await door.post(order({ external_order_id: "BAD-URL", callback_url: "https://internal.example.com/x" }));
    await door.post({ payload: "{" });
    for (let time = 0; time < 2; time += 1) {
      await door.post({ ...order({ external_order_id: "TWICE" }), headers: as("once") });
      await door.post({ ...order({ external_order_id: `K-${time}` }), headers: { "idempotency-key": "k" } });
      await door.post({ headers: as("slow") });
    }
    const found = await rejections(8);
    const told = found.map((row) => [row.status, row.problem, row.partner_id, row.external_order_id]);
    const byStatus = (a: Json[], b: Json[]) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1);
    assert.deepEqual(told.toSorted(byStatus), [
      [400, "invalid-callback-url", "demo", "BAD-URL"],
      [400, "invalid-json", "demo", null],
      [400, "invalid-order", "demo", "BAD-ITEMS"],
      [401, "invalid-partner", "demo", null],
      [403, "source-not-allowed", "inside", null],
      [409, "order-repeated", "once", "TWICE"],
      [422, "key-reused", "demo", "K-1"],
      [429, "rate-limited", "slow", null],
    ]);
    const reasonOf = (problem: string) => found.find((row) => row.problem === problem).reason;
    assert.equal(reasonOf("invalid-partner"), "wrong_token");
    assert.match(reasonOf("invalid-order"), /^the body is not a valid order; \/items /);
    assert.ok(found.every((row) => row.count === 1 && row.ip === "127.0.0.1"));
    const text = JSON.stringify(found);
    for (const secret of ['wrong"', "demotoken", "Alex"]) assert.ok(!text.includes(secret), secret);
    // Reads and other partners' successes leave nothing.
    await door.get("/orders", {});
    assert.equal((await rejections(8)).length, 8);

    assert.deepEqual(
      (await rejections(1, "&external_order_id=TWICE")).map((row) => row.partner_id),
      ["once"],
    );
    assert.deepEqual((await rejections(1, "&partner=slow&status=429")).length, 1);
    const until = new Date(clock.nowMs).toISOString();
    assert.deepEqual(await rejections(0, `&until=${until}`), []);
    assert.equal((await rejections(8, `&since=${until}`)).length, 8);
    const page = (await door.get("/admin/rejections?limit=3", viewer)).json();
    const rest = (await door.get(`/admin/rejections?limit=5&cursor=${page.next}`, viewer)).json();
    assert.deepEqual([...page.rejections, ...rest.rejections], found);
    assert.equal(rest.next, null);
  });

  test("a storm is counted, and can't fill the table", async () => {
    const counts = new Map<string, number>();
    const write: Rejections["write"] = async (rows) => {
      for (const { partnerId, problem, externalOrderId, count } of rows) {
        const key = [partnerId, problem, externalOrderId].join(" ");
        counts.set(key, (counts.get(key) ?? 0) + count);
      }
    };
    const stormy = await openDoor({ kind, clock, rejections: { write } });
    for (let n = 0; n < 60; n += 1) {
      await stormy.post({ payload: { ...ORDER, external_order_id: `S-${n}`, items: [] } });
      await stormy.post({ headers: { "x-partner-id": `nobody-${n}` } });
    }
    await stormy.close();
    assert.equal(counts.size, 42);
    assert.deepEqual(
      [...counts].filter(([, count]) => count > 1),
      [
        ["demo invalid-order ", 40],
        ["* invalid-partner ", 40],
      ],
    );
  });

  test("strangers who name partners, known or not, leave room for the partners themselves", async () => {
    const kept = new Map<string, number>();
    const write: Rejections["write"] = async (rows) => {
      for (const { partnerId, problem } of rows)
        kept.set(`${partnerId} ${problem}`, (kept.get(`${partnerId} ${problem}`) ?? 0) + 1);
    };
    const stormy = await openDoor({ kind, clock, rejections: { write } });
    for (let n = 0; n < 60; n += 1) {
      // Refused as malformed before anybody is asked for a token.
      const headers = { "x-partner-id": `nobody-${n}`, host: "not a host" };
      await stormy.post({ headers, remoteAddress: "192.0.2.1" });
    }
    for (let n = 0; n < 600; n += 1) {
      await stormy.post({ headers: { "x-partner-id": `n-${n}` }, remoteAddress: `198.51.${n % 100}.1` });
    }
    await stormy.post({ payload: "{" });
    await stormy.close();
    assert.equal(kept.get("demo invalid-json"), 1, "a partner's own");
    assert.equal(
      [...kept.keys()].filter((key) => key.endsWith(" bad-request")).length,
      21,
      "20 and their sum",
    );
    assert.ok(kept.size <= 503, String(kept.size));
  });

  test("a database that fails costs the record alone", async (t) => {
    const write = async () => Promise.reject(new Error("the disk is full"));
    const failing = await openDoor({ kind, rejections: { write } });
    t.after(() => failing.close());
    assert.equal((await failing.post({ payload: "{" })).statusCode, 400);
    await failing.app.close();
    assert.deepEqual(
      failing.events.map(({ event }) => event),
      ["http.answered", "rejections.lost"],
    );
  });

  test("what is left is written at the end, and failures at the door are listed", async (t) => {
    const other = await openDoor({ kind });
    t.after(() => other.close());
    const operator = await addOperator(other, "olga");
    await other.post({ headers: { "x-partner-token": "wrong" } });
    await other.post({ payload: "{" });
    await other.app.close();
    const { rows } = await other.storage.lists.rejections(
      { partnerId: "demo", externalOrderId: null, status: null, since: null, until: null },
      null,
      10,
    );
    assert.deepEqual(rows.map((row) => row.problem).toSorted(), ["invalid-json", "invalid-partner"]);
    const events = await other.storage.lists.authEvents(
      { partnerId: "demo", reason: "wrong_token", ip: "127.0.0.1", since: null, until: null },
      null,
      10,
    );
    assert.deepEqual([events.rows.length, events.rows[0]?.count, events.next], [1, 1, null]);
    assert.ok(operator.authorization);
  });

  test("the door's failures over the API", async () => {
    await door.post({ headers: { "x-partner-token": "wrong" } });
    await door.post({ headers: { "x-partner-id": "nobody" } });
    for (;;) {
      const response = await door.get("/admin/auth-events?reason=unknown_partner&partner=nobody", viewer);
      assert.equal(response.statusCode, 200, response.body);
      const [event] = response.json().auth_events;
      if (event) {
        assert.deepEqual([event.partner_id, event.reason, event.count], ["nobody", "unknown_partner", 1]);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});
