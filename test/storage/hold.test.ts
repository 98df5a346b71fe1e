import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createOverview } from "../../src/storage/overview.ts";
import { IDS_NOT_MOVED, NUMBERED } from "../../src/storage/hold.ts";
import { firstIdSince } from "../../src/storage/ids-in-time.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import {
  claim,
  claimOne,
  newOrder,
  NOW,
  place,
  settle,
  settlement,
  statusOf,
  storyOf,
  ticketed,
} from "./fixtures.ts";

const ACT = { actor: "kim", reason: "restored from last night" };
const HOUR = 3_600_000;
/** Ids of a second, and how many seconds NOW is after the number 0 of all ids. */
const IDS_PER_SEC = 100_000;

onEachDatabase("a hold", (kind) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
  });
  afterEach(() => storage.close());

  const acts = async () =>
    (await storage.database.queries.selectFrom("operator_actions").selectAll().orderBy("id").execute()).map(
      ({ action, actor, detail }) => [action, actor, detail === null ? null : JSON.parse(detail)],
    );

  test("is there for everybody until it is lifted, and on record", async () => {
    const { holds, readHold } = storage;
    assert.equal(await readHold(), null);
    assert.equal(await holds.place(ACT, NOW), true);
    assert.equal(await holds.place({ actor: "olga", reason: "me too" }, NOW + 1), false);
    assert.deepEqual(await readHold(), { ...ACT, since: NOW });
    assert.deepEqual(await holds.lift(ACT, NOW + 2), { ...ACT, since: NOW });
    assert.deepEqual([await holds.lift(ACT, NOW + 3), await readHold()], [null, null]);
    assert.deepEqual(await acts(), [
      ["hold", "kim", null],
      ["release", "kim", { held_since: NOW }],
    ]);
  });

  test("of a restored database moves every id on, also when the same backup is restored again", async () => {
    const { database, holds, bulkJobs } = storage;
    const [before] = await place(storage);
    const at = NOW + HOUR;
    const idsAfter = (HOUR / 1000) * IDS_PER_SEC;
    assert.deepEqual(await holds.placeRestored(ACT, at), { idsAfter, placed: true });
    const [after] = await place(storage);
    assert.ok(before!.id < idsAfter && after!.id > idsAfter, `${before!.id} ${after!.id}`);
    // Within the same second: nothing is given out twice.
    await holds.placeRestored(ACT, at + 999);
    const [next] = await place(storage);
    assert.ok(next!.id > after!.id && next!.id < idsAfter + IDS_PER_SEC);
    const { idsAfter: again, placed } = await holds.placeRestored(ACT, at + 1_000);
    assert.equal(placed, false);
    assert.ok((await place(storage))[0]!.id > again && again > next!.id);
    assert.deepEqual((await acts()).at(-1), ["hold", "kim", { restored: true, ids_after: again }]);
    const filter = JSON.parse("{}") as Parameters<typeof bulkJobs.create>[0]["filter"];
    const { id } = await bulkJobs.create({ action: "close", filter, total: 1, pacePerSec: 1 }, ACT, NOW);
    assert.ok(id > again);
    for (const table of NUMBERED) {
      // A row of its own would need all its columns: what the database would give out next.
      const [row] = await database.run<{ last: number }>(
        kind.name === "SQLite"
          ? `select seq as last from sqlite_sequence where name = '${table}'`
          : `select last_value as last from ${table}_id_seq`,
        [],
      );
      assert.ok(row!.last >= again, table);
    }
    assert.equal((await storage.readHold())?.reason, ACT.reason);
    // What was cut short says so to whoever is about to release it.
    await assert.rejects(holds.placeRestored(ACT, NOW), { name: "ClockBehind" });
    await assert.rejects(holds.placeRestored(ACT, NOW), { name: "ClockBehind" });
    assert.equal((await storage.readHold())?.reason, IDS_NOT_MOVED + ACT.reason);
    await holds.placeRestored(ACT, at + 2_000);
    assert.equal((await storage.readHold())?.reason, ACT.reason);
  });

  test("knows every table that the database numbers", async () => {
    const tables = await storage.database.queries.introspection.getTables();
    const numbered = tables.filter(({ columns }) => columns.some((column) => column.isAutoIncrementing));
    assert.deepEqual(numbered.map(({ name }) => name).toSorted(), NUMBERED.toSorted());
  });

  test("moves the sequences on of orders whose partner may have been told more than the backup knows", async () => {
    await storage.database.queries.updateTable("partners").set({ failure_events: 1 }).execute();
    const [waiting, standing, done] = await place(storage, [newOrder(), newOrder(), newOrder()]);
    const jobs = (await claim(storage, "ticketing")).toSorted((a, b) => a.orderId - b.orderId);
    await settle(storage, "ticketing", settlement("ticketing", jobs[0]!, "pending"));
    await settle(storage, "ticketing", settlement("ticketing", jobs[1]!, "blocked"));
    await settle(storage, "ticketing", settlement("ticketing", jobs[2]!, "succeeded"));
    await storage.holds.placeRestored(ACT, NOW + HOUR);
    const told = async (id: number) => (await storyOf(storage, id)).order.failures_told;
    assert.deepEqual(
      [await told(waiting!.id), await told(standing!.id), await told(done!.id)],
      [3600, 3600, 0],
    );
    // The next event of the order is the one after.
    await storage.operatorActions.retry(standing!.id, ACT, NOW);
    const job = await claimOne(storage, "ticketing", { now: NOW });
    await settle(storage, "ticketing", settlement("ticketing", job, "succeeded"));
    const sequences = (await storyOf(storage, standing!.id)).callbacks.map(
      (callback) => callback.job.sequence,
    );
    assert.deepEqual(sequences, [1, 3601]);
  });

  test("nobody walks through the ids that were left out", async () => {
    await place(storage, [newOrder(), newOrder()]);
    await storage.holds.placeRestored(ACT, null);
    const later = await place(storage, [newOrder()], NOW + HOUR);
    const { hours } = await createOverview(storage.database).overview(2, [], NOW + HOUR);
    assert.deepEqual(
      hours.map(({ accepted }) => accepted),
      [2, 1],
    );
    assert.equal(await firstIdSince(storage.database, NOW + 1), later[0]!.id);
  });

  test("lets no time pass for what an open circuit holds", async () => {
    await place(storage);
    const circuit = { leg: "ticketing", partner_id: "", state: "open", reason: null, probes: 0 } as const;
    const times = { opened_at: NOW, closed_at: null, next_probe_at: NOW };
    await storage.database.queries
      .insertInto("circuits")
      .values({ ...circuit, ...times })
      .execute();
    const { hold, expire } = storage.circuits.ticketing;
    assert.equal(await hold(9, 60, NOW), 1);
    await storage.holds.place(ACT, NOW);
    await storage.holds.lift(ACT, NOW + HOUR);
    assert.deepEqual([await expire(9, NOW + HOUR), await hold(9, 60, NOW + HOUR)], [0, 1]);
    assert.deepEqual([await expire(9, NOW + HOUR + 59_999), await expire(9, NOW + HOUR + 60_000)], [0, 1]);
  });

  test("lets an order be ticketed by hand that nobody works, but none with an attempt under way", async () => {
    const { operatorActions, holds } = storage;
    const [queued, tried] = await place(storage, [newOrder(), newOrder()]);
    const mark = (id: number, now = NOW) => operatorActions.markTicketed(id, ticketed(), ACT, now);
    assert.equal((await mark(queued!.id)).kind, "refused");
    const [job] = await claim(storage, "ticketing", { limit: 1, leaseMs: 1_000 });
    const [first, other] = job!.orderId === queued!.id ? [queued!, tried!] : [tried!, queued!];
    await holds.place(ACT, NOW);
    assert.deepEqual(await mark(other.id), { kind: "ticketed", from: "accepted" });
    assert.equal((await mark(first.id)).kind, "refused");
    assert.deepEqual(await mark(first.id, NOW + 1_001), { kind: "ticketed", from: "ticketing_processing" });
    for (const { id } of [first, other]) assert.equal(await statusOf(storage, id), "ticketed");
    await holds.lift(ACT, NOW);
    assert.deepEqual(await claim(storage, "ticketing", { now: NOW + HOUR }), []);
    assert.equal((await claim(storage, "callback", { now: NOW + HOUR })).length, 2);
  });
});
