import assert from "node:assert/strict";
import { test } from "node:test";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claim, newOrder, NOW, place, storyOf } from "./fixtures.ts";

onEachDatabase("what an open circuit takes back", (kind) => {
  test("every order that the target's own fault had blocked, however many", async () => {
    const storage = await freshStorage(kind);
    await addPartner(storage);
    for (let batch = 0; batch < 11; batch += 1) {
      await place(
        storage,
        Array.from({ length: 100 }, () => newOrder()),
      );
    }
    await storage.database.transact(async (tx) => {
      await tx("update ticketing_jobs set status = 'blocked', attempts = 1, run_attempts = 1", []);
      await tx("update orders set pipeline_status = 'ticketing_blocked'", []);
      await tx(
        `insert into circuit_failures (leg, partner_id, order_id, job_id, blocked, at)
           select 'ticketing', '', id, id, 1, 0 from ticketing_jobs`,
        [],
      );
      await tx(
        `insert into circuits (leg, partner_id, state, opened_at, next_probe_at)
           values ('ticketing', '', 'open', 0, 0)`,
        [],
      );
    });
    let taken = 0;
    for (let round = 0; round < 3; round += 1) taken += await storage.circuits.ticketing.takeBack(NOW);
    assert.equal(taken, 1_100);
    const rows = await storage.database.run(
      `select o.pipeline_status, j.status, j.run_attempts, count(*) as n
         from orders o join ticketing_jobs j on j.id = o.id group by 1, 2, 3`,
      [],
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [["ticketing_processing", "pending", 0, 1_100]],
    );
    await storage.close();
  });
});

onEachDatabase("what an open circuit holds", (kind) => {
  const LIMIT_SECS = 60;
  const GIVEN_UP = NOW + LIMIT_SECS * 1000;
  const OPEN = `insert into circuits (leg, partner_id, state, opened_at, next_probe_at)
    values ('ticketing', '', 'open', 0, 0)`;

  test("is not claimed, and is given up at its limit, also when it was never attempted; a retry finds it", async () => {
    const storage = await freshStorage(kind);
    const circuits = storage.circuits.ticketing;
    await addPartner(storage);
    const [order] = await place(storage);
    await storage.database.transact((tx) => tx(OPEN, []));
    assert.equal(await circuits.hold(10, LIMIT_SECS, NOW), 1);
    assert.equal(await circuits.hold(10, LIMIT_SECS, NOW), 0, "once");
    assert.deepEqual(await claim(storage, "ticketing", { now: GIVEN_UP }), []);
    assert.equal(await circuits.expire(10, GIVEN_UP - 1), 0);
    assert.equal(await circuits.expire(10, GIVEN_UP), 1);
    const { order: row, ticketing } = await storyOf(storage, order!.id);
    assert.deepEqual(
      [row.pipeline_status, ticketing!.job.status, ticketing!.attempts],
      ["ticketing_exhausted", "exhausted", []],
    );
    assert.match(row.blocked_reason!, /held until its limit/);
    const act = { actor: "ops", reason: "ticketing is back" };
    assert.equal((await storage.operatorActions.retry(order!.id, act, GIVEN_UP)).kind, "retried");
    await storage.close();
  });

  test("is due at once when the circuit has closed", async () => {
    const storage = await freshStorage(kind);
    const circuits = storage.circuits.ticketing;
    await addPartner(storage);
    await place(storage);
    await storage.database.transact((tx) => tx(OPEN, []));
    await circuits.hold(10, LIMIT_SECS, NOW);
    assert.equal(await circuits.release(10, NOW), 0);
    assert.equal((await circuits.closeProven(NOW)).length, 1);
    assert.equal(await circuits.release(10, NOW + 1), 1);
    assert.equal((await claim(storage, "ticketing", { now: NOW + 1 })).length, 1);
    await storage.close();
  });
});
