import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { openUrl, POSTGRES } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";
import { startLoad } from "./load.ts";

suite("several gateways on one PostgreSQL", () => {
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  after(() => Promise.all([ticketing.close(), partner.close()]));

  const environment = async (more: Record<string, string> = {}): Promise<Record<string, string>> => ({
    ...gatewayEnv(await POSTGRES.createUrl(), ticketing.url),
    ...more,
  });

  test("fifty requests with one key make one order", async () => {
    const env = await environment();
    // Both find the database empty at the same time.
    const gateways = await Promise.all([spawnGateway(env), spawnGateway(env)]);
    const body = orderBody(`${partner.url}/cb`);
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, n) => gateways[n % 2]!.post(body, { "idempotency-key": "only-one" })),
    );
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([201]));
    const bodies = new Set(await Promise.all(responses.map((response) => response.text())));
    assert.equal(bodies.size, 1);
    const fresh = responses.filter(({ headers }) => headers.get("idempotent-replayed") === null);
    assert.equal(fresh.length, 1);
    const list = (await (await gateways[0].get("/orders")).json()) as unknown[];
    assert.equal(list.length, 1);
    for (const gateway of gateways) assert.equal((await gateway.stop()).code, 0);
  });

  test("a partner's bucket is one over both", async () => {
    const env = await environment({
      PARTNERS_JSON: JSON.stringify([
        { id: "demo", name: "Demo", token: "demotoken", rate_limit: { capacity: 5, per_sec: 1 } },
      ]),
    });
    const gateways = await Promise.all([spawnGateway(env), spawnGateway(env)]);
    const from = performance.now();
    const responses = await Promise.all(
      Array.from({ length: 60 }, (_, n) => gateways[n % 2]!.post(orderBody(`${partner.url}/cb`))),
    );
    const elapsedSecs = (performance.now() - from) / 1000;
    const accepted = responses.filter(({ status }) => status === 201).length;
    const limited = responses.filter(({ status }) => status === 429);
    assert.equal(accepted + limited.length, 60);
    assert.ok(accepted >= 5 && accepted <= 5 + elapsedSecs, `${accepted} in ${elapsedSecs} s`);
    for (const { headers } of limited) assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    for (const gateway of gateways) assert.equal((await gateway.stop()).code, 0);
  });

  test("a rolling restart under load loses nothing and does nothing twice", async () => {
    ticketing.answer((response) => setTimeout(() => response.writeHead(200).end(), 50));
    partner.requests.length = 0;
    ticketing.requests.length = 0;
    const env = await environment({ CIRCUIT_FAILURES: "0" });
    const gateways = await Promise.all([1, 2, 3, 4].map(() => spawnGateway(env)));
    const load = startLoad(gateways, `${partner.url}/cb`);
    for (let at = 0; at < gateways.length; at += 1) {
      const before = load.accepted.length;
      await until("orders while all run", () => load.accepted.length > before + 10);
      const old = gateways[at]!;
      gateways[at] = await spawnGateway(env);
      assert.deepEqual(await old.stop(), { code: 0, signal: null });
      assert.equal(old.stderr(), "");
    }
    await load.stop();
    for (const refusal of load.refusals) assert.match(refusal, /: (none|503 1)$/);
    const storage = openUrl(env["DATABASE_URL"]!);
    const { run } = storage.database;
    await until("every order delivered", async () => {
      const open = await run("select 1 from orders where pipeline_status <> 'ota_callback_delivered'", []);
      return open.length === 0;
    });
    for (const gateway of gateways) assert.equal((await gateway.stop()).code, 0);
    const [rows] = await run<Record<string, number>>(
      `select (select count(*) from orders) as orders,
        (select count(*) from ticketing_attempts where error is not null) as ticketing_failed,
        (select count(*) from ota_callback_attempts where error is not null) as callback_failed`,
      [],
    );
    await storage.close();
    // A request that was cut off may have been accepted all the same: its client repeats it under its key.
    assert.deepEqual(rows, { orders: load.accepted.length, ticketing_failed: 0, callback_failed: 0 });
    for (const { requests } of [ticketing, partner]) {
      const keys = requests.map(({ headers }) => headers["idempotency-key"]);
      assert.deepEqual([keys.length, new Set(keys).size], [load.accepted.length, load.accepted.length]);
    }
  });
});
