import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SQLITE } from "../support/databases.ts";
import { gatewayEnv, runGateway } from "../support/gateway.ts";
import { json, startRecorder } from "../support/recorder.ts";
import { directoryFor, errorIn, run, runAlone } from "./cli.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/mappings");
const MONEY = join(EXAMPLES, "decimal-money.ts");
const ORDER = {
  external_order_id: "EXT-42",
  callback_url: "https://partner.example.com/cb",
  items: [{ sku: "A", qty: 3, unit_price_minor: 1999, currency: "EUR" }],
};

test("mapping test shows what an order and an answer become", async (t) => {
  const cwd = directoryFor(t);
  writeFileSync(join(cwd, "order.json"), JSON.stringify(ORDER));
  writeFileSync(join(cwd, "answer.json"), JSON.stringify({ sale_no: "S-1", codes: ["C-1"] }));
  const env = { TICKETING_MAPPING: MONEY };
  const mapped = ["mapping", "test", "--order", "order.json"];

  const whole = await run([...mapped, "--status", "201", "--response", "answer.json", "--json"], {
    env,
    cwd,
  });
  assert.equal(whole.code, 0, whole.stderr);
  const { ok, order, request, answer } = JSON.parse(whole.stdout);
  assert.equal(ok, true);
  assert.deepEqual([order.external_order_id, "callback_url" in order], ["EXT-42", false]);
  assert.deepEqual([request.body.total, request.headers["x-sale-key"]], ["59.97", order.trace_id]);
  assert.deepEqual([answer.outcome, answer.reference, answer.tickets], ["done", "S-1", ["C-1"]]);

  const text = await run([...mapped, "--status", "409"], { env, cwd });
  assert.equal(text.code, 0);
  assert.match(text.stdout, /"total": "59\.97"/);
  assert.match(
    text.stdout,
    /Answer 409\ndone\n.*ticketed by an earlier attempt, and its answer carries no tickets/,
  );

  const sample = await run(["mapping", "test", "--mapping", join(EXAMPLES, "octo.ts"), "--json"], { cwd });
  const shown = JSON.parse(sample.stdout);
  assert.deepEqual([sample.code, shown.request.body.productId, shown.answer], [0, "day-pass", null]);
});

test("the exit code tells: a mapping that fails, another outcome than expected, nothing to try", async (t) => {
  const cwd = directoryFor(t);
  const two = [...ORDER.items, { ...ORDER.items[0], currency: "JPY" }];
  writeFileSync(join(cwd, "two.json"), JSON.stringify({ ...ORDER, items: two }));
  const trial = ["mapping", "test", "--mapping", MONEY];
  const failed = await runAlone([...trial, "--order", "two.json", "--json"], { cwd });
  assert.equal(failed.code, 1);
  const { ok, request, request_failure } = JSON.parse(failed.stdout);
  assert.deepEqual([ok, request, request_failure], [false, null, "it threw Error: more than one currency"]);
  const unread = await run([...trial, "--status", "200"], { cwd });
  assert.equal(unread.code, 1);
  assert.match(unread.stdout, /ticketed there, answer unreadable by the mapping/);

  assert.equal((await run([...trial, "--status", "423", "--expect", "retry"], { cwd })).code, 0);
  const other = await run([...trial, "--status", "423", "--expect", "done"], { cwd });
  assert.equal(other.code, 1);
  assert.match(other.stdout, /retry, and not done/);

  const refused = [
    [["mapping", "test"], 2, /there is no mapping to try/],
    [[...trial, "--expect", "done"], 2, /--expect needs an answer/],
    [[...trial, "--status", "99"], 2, /status from 200 to 599/],
    [[...trial, "--order", "none.json"], 2, /none\.json can't be read/],
    [["mapping", "test", "--mapping", "none.ts"], 1, /none\.ts can't be used: there is no such file/],
  ] as const;
  const all = await Promise.all(refused.map(([args]) => run([...args, "--json"], { cwd })));
  refused.forEach(([, code, message], index) => {
    assert.equal(all[index]!.code, code, all[index]!.stderr);
    assert.match(errorIn(all[index]!).message, message);
  });
});

test("a gateway and doctor refuse a module that can't be used, by name and reason", async (t) => {
  const cwd = directoryFor(t);
  writeFileSync(join(cwd, "broken.ts"), "export const request = () => { throw new Error('no catalogue'); };");
  const env = { TICKETING_URL: "http://127.0.0.1:9", TICKETING_MAPPING: "broken.ts" };
  const why =
    /TICKETING_MAPPING broken\.ts can't be used: the dry run on .* failed: it threw Error: no catalogue/;
  const serve = await runAlone(["serve", "--json"], { env, cwd });
  assert.equal(serve.code, 2);
  assert.match(errorIn(serve).problems.join("\n"), why);
  const doctor = JSON.parse((await run(["doctor", "--json"], { env, cwd })).stdout);
  const check = doctor.checks.find(({ name }: { name: string }) => name === "mapping");
  assert.equal(check.status, "fail");
  assert.match(check.detail, why);
});

test("a gateway speaks by the module that TICKETING_MAPPING names", async (t) => {
  const [ticketing, partner] = [await startRecorder(), await startRecorder()];
  ticketing.answer(json(201, { sale_no: "S-1", codes: ["C-1"] }));
  const env = { ...gatewayEnv(await SQLITE.createUrl(), ticketing.url), TICKETING_MAPPING: MONEY };
  const gateway = await runGateway(env);
  t.after(() => Promise.all([gateway.stop(), ticketing.close(), partner.close()]));
  const posted = await gateway.post({ ...ORDER, callback_url: `${partner.url}/cb` });
  const { order_id, id = order_id } = (await posted.json()) as { order_id: number; id?: number };
  const order = await gateway.reach(id, "ota_callback_delivered");
  assert.deepEqual([order["reference"], order["tickets"]], ["S-1", ["C-1"]]);
  assert.equal(JSON.parse(ticketing.requests[0]!.body).total, "59.97");
});
