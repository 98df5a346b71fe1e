import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { json, type Recorder, type Reply, startRecorder } from "../support/recorder.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "wavegate-probe-"));
writeFileSync(
  join(directory, "order.json"),
  JSON.stringify({
    external_order_id: "PROBE-1",
    callback_url: "https://partner.example.com/cb",
    items: [{ sku: "TEST", qty: 1, unit_price_minor: 0, currency: "THB" }],
    channel: "probe",
  }),
);
writeFileSync(join(directory, "broken.json"), '{"items": []}');
after(() => rmSync(directory, { recursive: true }));

function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  return runWith({}, ...args);
}

function runWith(env: Record<string, string>, ...args: string[]) {
  return new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: directory, env: { PATH: "", ...env } });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

suite("ticketing probe", () => {
  let ticketing: Recorder | null = null;
  afterEach(async () => {
    await ticketing?.close();
    ticketing = null;
  });

  async function probe(...replies: Reply[]) {
    ticketing = await startRecorder(...replies);
    const env = { TICKETING_URL: ticketing.url, TICKETING_AUTHORIZATION: "Bearer t" };
    const { code, out, err } = await runWith(env, "ticketing", "probe", "--order", "order.json", "--json");
    assert.equal(err, "");
    return { code, ...JSON.parse(out) };
  }

  test("the same tickets twice: the key is honoured", async () => {
    const { code, finding, idempotency_key } = await probe(json(200, { reference: "R", tickets: ["T"] }));
    assert.equal(finding, "honoured");
    assert.equal(code, 0);
    const { requests } = ticketing!;
    assert.equal(requests.length, 2);
    for (const { headers, body } of requests) {
      assert.equal(headers["idempotency-key"], idempotency_key);
      assert.equal(headers["authorization"], "Bearer t");
      assert.equal(JSON.parse(body).channel, "probe");
      assert.equal("callback_url" in JSON.parse(body), false);
    }
  });

  test("other tickets: it is not", async () => {
    const { code, finding, advice } = await probe(
      json(200, { tickets: ["T1"] }),
      json(200, { tickets: ["T2"] }),
    );
    assert.equal(finding, "not_honoured");
    assert.match(advice, /TICKETING_ON_UNKNOWN=hold/);
    assert.equal(code, 1);
  });

  test("a refused repeat, a failure, answers that say nothing", async () => {
    assert.equal((await probe(json(200, { tickets: ["T"] }), json(409, {}))).finding, "refuses_repeats");
    await ticketing!.close();
    assert.equal((await probe(500)).finding, "undecided");
    await ticketing!.close();
    assert.equal((await probe(200)).finding, "undecided");
  });

  test("without a URL, without a file, with a file that is no order", async () => {
    const none = await run("ticketing", "probe", "--order", "order.json");
    assert.equal(none.code, 2);
    assert.match(none.err, /TICKETING_URL/);
    const env = { TICKETING_URL: "http://127.0.0.1:9" };
    assert.match((await runWith(env, "ticketing", "probe", "--order", "none.json")).err, /can't be read/);
    assert.match(
      (await runWith(env, "ticketing", "probe", "--order", "broken.json")).err,
      /external_order_id is required/,
    );
  });
});
