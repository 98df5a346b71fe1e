import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, test } from "node:test";
import type { OrderView } from "../../src/http/order-view.ts";
import { migrate } from "../../src/storage/schema.ts";
import { openUrl } from "../support/databases.ts";
import { startRecorder } from "../support/recorder.ts";
import { addPartner } from "../support/way.ts";
import { directoryFor, run, runAlone, startFor } from "./cli.ts";

interface Summary {
  readonly type: "summary";
  readonly reached: boolean;
  readonly orders: {
    readonly external_order_id: string;
    readonly actual: string;
    readonly tickets: number;
  }[];
}

suite("demo", { concurrency: true }, () => {
  test("--exit shows every order's way, and the story stays to be told", async (t) => {
    const cwd = directoryFor(t);
    // Settings that would spoil the demo, or let it reach something real, are not heeded.
    const ticketing = await startRecorder(500);
    t.after(() => ticketing.close());
    const env = { PORT: "0", TICKETING_URL: ticketing.url, REQUIRE_HTTPS_CALLBACKS: "1", HOST: "0.0.0.0" };
    const { code, stdout, stderr } = await runAlone(["demo", "--exit"], { cwd, env });
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert.equal(ticketing.requests.length, 0);
    const lines = stdout.split("\n");
    const of = (name: string) =>
      lines.filter((line) => / s {2}EXT-/.test(line) && line.includes(name)).map(words);
    assert.deepEqual(of("EXT-42"), [
      "order accepted",
      "ticketing 1 200",
      "order ticketed",
      "partner signature verified",
      "callback 1 200",
      "order ota_callback_delivered",
    ]);
    assert.deepEqual(of("EXT-43").slice(0, 4), [
      "order accepted",
      "ticketing 1 500",
      "ticketing 2 500",
      "ticketing 3 200",
    ]);
    assert.deepEqual(of("EXT-44"), ["order accepted", "ticketing 1 422", "order ticketing_blocked"]);
    assert.ok(of("EXT-45").includes("callback 1 503"));
    assert.match(stdout, /^ID +ORDER +WHAT HAPPENS +EXPECTED +ACTUAL/m);
    assert.match(stdout, /order show EXT-42\n/);

    // Without any setting, as `DATABASE_URL` has the same default.
    const shown = await run(["order", "show", "EXT-42"], { cwd });
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, /^Order 1 {2}ota_callback_delivered\n/);
    assert.match(shown.stdout, /Buyer +สมหญิง Étienne\n/);
    assert.match(
      shown.stdout,
      /\nTickets\n {2}1\. .*ADULT-DAY.*\n {2}2\. .*ADULT-DAY.*\n {2}3\. .*CHILD-DAY/,
    );
  });

  test("stays up, also where the port is taken; its next steps work; a second run on the same database too", async (t) => {
    const taken = await startRecorder();
    t.after(() => taken.close());
    const cwd = directoryFor(t);
    const env = { PORT: new URL(taken.url).port };
    const running = startFor(t, ["demo"], { cwd, env });
    const url = await running.shows(/listens on (\S+);/);
    assert.notEqual(new URL(url).port, env.PORT);
    assert.ok((await running.shows(/(http:\S+#token=wgo_\S+)/)).startsWith(`${url}/console/#`));
    await running.shows(/The gateway stays up/);
    const headers = { "X-Partner-Id": "demo", "X-Partner-Token": "demotoken" };
    const order = (await (
      await fetch(await running.shows(/(http:\S+\/orders\/\d+)/), { headers })
    ).json()) as OrderView;
    assert.equal(order.external_order_id, "EXT-42");
    const blocked = await running.shows(/order retry (\d+) /);
    assert.equal((await run(["order", "retry", blocked, "--reason", "on sale again"], { cwd })).code, 0);
    await running.shows(/EXT-44 .* ota_callback_delivered/);
    running.child.kill("SIGINT");
    assert.equal((await running.ended).code, 0);

    const again = await runAlone(["demo", "--exit", "--json"], { cwd, env });
    assert.equal(again.code, 0, again.stderr);
    const parsed = again.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    const summary = parsed.at(-1) as Summary;
    assert.equal(summary.reached, true);
    assert.deepEqual(
      summary.orders.map(({ external_order_id, actual, tickets }) => [external_order_id, actual, tickets]),
      [
        ["EXT-42", "ota_callback_delivered", 3],
        ["EXT-43", "ota_callback_delivered", 4],
        ["EXT-44", "ticketing_blocked", 0],
        ["EXT-45", "ota_callback_delivered", 1],
      ],
    );
  });

  test("--exit reaches its verdict though nobody reads on", async (t) => {
    const cwd = directoryFor(t);
    const running = startFor(t, ["demo", "--exit"], { cwd, env: { PORT: "0" } });
    await running.shows(/EXT-43/);
    running.child.stdout?.destroy();
    assert.equal((await running.ended).code, 0);
    const { stdout } = await run(["order", "show", "EXT-43", "--json"], { cwd });
    assert.equal((JSON.parse(stdout) as OrderView).status, "ota_callback_delivered");
  });

  test("refuses a database with real partners, and PostgreSQL", async (t) => {
    const cwd = directoryFor(t);
    const storage = openUrl(`sqlite:///${join(cwd, "gateway.db")}`);
    await migrate(storage.database);
    await addPartner(storage, "wave");
    await storage.close();
    const real = await runAlone(["demo", "--exit"], { cwd, env: { PORT: "0" } });
    assert.equal(real.code, 2);
    assert.match(real.stderr, /^error: \.\/gateway\.db holds real partners \(wave\)\n.*DATABASE_URL=sqlite/);
    const postgres = await runAlone(["demo", "--exit"], {
      env: { DATABASE_URL: "postgres://127.0.0.1:1/gateway" },
    });
    assert.equal(postgres.code, 2);
    assert.match(postgres.stderr, /^error: the demo runs on SQLite only/);
  });
});

/** The step and its result, of a line of the story. */
function words(line: string): string {
  const [, step = "", result = ""] =
    /s {2}EXT-\d+ +\w+ {2}(\w+(?: \d+)?) +(\w+(?: verified)?)/.exec(line) ?? [];
  return `${step} ${result}`;
}
