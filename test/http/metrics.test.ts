import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { Agent, get as httpGet } from "node:http";
import { suite, test, type TestContext } from "node:test";
import { startCommitProxy } from "../storage/commit-proxy.ts";
import { onEachDatabase, POSTGRES, type DatabaseUnderTest } from "../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { startRecorder } from "../support/recorder.ts";
import { readScrape, samplesOf, type Scrape } from "../support/scrape.ts";
import { orderBody } from "../support/way.ts";

const OPERATOR = { authorization: "Bearer the-token-of-kim" };
const OPERATORS_JSON = JSON.stringify([{ name: "kim", token: "the-token-of-kim", role: "viewer" }]);

async function start(t: TestContext, databaseUrl: string, more: Record<string, string> = {}) {
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  const gateway = await runGateway({
    ...gatewayEnv(databaseUrl, ticketing.url),
    OPERATORS_JSON,
    RETRY_SCHEDULE_SECS: "0,0,0",
    ...more,
  });
  t.after(() => Promise.all([gateway.stop(), ticketing.close(), partner.close()]));
  return { gateway, ticketing, partner };
}

async function scrape(gateway: RunningGateway): Promise<Scrape> {
  const reply = await gateway.get("/metrics", OPERATOR);
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return readScrape(await reply.text());
}

onEachDatabase("GET /metrics", (kind) => {
  test("counts what became of three orders", async (t) => {
    const { gateway, ticketing, partner } = await start(t, await kind.createUrl());
    const reach = async (status: string, ...answers: number[]): Promise<void> => {
      ticketing.answer(...answers);
      const reply = await gateway.post(orderBody(`${partner.url}/cb`));
      await gateway.reach(((await reply.json()) as { id: number }).id, status);
    };
    await reach("ota_callback_delivered", 200);
    await reach("ota_callback_delivered", 500, 500, 200);
    await reach("ticketing_blocked", 422);
    assert.equal((await gateway.post("{")).status, 400);

    const after = await until("the last attempt to be told", async () => {
      const now = await scrape(gateway);
      const isTold = now.get('wavegate_order_transitions_total{to="ticketing_blocked"}') === 1;
      return isTold && now.get("wavegate_database_up") === 1 && now;
    });
    assert.deepEqual(samplesOf(after, "wavegate_orders_accepted_total"), { 'partner="demo"': 3 });
    assert.deepEqual(samplesOf(after, "wavegate_order_transitions_total"), {
      'to="ticketing_processing"': 3,
      'to="ticketed"': 2,
      'to="ticketing_blocked"': 1,
      'to="ota_callback_pending"': 2,
      'to="ota_callback_delivered"': 2,
    });
    const attempts = (leg: string, outcome: string) =>
      after.get(`wavegate_attempts_total{leg="${leg}",partner="demo",outcome="${outcome}",error=""}`);
    assert.deepEqual(
      [
        attempts("ticketing", "done"),
        attempts("ticketing", "retry"),
        attempts("ticketing", "blocked"),
        attempts("callback", "done"),
      ],
      [2, 2, 1, 2],
    );
    assert.equal(after.get('wavegate_attempt_duration_seconds_count{leg="ticketing"}'), 5);
    assert.equal(after.get("wavegate_order_accept_duration_seconds_count"), 3);
    assert.equal(after.get("wavegate_order_to_ticketed_seconds_count"), 2);
    assert.equal(after.get("wavegate_order_to_delivered_seconds_count"), 2);
    const posted = samplesOf(after, "wavegate_http_requests_total");
    assert.equal(posted['method="POST",route="/orders",status="201"'], 3);
    assert.equal(posted['method="POST",route="/orders",status="400"'], 1);
    assert.deepEqual(samplesOf(after, "wavegate_orders_standing"), { 'status="ticketing_blocked"': 1 });
    for (const leg of ["ticketing", "callback"]) {
      assert.equal(after.get(`wavegate_jobs_due{leg="${leg}"}`), 0);
      assert.equal(after.get(`wavegate_jobs_past_due{leg="${leg}"}`), 0);
      assert.equal(after.get(`wavegate_slots_in_use{leg="${leg}"}`), 0);
    }
    assert.ok(after.get('wavegate_oldest_order_not_ticketed_age_seconds{state="standing"}')! > 0);
    assert.equal(after.get('wavegate_oldest_order_not_ticketed_age_seconds{state="in_work"}'), 0);
    assert.ok(after.get("wavegate_database_transaction_duration_seconds_count")! >= 3);
    assert.equal(after.get("wavegate_held"), 0);
    assert.equal(after.get("wavegate_processes"), 1);
  });

  test("a database that is away costs the process' own metrics nothing", async (t) => {
    const { url, remove } = await removable(t, kind);
    const { gateway } = await start(t, url);
    // The thread that looks may take its time to begin.
    await until("a look", async () => (await scrape(gateway)).get("wavegate_database_up") === 1);
    await remove();
    const now = await scrape(gateway);
    assert.equal(now.get("wavegate_database_up"), 0);
    assert.ok(now.get("wavegate_database_transaction_duration_seconds_count") !== undefined);
    assert.deepEqual(
      [...now.keys()].filter((name) => /^wavegate_(jobs|oldest|orders_s|circuit|count)/.test(name)),
      [],
    );
    // A token that nobody has vouched for opens nothing meanwhile.
    const strange = await gateway.get("/metrics", { authorization: "Bearer another-token" });
    assert.notEqual(strange.status, 200);
  });
});

suite("who may GET /metrics", () => {
  test("an operator of any role, and with METRICS_PUBLIC=1 everybody; also of a worker", async (t) => {
    const url = await POSTGRES.createUrl();
    const { gateway } = await start(t, url);
    const status = async (of: RunningGateway, headers: Record<string, string>) =>
      (await of.get("/metrics", headers)).status;
    assert.equal(await status(gateway, {}), 401);
    assert.equal(await status(gateway, { authorization: "Bearer nobodys" }), 401);
    assert.equal(await status(gateway, { "x-partner-id": "demo", "x-partner-token": "demotoken" }), 401);
    const failures = samplesOf(await scrape(gateway), "wavegate_auth_failures_total");
    assert.deepEqual(failures, { 'reason="missing_credentials"': 2, 'reason="wrong_token"': 1 });

    const worker = await start(t, url, { ROLE: "worker" });
    assert.equal(await status(worker.gateway, {}), 401);
    assert.equal((await scrape(worker.gateway)).get('wavegate_slots{leg="ticketing"}'), 10);
    const open = await start(t, url, { METRICS_PUBLIC: "1" });
    assert.equal(await status(open.gateway, {}), 200);
  });

  test("processes that share a port answer for each other, also for one that hangs or has ended", async (t) => {
    const ticketing = await startRecorder();
    t.after(() => ticketing.close());
    const env = { ...gatewayEnv(await POSTGRES.createUrl(), ticketing.url), METRICS_PUBLIC: "1" };
    const gateway = await spawnGateway(env, { args: ["--workers", "2"] });
    const pids = await until("two workers", () => {
      const started = gateway.log.filter(({ event }) => event === "gateway.started").map(({ pid }) => pid);
      return started.length === 2 && started;
    });
    // A connection of its own for each: they go round among the workers.
    const ask = (path: string) => getAlone(gateway.url + path);
    for (let sent = 0; sent < 6; sent += 1) await ask("/health");
    const health = 'wavegate_http_requests_total{method="GET",route="/health",status="200"}';
    for (let asked = 0; asked < 2; asked += 1) {
      const now = readScrape(await ask("/metrics"));
      assert.equal(now.get("wavegate_processes"), 2);
      assert.equal(now.get(health), 6);
      assert.equal(now.get('wavegate_slots{leg="ticketing"}'), 20);
      assert.equal(now.get("wavegate_database_up"), 1);
      assert.equal([...now.keys()].filter((name) => name.startsWith("wavegate_build_info")).length, 1);
    }
    // One of the two questions comes to the process that answers nobody.
    process.kill(pids[0]!, "SIGSTOP");
    const hung = readScrape(await Promise.any([ask("/metrics"), ask("/metrics")]));
    assert.equal(hung.get("wavegate_processes"), 1);
    assert.equal(hung.get(health), 6);
    process.kill(pids[0]!, "SIGKILL");
    await gateway.logged("worker.ended");
    const after = readScrape(await ask("/metrics"));
    assert.equal(after.get("wavegate_processes"), 1);
    assert.equal(after.get(health), 6);
    assert.equal((await gateway.stop()).code, 0);
  });
});

/** A database that can be taken away from its gateway. */
async function removable(t: TestContext, kind: DatabaseUnderTest) {
  const url = await kind.createUrl();
  if (kind.name === "SQLite") {
    const path = url.slice("sqlite:///".length);
    return { url, remove: async () => renameSync(path, `${path}-moved`) };
  }
  const proxy = await startCommitProxy(url);
  t.after(() => proxy.close());
  return { url: proxy.url, remove: () => proxy.close() };
}

function getAlone(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpGet(url, { agent: new Agent({ keepAlive: false }) }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}
