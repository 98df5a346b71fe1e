import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { createLog } from "../../src/observe/log.ts";
import { startCommitProxy } from "../storage/commit-proxy.ts";
import { otherProcess } from "../storage/other-process.ts";
import { onEachDatabase, openUrl, POSTGRES, SQLITE } from "../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const BUYER = "Quillfeather";
const TOKEN = "demotoken";
const CALLBACK_KEY = "what-the-partner-put-into-its-url";
/** Words that a reply must not have: a stack's, a driver's, a table's. */
const INSIDE =
  /\bat .*:\d|node_modules|\.ts\b|sqlite|postgres|order_items|hidden|relation|table|column|ECONN|locked|busy/i;

/** A gateway whose log is the real one, with every line of it. */
async function start(t: TestContext, databaseUrl: string) {
  const lines: string[] = [];
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  const ticketing = await startRecorder();
  t.after(() => ticketing.close());
  const gateway = await runGateway(gatewayEnv(databaseUrl, ticketing.url), log);
  t.after(() => gateway.stop());
  const callbackUrl = `${ticketing.url}/cb?key=${CALLBACK_KEY}`;
  const post = () => gateway.post(orderBody(callbackUrl, { buyer: { name: BUYER } }));
  return { gateway, lines, post };
}

/** Asserts that the reply tells a reference and nothing of what is inside, and gives the line that the reference names. */
async function lineOf(reply: Response, lines: readonly string[]): Promise<Record<string, unknown>> {
  const text = await reply.text();
  assert.equal(reply.headers.get("content-type"), "application/problem+json");
  assert.doesNotMatch(text, INSIDE);
  const { status, error_reference } = JSON.parse(text) as { status: number; error_reference: string };
  assert.equal(status, reply.status);
  assert.match(error_reference, /^[0-9a-f-]{36}$/);
  const named = lines.filter((line) => line.includes(error_reference));
  assert.equal(named.length, 1, "one line for a reference");
  const line = JSON.parse(named[0]!) as Record<string, unknown>;
  assert.equal(line["event"], "http.failed");
  assert.equal(line["status"], status);
  return line;
}

const causeOf = ({ err }: Record<string, unknown>) => JSON.stringify(err);

async function works({ gateway, post }: { gateway: RunningGateway; post: () => Promise<Response> }) {
  const reply = await post();
  assert.equal(reply.status, 201);
  await gateway.reach(((await reply.json()) as { id: number }).id, "ota_callback_delivered");
}

onEachDatabase("a failure inside", (kind) => {
  test("a 500 tells a reference, and the log the cause", async (t) => {
    const url = await kind.createUrl();
    const started = await start(t, url);
    const { gateway, lines, post } = started;
    await works(started);
    const storage = openUrl(url);
    t.after(() => storage.close());
    const { schema } = storage.database.queries;
    await schema.alterTable("order_items").renameTo("hidden").execute();
    for (const reply of [await post(), await gateway.get("/orders/1")]) {
      assert.equal(reply.status, 500);
      const line = await lineOf(reply, lines);
      assert.equal(line["level"], "error");
      assert.match(causeOf(line), /order_items/, "the real cause");
      assert.match(causeOf(line), /\.ts:\d+/, "and where it came from");
    }
    assert.equal((await gateway.get("/health")).status, 200);
    await schema.alterTable("hidden").renameTo("order_items").execute();
    await works(started);
    assert.doesNotMatch(lines.join(""), new RegExp(`${BUYER}|${TOKEN}|${CALLBACK_KEY}`));
  });
});

suite("a database that is away", () => {
  test("PostgreSQL: a 503 tells a reference, and the log the cause; an outage of many requests is few lines", async (t) => {
    const proxy = await startCommitProxy(await POSTGRES.createUrl());
    const started = await start(t, proxy.url);
    const { lines, post } = started;
    await works(started);
    await proxy.close();
    const replies = await Promise.all(Array.from({ length: 200 }, post));
    for (const reply of replies) {
      assert.equal(reply.status, 503);
      assert.equal(reply.headers.get("retry-after"), "1");
      assert.match(causeOf(await lineOf(reply, lines)), /ECONN|terminated/);
    }
    const failures = lines.filter((line) => line.includes("http.failed"));
    assert.ok(failures.length < 50, `${failures.length} lines`);
    assert.doesNotMatch(lines.join(""), new RegExp(`${BUYER}|${TOKEN}|${CALLBACK_KEY}`));
  });

  test("SQLite: the same, where another process holds it", async (t) => {
    const url = await SQLITE.createUrl();
    const started = await start(t, url);
    await works(started);
    const holder = otherProcess("hold", url, "10000");
    assert.equal(await holder.said, "held");
    const reply = await started.post();
    await holder.kill();
    assert.equal(reply.status, 503);
    assert.match(causeOf(await lineOf(reply, started.lines)), /locked|busy/i);
    await works(started);
  });
});
