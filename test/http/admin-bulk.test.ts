import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../src/lib/clock.ts";
import { createBulkWorker } from "../../src/pipeline/bulk-worker.ts";
import { claim, newOrder, NOW, place, rowsIn, settlement, storyOf } from "../storage/fixtures.ts";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, type Door, openDoor } from "./door.ts";
import { SILENT } from "../support/log.ts";

onEachDatabase("bulk jobs over HTTP", (kind) => {
  let door: Door;
  let kim: { authorization: string };
  const queued: string[] = [];
  beforeEach(async () => {
    queued.length = 0;
    door = await openDoor({ kind });
    kim = await addOperator(door, "kim");
  });
  afterEach(() => door.close());

  const post = (url: string, body: object, headers = kim) =>
    door.app.inject({
      method: "POST",
      url,
      headers: { "content-type": "application/json", ...headers },
      payload: body,
    });
  const get = async (url: string) => (await door.get(url, kim)).json<Record<string, unknown>>();
  const worker = () =>
    createBulkWorker({
      storage: door.storage,
      pollMs: 10,
      clock: systemClock,
      log: SILENT,
      onQueued: (leg) => void queued.push(leg),
    });
  async function exhausted(count: number): Promise<number[]> {
    const placed = await place(
      door.storage,
      Array.from({ length: count }, () => newOrder()),
    );
    const jobs = await claim(door.storage, "ticketing");
    await door.storage.settlements.ticketing.settle(
      jobs.map((job) => settlement("ticketing", job, "exhausted")),
      NOW,
    );
    return placed.map(({ id }) => id);
  }
  const RETRY = { action: "retry", filter: { status: ["ticketing_exhausted"] }, reason: "it is back" };

  test("a dry run counts and makes nothing", async () => {
    await exhausted(3);
    const response = await post("/admin/bulk", { ...RETRY, dry_run: true });
    assert.deepEqual(
      [response.statusCode, response.json()],
      [200, { action: "retry", count: 3, possible: 3, at_least: false }],
    );
    assert.equal(await rowsIn(door.storage, "bulk_jobs"), 0);
  });

  test("made, worked by a worker, shown with its results by page, and listed", async () => {
    const ids = await exhausted(3);
    const response = await post("/admin/bulk", RETRY);
    assert.equal(response.statusCode, 201, response.body);
    const { id, ...job } = response.json<Record<string, unknown>>();
    assert.equal(response.headers.location, `/admin/bulk/${String(id)}`);
    assert.deepEqual(
      [job["status"], job["total"], job["pace_per_sec"], job["filter"], job["actor"], job["reason"]],
      ["running", 3, 10, "status=ticketing_exhausted", "kim", "it is back"],
    );
    // Orders that come later are not meant.
    const later = await exhausted(1);
    assert.equal(await worker().round(), 1);
    assert.deepEqual(queued, ["ticketing", "callback"]);
    const shown = await get(`/admin/bulk/${String(id)}`);
    assert.deepEqual([shown["status"], shown["acted"], shown["refused"]], ["done", 3, 0]);
    const results = shown["results"] as { order_id: number; result: string; external_order_id: string }[];
    assert.deepEqual(
      results.map(({ order_id: order, result }) => [order, result]),
      ids.map((order) => [order, "done"]),
    );
    const rest = (await get(`/admin/bulk/${String(id)}?after=${ids[1]}&result=done`))["results"];
    assert.deepEqual((rest as { order_id: number }[]).length, 1);
    const list = (await door.get("/admin/bulk", kim)).json<{ id: number }[]>();
    assert.deepEqual(list, [{ ...shown, results: undefined, next_after: undefined }].map(defined));
    assert.equal(await worker().round(), 0);
    const { pipeline_status: status } = (await storyOf(door.storage, later[0]!)).order;
    assert.equal(status, "ticketing_exhausted");
  });

  test("clicks at once under one key make one job; another job under it is refused", async () => {
    await exhausted(2);
    const key = { ...kim, "idempotency-key": "click-1" };
    const clicks = await Promise.all([1, 2, 3].map(async () => post("/admin/bulk", RETRY, key)));
    assert.deepEqual(new Set(clicks.map((click) => click.statusCode)), new Set([201]));
    assert.equal(new Set(clicks.map((click) => click.headers.location)).size, 1);
    assert.equal(clicks.filter((click) => click.headers["idempotent-replayed"] === "true").length, 2);
    assert.equal((await post("/admin/bulk", { ...RETRY, action: "cancel" }, key)).statusCode, 422);
    assert.equal((await post("/admin/bulk", { ...RETRY, filter: { id: [1] } }, key)).statusCode, 422);
    const olga = { ...(await addOperator(door, "olga")), "idempotency-key": "click-1" };
    assert.equal((await post("/admin/bulk", RETRY, olga)).headers["idempotent-replayed"], undefined);
    assert.equal(await rowsIn(door.storage, "bulk_jobs"), 2);
  });

  test("cancelled half-way: what is done stays", async () => {
    await exhausted(3);
    const { id } = (await post("/admin/bulk", { ...RETRY, pace_per_sec: 1 })).json<{ id: number }>();
    assert.equal(await worker().round(), 1);
    const cancelled = await post(`/admin/bulk/${id}/cancel`, { reason: "wrong filter" });
    const { status, acted } = cancelled.json<{ status: string; acted: number }>();
    assert.deepEqual([cancelled.statusCode, status, acted], [200, "cancelled", 1]);
    assert.equal(await worker().round(), 0);
    assert.equal((await post(`/admin/bulk/${id}/cancel`, { reason: "again" })).statusCode, 200);
    assert.equal((await post("/admin/bulk/99/cancel", { reason: "none" })).statusCode, 404);
  });

  test("refusals", async () => {
    const cases: [object, RegExp][] = [
      [{ ...RETRY, filter: {} }, /\/filter must name at least one/],
      [{ ...RETRY, filter: { status: [], past_due: false } }, /\/filter must name at least one/],
      [{ ...RETRY, filter: { id: [] } }, /\/filter must name at least one/],
      [{ ...RETRY, filter: { status: ["lost"] } }, /\/filter\/status must be/],
      [{ ...RETRY, filter: { stauts: "closed" } }, /\/filter\/stauts is unknown/],
      [{ ...RETRY, action: "resolve" }, /\/action must be one of retry/],
      [{ ...RETRY, pace_per_sec: 0 }, /\/pace_per_sec must be/],
      [{ ...RETRY, reason: "" }, /\/reason must be/],
      [{ filter: RETRY.filter }, /\/action is required/],
    ];
    for (const [body, expected] of cases) {
      const response = await post("/admin/bulk", body);
      assert.equal(response.statusCode, 400, response.body);
      const { errors } = response.json<{ errors: { pointer: string; detail: string }[] }>();
      assert.match(errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join("\n"), expected);
    }
    assert.equal((await door.get("/admin/bulk?before=x", kim)).statusCode, 400);
    assert.equal((await door.get("/admin/bulk/1?result=no", kim)).statusCode, 400);
    assert.equal((await door.get("/admin/bulk/1", kim)).statusCode, 404);
    const viewer = await addOperator(door, "vera", { role: "viewer" });
    assert.equal((await post("/admin/bulk", RETRY, viewer)).statusCode, 403);
    assert.equal((await door.get("/admin/bulk", viewer)).statusCode, 200);
  });
});

function defined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}
