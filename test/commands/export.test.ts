import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { type DatabaseUnderTest, openUrl, SQLITE } from "../support/databases.ts";
import { json } from "../support/recorder.ts";
import { startWay } from "../support/way.ts";
import { directoryFor, errorIn, run, runAlone } from "./cli.ts";

async function prepared(t: TestContext, kind: DatabaseUnderTest) {
  const url = await kind.migratedUrl();
  const storage = openUrl(url);
  const way = await startWay({ storage });
  t.after(() => way.close());
  const directory = directoryFor(t);
  const options = { env: { DATABASE_URL: url }, cwd: directory };
  const cli = (...args: string[]) => run(args, options);
  return { storage, way, directory, options, cli };
}

const item = (currency: string, visit_date: string) => ({
  sku: "A",
  qty: 10_000,
  unit_price_minor: 2 ** 53 - 1,
  currency,
  visit_date,
});

// On one database: what is read is tested on both below the command line.
suite("order export", () => {
  const kind = SQLITE;
  test("to stdout, to a file, as JSON lines, with codes", async (t) => {
    const { storage, way, directory, options, cli } = await prepared(t, kind);
    way.ticketing.answer(
      json(200, { reference: "TK-1", tickets: [{ code: "C-1", holder: "Zbigniew" }, "C-2"] }),
    );
    await way.order({
      external_order_id: "=1",
      items: [item("THB", "2026-08-25"), item("XAU", "2026-08-26")],
      buyer: { name: "Zbigniew" },
    });
    await way.work();
    await way.order({ external_order_id: "EXT-2" });

    const { code, stdout, stderr } = await runAlone(["order", "export"], options);
    assert.deepEqual([code, stderr], [0, ""]);
    const [head, first, second, third, end] = stdout.split("\r\n");
    assert.match(head!, /^order_id,partner_id,external_order_id,.*,ticket_count$/);
    assert.match(
      first!,
      /^1,demo,"'=1",TK-1,.*,10000,9007199254740991,90071992547409910000,900719925474099100\.00,THB,2$/,
    );
    assert.match(second!, /,90071992547409910000,,XAU,2$/);
    assert.match(third!, /^2,demo,EXT-2,,/);
    assert.equal(end, "");
    assert.doesNotMatch(stdout, /Zbigniew|C-1/);

    const since = await cli(
      "order",
      "export",
      "--visit-to",
      "2026-08-25",
      "--format",
      "jsonl",
      "--codes",
      "--output",
      "out.jsonl",
    );
    assert.deepEqual([since.code, since.stdout, readdirSync(directory)], [0, "", ["out.jsonl"]]);
    assert.equal(statSync(join(directory, "out.jsonl")).mode & 0o777, 0o600);
    const lines = readFileSync(join(directory, "out.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map((each) => [
        each["external_order_id"],
        each["amount_minor"],
        each["amount"],
        each["ticket_codes"],
      ]),
      [
        ["=1", "90071992547409910000", "900719925474099100.00", ["C-1", "C-2"]],
        ["=1", "90071992547409910000", null, ["C-1", "C-2"]],
      ],
    );
    const acts = await storage.database.run("select action, partner_id from operator_actions", []);
    assert.deepEqual(
      acts.map((act) => ({ ...act })),
      [{ action: "export codes", partner_id: "" }],
    );
  });

  test("a file that can't be written, a filter that can't be read", async (t) => {
    const { directory, cli } = await prepared(t, kind);
    const nowhere = await cli("order", "export", "--output", "no/such/place.csv", "--json").then(
      ({ code, stderr }) => [code, stderr],
    );
    assert.equal(nowhere[0], 2, "there is no --json here: the output is the data");
    const unwritable = await cli("order", "export", "--output", "no/such/place.csv");
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.stderr, /^error: no\/such\/place\.csv can't be written: ENOENT/);
    assert.ok(!existsSync(join(directory, "no")));
    const refused = await cli("order", "export", "--code", "7", "--visit-from", "soon");
    assert.equal(refused.code, 2);
    assert.match(
      refused.stderr,
      /the filter can't be used:\n {2}--visit-from must be a date.*\n {2}--code must be/,
    );
    assert.equal((await cli("order", "export", "--since", "yesterday")).code, 2);
    assert.equal((await cli("order", "export", "--status", "lost")).code, 2);
  });

  test("order list takes the same filters", async (t) => {
    const { way, cli } = await prepared(t, kind);
    way.ticketing.answer(422, 503, json(200, { reference: "TK-3", tickets: ["C-3"] }));
    const ids: number[] = [];
    for (const visit of ["2026-08-25", "2026-08-26", "2026-08-27"]) {
      ids.push(
        await way.order({
          external_order_id: `EXT-${ids.length + 1}`,
          items: [{ ...item("THB", visit), qty: 2, unit_price_minor: 129_900 }],
        }),
      );
      await way.work();
    }
    const [blocked, waiting, done] = ids;
    const list = async (...args: string[]) => {
      const { code, stdout } = await cli("order", "list", ...args, "--json");
      assert.equal(code, 0);
      return (JSON.parse(stdout) as { id: number }[]).map(({ id }) => id);
    };
    assert.deepEqual(await list("--status", "ticketing_blocked", "--status", "ota_callback_delivered"), [
      done,
      blocked,
    ]);
    assert.deepEqual(await list("--q", "C-3"), [done]);
    assert.deepEqual(await list("--code", "503"), [waiting]);
    assert.deepEqual(await list("--visit-from", "2026-08-26", "--visit-to", "2026-08-26"), [waiting]);
    assert.deepEqual(await list("--id", `#${blocked}`, "--id", String(done)), [done, blocked]);
    assert.deepEqual(await list("--external-id", "EXT-3", "--id", String(blocked)), []);
    assert.deepEqual(await list("--since", "1h", "--until", "2099-01-01", "--limit", "1"), [done]);
    assert.deepEqual(await list("--since", "2099-01-01"), []);
    assert.deepEqual(await list("--past-due"), []);
    const { stdout } = await cli("order", "list", "--id", String(done));
    assert.match(stdout, /2026-08-27 +2598\.00 THB +1 /);
    assert.equal(errorIn(await cli("order", "list", "--code", "99", "--json")).code, "usage");
  });
});
