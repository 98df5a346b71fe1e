import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../../src/storage/open.ts";
import { claim, newOrder, place, settlement } from "../storage/fixtures.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway, until } from "../support/gateway-process.ts";
import { startRecorder } from "../support/recorder.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";

const ORDERS = 5_000;
const BATCH = 1_000;
const OPERATOR = { authorization: "Bearer operator-token" };

/** Orders of an outage: each had one attempt, and came to stand. */
async function placeExhausted(storage: Storage): Promise<void> {
  await addPartner(storage, PARTNER_ID);
  const now = Date.now() - 60_000;
  for (let done = 0; done < ORDERS; done += BATCH) {
    const orders = Array.from({ length: BATCH }, () => newOrder());
    await place(storage, orders, now);
    const jobs = await claim(storage, "ticketing", { now });
    await storage.settlements.ticketing.settle(
      jobs.map((job) => settlement("ticketing", job, "exhausted")),
      now,
    );
  }
}

interface BulkShown {
  readonly id: number;
  readonly status: string;
  readonly total: number;
  readonly acted: number;
  readonly refused: number;
}

async function ask(gateway: GatewayProcess, path: string, body?: object): Promise<BulkShown> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(gateway.url + path, {
    headers: { ...OPERATOR, ...(body && { "content-type": "application/json" }) },
    ...init,
  });
  assert.ok(response.ok, `${response.status} ${path}`);
  return (await response.json()) as BulkShown;
}

onEachDatabase("a bulk retry of 5,000 exhausted orders", (kind) => {
  test("the gateway is killed half-way: each order is retried exactly once", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    await placeExhausted(storage);
    // A refusal ends each new run with its first attempt, so that runs can be counted.
    const ticketing = await startRecorder(422);
    const env = {
      ...gatewayEnv(url, ticketing.url),
      OPERATORS_JSON: JSON.stringify([{ name: "kim", token: "operator-token", role: "operator" }]),
      TICKETING_TIMEOUT_SECS: "1",
      CALLBACK_TIMEOUT_SECS: "1",
      TICKETING_CONCURRENCY: "50",
    };
    const count = async (text: string): Promise<number> =>
      (await storage.database.run<{ n: number }>(`select count(*) as n from ${text}`, []))[0]!.n;

    const running: GatewayProcess[] = [];
    t.after(async () => {
      for (const gateway of running) await gateway.kill();
      await ticketing.close();
      await storage.close();
    });
    const start = async (): Promise<GatewayProcess> => {
      const gateway = await spawnGateway(env);
      running.push(gateway);
      return gateway;
    };

    const first = await start();
    const filter = { status: ["ticketing_exhausted"], partner: PARTNER_ID };
    const bulk = { action: "retry", filter, reason: "the outage is over", pace_per_sec: 1000 };
    const { id, total } = await ask(first, "/admin/bulk", bulk);
    assert.equal(total, ORDERS);
    await until(
      "half of the orders",
      async () => (await ask(first, `/admin/bulk/${id}`)).acted >= ORDERS / 4,
    );
    await first.kill();
    const before = await storage.bulkQueries.find(id);
    assert.equal(before!.status, "running");
    const acted = await count("operator_actions where order_id is not null");
    assert.ok(acted >= ORDERS / 4 && acted < ORDERS, `${acted} retried before the kill`);
    assert.deepEqual([before!.acted, before!.refused], [acted, 0]);

    // Several processes share the work where the database takes several.
    const processes = storage.database.manyProcesses ? 2 : 1;
    const gateways = await Promise.all(Array.from({ length: processes }, start));
    const done = await until("the job's end", async () => {
      const shown = await ask(gateways[0]!, `/admin/bulk/${id}`);
      return shown.status === "done" && shown;
    });
    assert.deepEqual([done.acted, done.refused], [ORDERS, 0]);
    await until(
      "the end of every run",
      async () => (await count("orders where pipeline_status = 'ticketing_blocked'")) === ORDERS,
    );

    const once = (rows: string) =>
      count(`(select order_id from ${rows} group by order_id having count(*) = 1) s`);
    assert.equal(await once("operator_actions where action = 'retry ticketing' and actor = 'kim'"), ORDERS);
    assert.equal(await once("bulk_results where result = 'done'"), ORDERS);
    // One attempt of before and one of its one new run; what the kill cut off was written as lost, and made up for.
    const attempts = "select order_id from ticketing_attempts where coalesce(error, '') <> 'lost'";
    assert.equal(await count(`(${attempts} group by order_id having count(*) = 2) s`), ORDERS);
  });
});
