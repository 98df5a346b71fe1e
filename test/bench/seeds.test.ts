import assert from "node:assert/strict";
import { test } from "node:test";
import { dueOrders, finishedOrders, waitingOrders } from "../../bench/measures/seeds.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";

const COUNT = 40;

onEachDatabase("the bench's seeds", (kind) => {
  const bench = kind.name === "SQLite" ? "sqlite" : "postgres";

  async function seeded(statements: readonly string[], look: (storage: Storage) => Promise<void>) {
    const storage = await freshStorage(kind);
    try {
      for (const statement of statements) await storage.database.run(statement, []);
      await look(storage);
    } finally {
      await storage.close();
    }
  }

  async function counts({ database }: Storage, texts: Record<string, string>) {
    const found: Record<string, number> = {};
    for (const [name, text] of Object.entries(texts)) {
      const [row] = await database.run<{ n: number }>(`select count(*) as n from ${text}`, []);
      found[name] = row!.n;
    }
    return found;
  }

  test("finished orders have all their rows, and what was sent is what would be sent", () =>
    seeded(finishedOrders(bench, COUNT), async (storage) => {
      const found = await counts(storage, {
        delivered: "orders where pipeline_status = 'ota_callback_delivered' and reference is not null",
        items: "order_items",
        keys: "idempotency_keys k join orders o on o.trace_id = k.trace_id",
        jobs: "ticketing_jobs where status = 'succeeded'",
        attempts: "ticketing_attempts",
        failures: "ticketing_attempts where code = 503 and no = 1",
        tickets: "tickets",
        callbacks: "ota_callback_jobs j join ota_callback_attempts a on a.job_id = j.id and a.code = 200",
      });
      assert.deepEqual(found, {
        delivered: 40,
        items: 80,
        keys: 40,
        jobs: 40,
        attempts: 42,
        failures: 2,
        tickets: 80,
        callbacks: 40,
      });
      const [job] = await storage.database.run<{ body: string; raw_payload: string }>(
        "select j.body, o.raw_payload from ota_callback_jobs j join orders o on o.id = j.order_id where o.external_order_id = 'f-39'",
        [],
      );
      assert.equal(JSON.parse(job!.raw_payload).external_order_id, "f-39");
      assert.equal(JSON.parse(job!.body).order.reference, "REF-39");
    }));

  test("waiting orders are not due for a day", () =>
    seeded(waitingOrders(bench, COUNT), async (storage) => {
      const soon = Date.now() + 3_600_000;
      const found = await counts(storage, {
        pending:
          "ticketing_jobs j join ticketing_attempts a on a.job_id = j.id where status = 'pending' and lane = 1",
        soon: `ticketing_jobs where next_attempt_at < ${soon}`,
      });
      assert.deepEqual(found, { pending: COUNT, soon: 0 });
    }));

  for (const [backlog, status, lane] of [
    ["first attempts", "accepted", 0],
    ["retries", "ticketing_processing", 1],
    ["another partner's", "accepted", 0],
  ] as const) {
    test(`a backlog of ${backlog} is due`, () =>
      seeded(
        dueOrders(bench, { count: COUNT, backlog, callbackUrl: "http://127.0.0.1:1/" }),
        async (storage) => {
          const due = `ticketing_jobs j join orders o on o.id = j.order_id
          where j.status = 'pending' and lane = ${lane} and next_attempt_at < ${Date.now()} and pipeline_status = '${status}'`;
          assert.deepEqual(await counts(storage, { due }), { due: COUNT });
        },
      ));
  }
});
