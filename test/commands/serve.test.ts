import assert from "node:assert/strict";
import { test } from "node:test";
import type { OrderView } from "../../src/http/order-view.ts";
import { POSTGRES } from "../support/databases.ts";
import { freePort } from "../support/postgres.ts";
import { json, startRecorder } from "../support/recorder.ts";
import { directoryFor, type Env, run, runAlone, type Running, startFor } from "./cli.ts";

const SEED_ORDER = {
  external_order_id: "EXT-42",
  callback_url: "https://webhook.site/<your-id>",
  items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
  buyer: { name: "Alex" },
};
const PARTNER = { "X-Partner-Id": "demo", "X-Partner-Token": "demotoken" };

const urlOf = (running: Running) => running.shows(/"event":"gateway\.started","url":"([^"]+)"/);

function post(url: string, order: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/orders`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...PARTNER, ...headers },
    body: JSON.stringify(order),
  });
}

const read = async (url: string) => (await fetch(url)).json();

async function reached(url: string, id: number, status: string): Promise<OrderView> {
  for (;;) {
    const order = (await read(`${url}/orders/${id}`)) as OrderView;
    if (order.status === status) return order;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("serve --dev takes the seed's smoke test as it is written", async (t) => {
  const ticketing = await startRecorder(500);
  t.after(() => ticketing.close());
  const cwd = directoryFor(t);
  // No callback is due while ticketing fails, and no name can be looked up: nothing leaves this machine.
  const env = {
    PORT: "0",
    TICKETING_URL: ticketing.url,
    CALLBACK_DNS_SERVERS: `127.0.0.1:${await freePort()}`,
  };
  const running = startFor(t, ["serve", "--dev"], { cwd, env });
  const url = await urlOf(running);

  const accepted = await post(url, SEED_ORDER, { "Idempotency-Key": "abc123" });
  assert.equal(accepted.status, 201);
  const { id, trace_id, pipeline_status } = (await accepted.json()) as Record<string, unknown>;
  assert.deepEqual([id, pipeline_status], [1, "accepted"]);
  const [listed] = (await read(`${url}/orders`)) as OrderView[];
  assert.deepEqual([listed?.id, listed?.trace_id], [1, trace_id]);
  const order = await reached(url, 1, "ticketing_processing");
  assert.deepEqual(order.items, SEED_ORDER.items);

  // Another serve on the same file is refused, whatever port it would have.
  const second = await runAlone(["serve", "--dev"], { cwd, env });
  assert.equal(second.code, 1);
  assert.match(second.stderr, /^error: another process is serving \.\/gateway\.db/);
  // The command line works beside it.
  assert.match(
    (await run(["order", "show", "EXT-42"], { cwd })).stdout,
    /^Order 1 {2}ticketing_processing\n/,
  );

  running.child.kill("SIGTERM");
  const { code, stdout } = await running.ended;
  assert.equal(code, 0);
  assert.match(stdout, /"event":"gateway\.stopped"/);
  for (const line of stdout.trim().split("\n")) assert.equal(typeof JSON.parse(line), "object");
});

test("serve --dev tells a newcomer everything, and its curl works", async (t) => {
  const cwd = directoryFor(t);
  const running = startFor(t, ["serve", "--dev"], { cwd, env: { PORT: "0" } });
  const url = await running.shows(/listens on (\S+)/);
  const token = await running.shows(/Authorization: Bearer (wgo_\S+)/);
  assert.equal(await running.shows(/Console +(\S+)/), `${url}/console/#token=${token}`);
  await running.shows(/X-Partner-Id: demo, X-Partner-Token: demotoken/);
  const callbackUrl = await running.shows(/(http:\/\/127\.0\.0\.1:\d+\/callbacks)/);
  const body = await running.shows(/-d '(.*)'/);
  assert.equal((JSON.parse(body) as { callback_url: string }).callback_url, callbackUrl);
  assert.equal((await post(url, JSON.parse(body) as object)).status, 201);
  const order = await reached(url, 1, "ota_callback_delivered");
  assert.equal(order.tickets.length, 2);
  const asOperator = await fetch(`${url}/orders/1`, { headers: { Authorization: `Bearer ${token}` } });
  assert.ok(((await asOperator.json()) as OrderView).actions);

  // The next start has another token; the partner and the order are still there.
  running.child.kill("SIGINT");
  assert.equal((await running.ended).code, 0);
  const again = startFor(t, ["serve", "--dev", "--json"], { cwd, env: { PORT: "0" } });
  const another = await again.shows(/^\{"url":.*"operator_token":"(wgo_[^"]+)"/m);
  assert.notEqual(another, token);
  await again.shows(new RegExp(`"console":"http://127.0.0.1:\\d+/console/#token=${another}"`));
  again.child.kill("SIGTERM");
  assert.equal((await again.ended).code, 0);
});

test("SIGTERM lets the attempt in flight finish", async (t) => {
  let answer: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const held = Promise.withResolvers<void>();
  const ticketing = await startRecorder((response) => {
    answer();
    void held.promise.then(() => response.writeHead(200).end("{}"));
  });
  t.after(() => ticketing.close());
  const cwd = directoryFor(t);
  const running = startFor(t, ["serve", "--dev"], { cwd, env: { PORT: "0", TICKETING_URL: ticketing.url } });
  const url = await urlOf(running);
  await post(url, { ...SEED_ORDER, callback_url: ticketing.url });
  await asked;
  running.child.kill("SIGTERM");
  await running.shows(/gateway\.stopping/);
  held.resolve();
  assert.equal((await running.ended).code, 0);
  const { stdout } = await run(["order", "show", "1", "--json"], { cwd });
  assert.equal((JSON.parse(stdout) as OrderView).ticketing_job?.attempts[0]?.code, 200);
});

test("a second signal ends it at once", async (t) => {
  const ticketing = await startRecorder(() => {});
  t.after(() => ticketing.close());
  const cwd = directoryFor(t);
  const running = startFor(t, ["serve", "--dev"], { cwd, env: { PORT: "0", TICKETING_URL: ticketing.url } });
  await post(await urlOf(running), { ...SEED_ORDER, callback_url: ticketing.url });
  while (ticketing.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  running.child.kill("SIGINT");
  await running.shows(/gateway\.stopping/);
  // Within half a second it counts as the same Ctrl-C, which npm passes on.
  running.child.kill("SIGINT");
  const again = setInterval(() => running.child.kill("SIGINT"), 100);
  t.after(() => clearInterval(again));
  const { stdout } = await running.ended;
  assert.equal(running.child.signalCode, "SIGINT");
  assert.doesNotMatch(stdout, /gateway\.stopped/);
});

test("what is missing to start is said all at once, and nothing has started", async (t) => {
  const env = { DATABASE_URL: `sqlite:///${directoryFor(t)}/gateway.db`, PORT: "0" };
  const { code, stderr } = await runAlone(["serve"], { env });
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: the gateway can't start:\n {2}TICKETING_URL is not set.*\n {2}PARTNERS_JSON is not set/,
  );
});

test("a port that is taken is said with what to do", async (t) => {
  const taken = await startRecorder();
  t.after(() => taken.close());
  const { port } = new URL(taken.url);
  const { code, stderr } = await runAlone(["serve", "--dev"], { cwd: directoryFor(t), env: { PORT: port } });
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(`^error: can't listen on 127\\.0\\.0\\.1:${port}: another process listens there\n`),
  );
});

test("--workers over 1 and --dev on PostgreSQL are refused with the reason", async (t) => {
  const several = await runAlone(["serve", "--workers", "2"], { cwd: directoryFor(t) });
  assert.equal(several.code, 2);
  assert.match(several.stderr, /^error: --workers over 1 needs PostgreSQL/);
  const dev = await runAlone(["serve", "--dev"], { env: { DATABASE_URL: "postgres://127.0.0.1:1/gateway" } });
  assert.equal(dev.code, 2);
  assert.match(dev.stderr, /--dev runs on SQLite only/);
});

function productionEnv(databaseUrl: string, ticketingUrl: string): Env {
  return {
    DATABASE_URL: databaseUrl,
    TICKETING_URL: ticketingUrl,
    PORT: "0",
    DRAIN_SECS: "2",
    PARTNERS_JSON: '[{"id":"demo","name":"Demo","token":"demotoken"}]',
    REQUIRE_HTTPS_CALLBACKS: "0",
    ALLOWED_CALLBACK_PORTS: "*",
    ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
  };
}

test("--workers on PostgreSQL share the port and the work; a crashed one is started anew", async (t) => {
  const ticketing = await startRecorder(json(200, { reference: "R-1" }));
  const partner = await startRecorder();
  t.after(() => Promise.all([ticketing.close(), partner.close()]));
  const env = productionEnv(await POSTGRES.createUrl(), ticketing.url);
  const running = startFor(t, ["serve", "--workers", "2"], { env });
  const url = await urlOf(running);
  const pid = Number(await running.shows(/"pid":(\d+),"event":"gateway\.started"/));
  await running.shows(/"event":"gateway\.started"[\s\S]*"event":"gateway\.started"/);
  const accepted = await post(url, { ...SEED_ORDER, callback_url: partner.url });
  assert.equal(accepted.status, 201);
  while (partner.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));

  process.kill(pid, "SIGKILL");
  await running.shows(new RegExp(`"event":"worker\\.ended","worker":${pid},"end":"SIGKILL"`));
  await running.shows(/worker\.ended[\s\S]*"event":"gateway\.started"/);
  running.child.kill("SIGTERM");
  const { code, stdout } = await running.ended;
  assert.equal(code, 0);
  assert.equal(stdout.match(/"event":"gateway\.stopped"/g)?.length, 2);
});

test("--workers that can't start end with the reason, said once", async () => {
  const { TICKETING_URL: _, ...env } = productionEnv(await POSTGRES.createUrl(), "");
  const { code, stderr } = await runAlone(["serve", "--workers", "3"], { env });
  assert.equal(code, 2);
  assert.equal(stderr.match(/TICKETING_URL is not set/g)?.length, 1);
});
