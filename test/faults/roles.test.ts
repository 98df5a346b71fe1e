import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import pg from "pg";
import { POSTGRES, SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway, spawnServe, until } from "../support/gateway-process.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

suite("ROLE on PostgreSQL", () => {
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  beforeEach(() => {
    ticketing.requests.length = 0;
  });
  after(() => Promise.all([ticketing.close(), partner.close()]));

  const environment = async (): Promise<Record<string, string>> =>
    gatewayEnv(await POSTGRES.migratedUrl(), ticketing.url);

  test("api takes orders and works none; worker works them and takes none", async () => {
    const env = await environment();
    const api = await spawnGateway({ ...env, ROLE: "api" });
    const id = await api.accepted(orderBody(`${partner.url}/cb`));
    const worker = await spawnGateway({ ...env, ROLE: "worker" });
    await api.reach(id, "ota_callback_delivered");
    assert.equal((await worker.logged("ticketing.attempted"))["order_id"], id);
    assert.equal((await worker.logged("callback.attempted"))["order_id"], id);

    assert.equal((await worker.post(orderBody(`${partner.url}/cb`))).status, 404);
    for (const path of ["/orders", `/orders/${id}`, "/openapi.json"])
      assert.equal((await worker.get(path)).status, 404, path);
    for (const each of [api, worker]) {
      for (const path of ["/health", "/ready"]) assert.equal((await each.get(path)).status, 200, path);
      assert.equal((await each.stop()).code, 0);
    }
    assert.deepEqual(
      api.log.filter(({ event }) => event.endsWith(".attempted")),
      [],
    );
  });

  test("an order is worked at once, by NOTIFY: long before the poll", async () => {
    const env: Record<string, string> = { ...(await environment()), POLL_SECS: "60" };
    const api = await spawnGateway({ ...env, ROLE: "api" });
    const worker = await spawnGateway({ ...env, ROLE: "worker" });
    const admin = new pg.Client({ connectionString: env["DATABASE_URL"] });
    await admin.connect();
    await until("the worker to listen", async () => {
      const listening = await admin.query(
        "select 1 from pg_stat_activity where datname = current_database() and query like 'listen %'",
      );
      return listening.rowCount === 1;
    });
    await admin.end();
    const id = await api.accepted(orderBody(`${partner.url}/cb`));
    await api.reach(id, "ota_callback_delivered");
    for (const each of [api, worker]) assert.equal((await each.stop()).code, 0);
  });

  for (const role of ["api", "worker"]) {
    test(`SQLite refuses to serve with ROLE=${role}`, async () => {
      const serve = spawnServe({
        ...gatewayEnv(await SQLITE.migratedUrl(), ticketing.url),
        ROLE: role,
      });
      assert.notEqual((await serve.ended).code, 0);
      assert.match(serve.stderr(), new RegExp(`ROLE=${role} needs PostgreSQL`));
    });
  }
});
