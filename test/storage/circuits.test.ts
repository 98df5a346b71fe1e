import assert from "node:assert/strict";
import { test } from "node:test";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { newOrder, NOW, place } from "./fixtures.ts";

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
