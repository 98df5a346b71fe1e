import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Value } from "typebox/value";
import { ErrorGroupsView, OverviewView, todayAndTomorrow } from "../../src/http/overview-view.ts";
import { onEachDatabase } from "../support/databases.ts";
import { claimOne, settle, settlement } from "../storage/fixtures.ts";
import { addOperator, type Door, openDoor, ORDER } from "./door.ts";

test("today and tomorrow are the venue's, whatever the clock there does", () => {
  const at = Date.parse("2026-03-28T22:30:00Z");
  assert.deepEqual(todayAndTomorrow(at, "Asia/Bangkok"), ["2026-03-29", "2026-03-30"]);
  assert.deepEqual(todayAndTomorrow(at, "Europe/Berlin"), ["2026-03-28", "2026-03-29"]);
  assert.deepEqual(todayAndTomorrow(Date.parse("2026-03-29T22:30:00Z"), "Europe/Berlin"), [
    "2026-03-30",
    "2026-03-31",
  ]);
});

onEachDatabase("/admin/overview and /admin/errors", (kind) => {
  let door: Door;
  let viewer: { authorization: string };
  beforeEach(async () => {
    door = await openDoor({ kind });
    viewer = await addOperator(door, "vera", { role: "viewer" });
    const [today] = todayAndTomorrow(Date.now(), "Asia/Bangkok");
    const items = [{ ...ORDER.items[0]!, visit_date: today }];
    const posted = await door.post({ payload: { ...ORDER, items } });
    assert.equal(posted.statusCode, 201);
    const job = await claimOne(door.storage, "ticketing", { now: null });
    const attempt = { code: 422, error: null, durationMs: 7, answer: '{"message":"no SKU 12"}', note: null };
    await settle(door.storage, "ticketing", settlement("ticketing", job, "blocked", { attempt }), Date.now());
  });
  afterEach(() => door.close());

  test("tell how it goes", async () => {
    const answer = await door.get("/admin/overview?hours=2", viewer);
    const view = answer.json<OverviewView>();
    assert.deepEqual([...Value.Errors(OverviewView, view)], []);
    assert.deepEqual([view.hours.length, view.time_zone], [2, "Asia/Bangkok"]);
    const sum = (name: "accepted" | "blocked" | "ticketed") =>
      view.hours.reduce((total, hour) => total + hour[name], 0);
    assert.deepEqual([sum("accepted"), sum("blocked"), sum("ticketed")], [1, 1, 0]);
    assert.deepEqual(view.ticketing, {
      circuit: "closed",
      reason: null,
      open_since: null,
      failures_last_hour: 1,
      waiting: 0,
      standing: 1,
    });
    const { standing } = view.oldest_not_ticketed;
    assert.deepEqual(
      [standing?.external_order_id, standing?.run_attempts, standing?.next_attempt_at],
      ["EXT-42", 1, null],
    );
    assert.deepEqual(
      view.visits.map(({ not_ticketed }) => not_ticketed),
      [1, 0],
    );
    assert.equal((await door.get("/admin/overview", viewer)).json<OverviewView>().hours.length, 24);
  });

  test("tell what fails, as a filter of orders too", async () => {
    const view = (await door.get("/admin/errors", viewer)).json<ErrorGroupsView>();
    assert.deepEqual([...Value.Errors(ErrorGroupsView, view)], []);
    const [group] = view.groups;
    assert.deepEqual(
      [
        group?.leg,
        group?.host,
        group?.code,
        group?.message,
        group?.standing,
        group?.attempts,
        group?.partners,
      ],
      ["ticketing", "ticketing.example.com", 422, "no SKU <n>", 1, 1, ["demo"]],
    );
    const query = new URLSearchParams({ error_group: group!.fingerprint });
    const found = await door.get(`/admin/orders?${query.toString()}`, viewer);
    assert.deepEqual(
      found.json<{ orders: { id: number }[] }>().orders.map(({ id }) => id),
      [group?.example_order_id],
    );
  });

  test("refuse what they don't know, and who does not belong", async () => {
    for (const path of ["overview?hours=49", "overview?hour=1", "errors?since=yesterday"]) {
      assert.equal((await door.get(`/admin/${path}`, viewer)).statusCode, 400, path);
    }
    for (const path of ["overview", "errors"])
      assert.equal((await door.get(`/admin/${path}`)).statusCode, 401);
  });
});
