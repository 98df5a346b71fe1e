import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import pg from "pg";
import { openUrl, SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway, until } from "../support/gateway-process.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";
import { otherProcess } from "../storage/other-process.ts";
import { type Load, startLoad } from "./load.ts";

let ticketing: Recorder;
let partner: Recorder;
before(async () => {
  ticketing = await startRecorder((response) => setTimeout(() => response.writeHead(200).end(), 50));
  partner = await startRecorder();
});
after(() => Promise.all([ticketing.close(), partner.close()]));

suite("PostgreSQL goes away under load", () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test("nothing is lost, nothing is done twice, and work goes on by itself", async () => {
    const url = `${server.url}/postgres`;
    const env = { ...gatewayEnv(url, ticketing.url), CIRCUIT_FAILURES: "0" };
    const gateways = await Promise.all([spawnGateway(env), spawnGateway(env)]);
    const load = startLoad(gateways, `${partner.url}/cb`);
    await more(load, 10);
    for (const how of ["fast", "crash"] as const) {
      const refused = load.refusals.length;
      await server.halt(how);
      await until("each to say 503", () =>
        gateways.every((_, at) => load.refusals.slice(refused).includes(`${at}: 503 1`)),
      );
      for (const gateway of gateways) {
        assert.equal((await gateway.get("/health")).status, 200);
        assert.equal((await gateway.get("/ready")).status, 503);
      }
      await server.resume();
      await more(load, 10);
    }
    await endAllConnections(url);
    await more(load, 20);
    await load.stop();

    for (const refusal of load.refusals) assert.match(refusal, /: 503 1$/);
    const storage = openUrl(url);
    const { run } = storage.database;
    await until("every order delivered", async () => {
      const open = await run("select 1 from orders where pipeline_status <> 'ota_callback_delivered'", []);
      return open.length === 0;
    });
    const ids = (await run<{ id: number }>("select id from orders", [])).map(({ id }) => id);
    await storage.close();
    assert.deepEqual(ids.toSorted(ascending), load.accepted.toSorted(ascending));
    for (const { requests } of [ticketing, partner]) {
      const traces = requests.map(({ headers }) => headers["x-trace-id"]);
      assert.deepEqual([traces.length, new Set(traces).size], [ids.length, ids.length]);
    }
    for (const gateway of gateways) await endsWell(gateway);
  });
});

suite("another process holds SQLite's write lock", () => {
  test("for a second: requests wait; for over two: 503, and service resumes", async () => {
    const url = await SQLITE.createUrl();
    const gateway = await spawnGateway(gatewayEnv(url, ticketing.url));
    const short = otherProcess("hold", url, "1000");
    assert.equal(await short.said, "held");
    const ids = [await gateway.accepted(orderBody(`${partner.url}/cb`))];

    const long = otherProcess("hold", url, "5000");
    assert.equal(await long.said, "held");
    const refused = await gateway.post(orderBody(`${partner.url}/cb`));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    assert.equal((await gateway.get("/health")).status, 200);
    await long.kill();
    ids.push(await gateway.accepted(orderBody(`${partner.url}/cb`)));
    for (const id of ids) await gateway.reach(id, "ota_callback_delivered");
    await endsWell(gateway);
  });
});

async function more(load: Load, count: number): Promise<void> {
  const { length } = load.accepted;
  await until(`${count} more orders`, () => load.accepted.length >= length + count);
}

async function endAllConnections(connectionString: string): Promise<void> {
  const admin = new pg.Client({ connectionString });
  await admin.connect();
  const { rowCount } = await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'wavegate'",
  );
  await admin.end();
  assert.notEqual(rowCount, 0);
}

/** It was up all the time, and nothing took it by surprise. */
async function endsWell(gateway: GatewayProcess): Promise<void> {
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.equal(gateway.stderr(), "");
  assert.deepEqual(
    gateway.log.filter((line) => line["level"] === "error"),
    [],
  );
}

function ascending(a: number, b: number): number {
  return a - b;
}
