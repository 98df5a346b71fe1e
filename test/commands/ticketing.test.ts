import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, suite, test } from "node:test";
import { json, type Recorder, type Reply, startRecorder } from "../support/recorder.ts";
import { run, runAlone } from "./cli.ts";

const cwd = mkdtempSync(join(tmpdir(), "wavegate-probe-"));
writeFileSync(
  join(cwd, "order.json"),
  JSON.stringify({
    external_order_id: "PROBE-1",
    callback_url: "https://partner.example.com/cb",
    items: [{ sku: "TEST", qty: 1, unit_price_minor: 0, currency: "THB" }],
    channel: "probe",
  }),
);
writeFileSync(join(cwd, "broken.json"), '{"items": []}');
after(() => rmSync(cwd, { recursive: true }));

const PROBE = ["ticketing", "probe", "--order"];

suite("ticketing probe", () => {
  let ticketing: Recorder | null = null;
  afterEach(async () => {
    await ticketing?.close();
    ticketing = null;
  });

  async function probe(...replies: Reply[]) {
    ticketing = await startRecorder(...replies);
    const env = { TICKETING_URL: ticketing.url, TICKETING_AUTHORIZATION: "Bearer t" };
    const { code, stdout, stderr } = await run([...PROBE, "order.json", "--json"], { env, cwd });
    assert.equal(stderr, "");
    return { code, ...JSON.parse(stdout) };
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

  test("the order may come by stdin", async () => {
    ticketing = await startRecorder(json(200, { reference: "R" }));
    const stdin = readFileSync(join(cwd, "order.json"), "utf8");
    const { code } = await runAlone([...PROBE, "-"], { env: { TICKETING_URL: ticketing.url }, cwd, stdin });
    assert.equal(code, 0);
    assert.equal(JSON.parse(ticketing.requests[0]!.body).external_order_id, "PROBE-1");
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
    const none = await runAlone([...PROBE, "order.json"], { cwd });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /TICKETING_URL/);
    const env = { TICKETING_URL: "http://127.0.0.1:9" };
    const refused = async (file: string) => (await run([...PROBE, file], { env, cwd })).stderr;
    assert.match(await refused("none.json"), /can't be read/);
    assert.match(await refused("broken.json"), /external_order_id is required/);
  });
});
