import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, DEMO, type Door, openDoor, ORDER } from "./door.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- whatever the API says is asserted field by field
type Json = any;

onEachDatabase("what operators look through", (kind) => {
  let door: Door;
  let viewer: { authorization: string };
  before(async () => {
    door = await openDoor({ kind });
    viewer = await addOperator(door, "vera", { role: "viewer" });
    for (const external of ["EXT-1", "EXT-2", "EXT-3"])
      assert.equal((await door.post({ payload: { ...ORDER, external_order_id: external } })).statusCode, 201);
  });
  after(() => door.close());

  const get = async (path: string): Promise<Json> => {
    const response = await door.get(path, viewer);
    assert.equal(response.statusCode, 200, response.body);
    return response.json();
  };
  const names = (page: Json): string[] => page.orders.map((order: Json) => order.external_order_id);

  test("an operator's token, and nothing else", async () => {
    for (const headers of [{}, DEMO, { authorization: "Bearer of-nobody" }]) {
      const response = await door.get("/admin/orders", headers);
      assert.equal(response.statusCode, 401);
      assert.match(response.json().detail, /^invalid partner: Authorization: Bearer must carry/);
    }
    const response = await door.app.inject({ method: "POST", url: "/admin/orders", headers: viewer });
    assert.equal(response.statusCode, 405);
  });

  test("a viewer looks and doesn't act", async () => {
    const act = { method: "POST", url: "/admin/orders/1/retry", payload: { reason: "asked" } } as const;
    const headers = { ...viewer, "content-type": "application/json" };
    const response = await door.app.inject({ ...act, headers });
    assert.deepEqual(
      [response.statusCode, response.json().type],
      [403, "urn:wavegate:problem:operator-needed"],
    );
    const operator = await addOperator(door, "olga");
    assert.notEqual(
      (await door.app.inject({ ...act, headers: { ...headers, ...operator } })).statusCode,
      403,
    );
    assert.equal((await door.app.inject({ ...act, headers: DEMO })).statusCode, 401);
  });

  test("also a development server asks for it", async (t) => {
    const development = await openDoor({ kind, development: true });
    t.after(() => development.close());
    const operator = await addOperator(development, "dev", { development: true });
    const headers = { host: "localhost" };
    assert.equal((await development.get("/orders", headers)).statusCode, 200);
    assert.equal((await development.get("/admin/orders", headers)).statusCode, 401);
    assert.equal((await development.get("/admin/orders", { ...headers, ...operator })).statusCode, 200);
  });

  test("a page leads to the next, in the body and as a link", async () => {
    const first = await door.get("/admin/orders?limit=2&status=accepted&status=cancelled", viewer);
    const page = first.json();
    assert.deepEqual(names(page), ["EXT-3", "EXT-2"]);
    const link = /^<(.+)>; rel="next"$/.exec(String(first.headers.link))![1]!;
    assert.equal(link, `/admin/orders?limit=2&status=accepted&status=cancelled&cursor=${page.next}`);
    const second = await door.get(link, viewer);
    assert.deepEqual(names(second.json()), ["EXT-1"]);
    assert.equal(second.json().next, null);
    assert.equal(second.headers.link, undefined);
  });

  test("a row, found by its name", async () => {
    const { orders } = await get("/admin/orders?q=EXT-2");
    const { id, trace_id, created_at, updated_at, age_secs, next_attempt_at, ...row } = orders[0];
    assert.ok(id > 0 && trace_id.length === 36 && age_secs >= 0 && created_at === updated_at);
    assert.equal(next_attempt_at, created_at);
    assert.deepEqual(row, {
      partner_id: "demo",
      external_order_id: "EXT-2",
      status: "accepted",
      blocked_reason: null,
      reference: null,
      visit_from: null,
      visit_to: null,
      items: 1,
      qty: 2,
      totals: [{ currency: "THB", minor: 259800 }],
      tickets: 0,
      leg: "ticketing",
      attempts: { ticketing: 0, callback: 0 },
      run_attempts: 0,
      held_until: null,
      last_status_code: null,
      last_error: null,
    });
  });

  test("counts, and jobs", async () => {
    const { counts, total, at_least } = await get("/admin/orders/counts?partner=demo");
    assert.deepEqual([counts.accepted, counts.closed, total, at_least], [3, 0, 3, false]);
    const { jobs, next } = await get("/admin/jobs?leg=ticketing&limit=2");
    assert.deepEqual(
      jobs.map((job: Json) => [job.leg, job.status, job.attempts]),
      [
        ["ticketing", "pending", 0],
        ["ticketing", "pending", 0],
      ],
    );
    assert.deepEqual((await get(`/admin/jobs?leg=ticketing&limit=2&cursor=${next}`)).jobs.length, 1);
    assert.deepEqual((await get("/admin/jobs?code=503")).jobs, []);
  });

  test("what is not known is refused, and said", async () => {
    const response = await door.get("/admin/orders?state=accepted&limit=201&status=nowhere&cursor=x", viewer);
    assert.equal(response.statusCode, 400);
    assert.deepEqual(
      response.json().errors.map((error: Json) => error.pointer),
      ["/state", "/limit", "/status", "/cursor"],
    );
    assert.equal((await door.get("/admin/orders?cursor=1.2", viewer)).statusCode, 400);
  });
});
