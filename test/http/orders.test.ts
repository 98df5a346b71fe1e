import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, DEMO, type Door, openDoor, ORDER } from "./door.ts";

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

onEachDatabase("orders over HTTP", (kind) => {
  let door: Door;
  before(async () => {
    door = await openDoor({ kind });
    await door.addPartner({ id: "other" });
  });
  after(() => door.close());

  const order = (externalOrderId: string) => ({ ...ORDER, external_order_id: externalOrderId });
  const keyed = (key: string) => ({ headers: { ...DEMO, "idempotency-key": key } });

  test("a 201 holds exactly the seed's six fields", async () => {
    const reply = await door.post();
    assert.equal(reply.statusCode, 201);
    const { id, trace_id, created_at, ...rest } = reply.json();
    assert.ok(Number.isSafeInteger(id));
    assert.match(trace_id, UUID);
    assert.match(created_at, ISO);
    assert.deepEqual(rest, {
      partner_id: "demo",
      external_order_id: "EXT-42",
      pipeline_status: "accepted",
    });
    assert.equal(reply.headers.location, `/orders/${id}`);
    assert.equal(reply.headers["x-trace-id"], trace_id);
    assert.equal(reply.headers["idempotent-replayed"], undefined);
    assert.match(String(reply.headers["content-type"]), /^application\/json/);
  });

  test("fifty at once with one key make one order", async () => {
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => door.post({ ...keyed("fifty"), payload: order("FIFTY") })),
    );
    assert.deepEqual([...new Set(replies.map((reply) => reply.statusCode))], [201]);
    assert.equal(new Set(replies.map((reply) => reply.body)).size, 1);
    assert.equal(replies.filter((reply) => reply.headers["idempotent-replayed"] === undefined).length, 1);
    const listed = await door.get("/orders?external_order_id=FIFTY");
    assert.equal(listed.json().length, 1);
  });

  test("a key stands for its payload, however that is written; quotes don't count", async () => {
    const first = await door.post({ ...keyed("same"), payload: order("SAME") });
    const { external_order_id, ...others } = order("SAME");
    const again = await door.post({ ...keyed('"same"'), payload: { ...others, external_order_id } });
    assert.equal(again.statusCode, 201);
    assert.equal(again.body, first.body);
    assert.equal(again.headers["idempotent-replayed"], "true");
    assert.equal(again.headers.location, first.headers.location);
    const reused = await door.post({ ...keyed("same"), payload: order("ANOTHER") });
    assert.equal(reused.statusCode, 422);
    const others2 = await door.post({
      headers: {
        "x-partner-id": "other",
        "x-partner-token": DEMO["x-partner-token"],
        "idempotency-key": "same",
      },
      payload: order("SAME"),
    });
    assert.equal(others2.headers["idempotent-replayed"], undefined, "another partner's key is another key");
  });

  test("a partner who refuses repeats gets 409 with the first order's id", async () => {
    await door.addPartner({ id: "strict", rejectRepeats: true });
    const headers = { "x-partner-id": "strict", "x-partner-token": DEMO["x-partner-token"] };
    const first = await door.post({ headers });
    const second = await door.post({ headers });
    assert.equal(second.statusCode, 409);
    const { detail, order_id } = second.json();
    assert.equal(order_id, first.json().id);
    assert.match(detail, new RegExp(`order ${order_id}$`));
  });

  test("without a key a repeat is a new order, and both name the other", async () => {
    const first = (await door.post({ payload: order("TWICE") })).json();
    const second = (await door.post({ payload: order("TWICE") })).json();
    assert.deepEqual((await door.get(`/orders/${first.id}`)).json().same_external_id, [second.id]);
    assert.deepEqual((await door.get(`/orders/${second.id}`)).json().same_external_id, [first.id]);
  });

  test("one order as it stands when accepted", async () => {
    const items = [
      { ...ORDER.items[0]!, note: "unknown fields are stored, not shown" },
      {
        sku: "CHILD",
        qty: 1,
        unit_price_minor: 0,
        currency: "THB",
        visit_date: "2026-12-24",
        visit_time: "09:30",
      },
    ];
    const accepted = (await door.post({ payload: { ...order("ONE"), items, loyalty: 7 } })).json();
    const { updated_at, ticketing_job, ...rest } = (await door.get(`/orders/${accepted.id}`)).json();
    assert.match(updated_at, ISO);
    assert.deepEqual(rest, {
      id: accepted.id,
      partner_id: "demo",
      external_order_id: "ONE",
      trace_id: accepted.trace_id,
      status: "accepted",
      created_at: accepted.created_at,
      ticketed_at: null,
      delivered_at: null,
      callback_url: ORDER.callback_url,
      reference: null,
      blocked_reason: null,
      items: [ORDER.items[0], items[1]],
      tickets: [],
      same_external_id: [],
      ota_callback_job: null,
    });
    const { next_attempt_at, held_until, ...job } = ticketing_job;
    assert.equal(held_until, null);
    assert.match(next_attempt_at, ISO);
    assert.deepEqual(job, {
      status: "pending",
      last_status_code: null,
      last_error: null,
      attempts: [],
      late: [],
    });
  });

  test("pages follow their links to the end, newest first, keeping the filters", async () => {
    const ids: number[] = [];
    for (let count = 0; count < 5; count += 1)
      ids.unshift((await door.post({ payload: order("P&>A") })).json().id);
    const seen: number[] = [];
    const sizes: number[] = [];
    let url: string | undefined = "/orders?limit=2&status=accepted&external_order_id=P%26%3EA";
    while (url !== undefined) {
      const reply = await door.get(url);
      const page = reply.json();
      assert.deepEqual(Object.keys(page[0]), [
        "id",
        "partner_id",
        "external_order_id",
        "trace_id",
        "status",
        "created_at",
      ]);
      seen.push(...page.map((one: { id: number }) => one.id));
      sizes.push(page.length);
      if (sizes.length === 1) {
        const kept = "limit=2&status=accepted&external_order_id=P%26%3EA";
        assert.equal(reply.headers.link, `</orders?${kept}&before=${ids[1]}>; rel="next"`);
      }
      url = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers.link ?? ""))?.[1];
    }
    assert.deepEqual(seen, ids);
    assert.deepEqual(sizes, [2, 2, 1]);
    assert.deepEqual((await door.get("/orders?status=cancelled")).json(), []);
  });

  test("partners see their own orders alone, operators all", async () => {
    const mine = (await door.post()).json();
    const headers = { "x-partner-id": "other", "x-partner-token": DEMO["x-partner-token"] };
    const theirs = (await door.post({ headers })).json();
    assert.equal((await door.get(`/orders/${theirs.id}`)).statusCode, 404);
    assert.equal((await door.get(`/orders/${mine.id}`, headers)).statusCode, 404);
    const listed = (await door.get("/orders?limit=200")).json();
    assert.deepEqual([...new Set(listed.map((one: { partner_id: string }) => one.partner_id))], ["demo"]);
    for (const role of ["viewer", "operator"] as const) {
      const bearer = await addOperator(door, role, { role });
      const all = (await door.get("/orders?limit=2", bearer)).json();
      assert.deepEqual(
        all.map((one: { id: number }) => one.id),
        [theirs.id, mine.id],
      );
      assert.deepEqual((await door.get(`/orders/${theirs.id}`, bearer)).json().actions, []);
    }
  });

  test("what is no positive safe integer is no order's id", async () => {
    for (const id of [
      "0",
      "-1",
      "01",
      "1.0",
      "1e2",
      "abc",
      "9007199254740992",
      "9".repeat(60),
      "%zz",
      "%00",
    ]) {
      const reply = await door.get(`/orders/${id}`);
      assert.equal(reply.statusCode, 404, id);
      assert.equal(reply.headers["content-type"], "application/problem+json", id);
    }
    assert.equal((await door.get("/orders/9007199254740991")).statusCode, 404);
  });
});
