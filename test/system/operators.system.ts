import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { openStorage } from "../../src/storage/open.ts";
import { directoryFor, run } from "../commands/cli.ts";
import { commandsIn, readPage } from "../docs/documents.ts";
import { openDoor } from "../http/door.ts";
import { SQLITE } from "../support/databases.ts";
import { json } from "../support/recorder.ts";
import { PARTNER_ID, startWay } from "../support/way.ts";

const PAGE = readPage("docs/operators.md");
const BROKEN = 40;

interface Line {
  readonly args: readonly string[];
  /** The exit code that the page tells. */
  readonly code: number;
}

/** The page's commands, in their order. */
const LINES: readonly Line[] = PAGE.blocks
  .filter(({ language }) => language === "bash")
  .flatMap(({ text }) => commandsIn(text))
  .map(({ words: [program, ...args], comment }) => {
    assert.equal(program, "wavegate");
    const [, code = "0"] = /^ends with (\d)$/.exec(comment) ?? [];
    return { args, code: Number(code) };
  });

/** The night that the page tells of: one order refused, forty given up, one turned away at the door. */
async function afterTheNight(t: TestContext) {
  const url = await SQLITE.migratedUrl();
  // Without circuits, which would hold half of them back.
  const storage = openStorage({ url, poolSize: 4, preparedStatements: true, create: true });
  const way = await startWay({ storage, schedule: { offsetsMs: [0], jitterMs: 0 } });
  t.after(() => way.close());
  way.ticketing.answer(json(422, { message: "SKU ADULT-DAY is not on sale" }));
  await way.order({ external_order_id: "EXT-42" });
  await way.work();
  way.ticketing.answer(503);
  for (let no = 1; no <= BROKEN; no += 1) await way.order({ external_order_id: `EXT-${100 + no}` });
  await way.work();
  await storage.rejections.write([
    {
      partnerId: PARTNER_ID,
      status: 422,
      problem: "key-reused",
      reason: "this Idempotency-Key was used with another payload",
      externalOrderId: "EXT-77",
      ip: "198.51.100.7",
      count: 1,
      at: Date.now(),
    },
  ]);
  const directory = directoryFor(t);
  writeFileSync(join(directory, "sold.csv"), "Booking,Pax\nEXT-101,2\nEXT-102,3\nEXT-999,1\n");
  const cli = (...args: string[]) =>
    run(args, { env: { DATABASE_URL: url, APP_HMAC_SECRET: "s".repeat(32) }, cwd: directory });
  return { way, cli };
}

// On one database: the commands themselves are tested on both.
suite("docs/operators.md", () => {
  test("every command does what the page says, one after the other", async (t) => {
    const { way, cli } = await afterTheNight(t);
    const groups = JSON.parse((await cli("errors", "--json")).stdout) as {
      groups: { fingerprint: string; code: number }[];
    };
    const { fingerprint } = groups.groups.find(({ code }) => code === 503)!;
    const told = new Map<string, string>();
    assert.ok(LINES.length > 20);
    for (const { args, code } of LINES) {
      const ended = await cli(...args.map((word) => word.replace("<fingerprint>", fingerprint)));
      const command = args.join(" ");
      assert.equal(ended.code, code, `${command}\n${ended.stdout}${ended.stderr}`);
      told.set(command, ended.stdout + ended.stderr);
    }
    const shows = (begin: string, pattern: RegExp) => {
      const [command, text] = [...told].findLast(([one]) => one.startsWith(begin))!;
      assert.match(text, pattern, command);
    };
    shows("order show EXT-42", /the SKU is on sale again/);
    shows("errors", /503/);
    shows("order list --error-group", /EXT-140/);
    shows("order retry --status ticketing_exhausted --since 24h --reason ticketing is back --dry-run", /40/);
    shows("bulk show 1", /40 of 40/);
    shows("order show EXT-77", /was refused .*422/);
    shows("rejection list --external-id", /another payload/);
    shows("reconcile", /EXT-999/);
    way.ticketing.answer(json(200, { tickets: ["T-1"] }));
    await way.work();
    const delivered = await cli(
      "order",
      "list",
      "--status",
      "ota_callback_delivered",
      "--limit",
      "200",
      "--json",
    );
    assert.equal((JSON.parse(delivered.stdout) as unknown[]).length, BROKEN + 1);
  });
});

test("the page names every operation of operators, and no other", async (t) => {
  const door = await openDoor();
  t.after(() => door.close());
  const { paths } = (await door.app.inject("/openapi.json")).json<{ paths: Record<string, object> }>();
  const served = Object.entries(paths).flatMap(([path, item]) =>
    path.startsWith("/admin/") ? Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`) : [],
  );
  const named = PAGE.spans.filter((span) => /^(?:GET|POST|PATCH|DELETE) \/admin\//.test(span));
  assert.deepEqual([...new Set(named)].toSorted(), served.toSorted());
});
