import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { openUrl, SQLITE } from "../support/databases.ts";
import { startWay } from "../support/way.ts";
import { run, startFor } from "./cli.ts";

// On one database: what is read is tested on both below the command line.
suite("tail", () => {
  const kind = SQLITE;
  test("shows the newest, then what comes and what changes, until Ctrl-C", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    const way = await startWay({ storage });
    t.after(() => way.close());
    const env = { DATABASE_URL: url };
    const first = await way.order({ external_order_id: "FIRST" });
    const all = startFor(t, ["tail"], { env });
    const blocked = startFor(t, ["tail", "--status", "ticketing_blocked", "--json"], { env });
    await all.shows(/#1 {2}FIRST {2}demo {2}accepted/);
    await way.work();
    await all.shows(/#1 {2}FIRST {2}demo {2}ota_callback_delivered {2}callback attempt 1: 200/);

    way.ticketing.answer((response) => response.writeHead(422).end("no"));
    const second = await way.order({ external_order_id: "SECOND" });
    await way.work();
    await all.shows(/#2 {2}SECOND {2}demo {2}ticketing_blocked {2}ticketing attempt 1: 422/);
    await blocked.shows(/"id":2,/);
    await storage.operatorActions.resend(first, { actor: "kim", reason: "lost" }, null);
    await all.shows(/#1 {2}FIRST {2}demo {2}ota_callback_pending/);

    const named = startFor(t, ["tail", "--q", "SECOND", "--last", "0"], { env });
    await storage.operatorActions.cancel(second, { actor: "kim", reason: "not wanted" }, null);
    await all.shows(/#2 {2}SECOND {2}demo {2}cancelled/);
    for (const { child } of [all, blocked, named]) child.kill("SIGINT");
    const [ended, other] = await Promise.all([all.ended, blocked.ended]);
    assert.deepEqual([ended.code, ended.stderr, other.code, other.stderr], [0, "", 0, ""]);
    const lines = other.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; status: string });
    // More than once, if it happened between the first look and the first list.
    assert.deepEqual(
      new Set(lines.map(({ id, status }) => `${id} ${status}`)),
      new Set([`${second} ticketing_blocked`]),
    );
  });

  test("attempt list, by what they brought", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    const way = await startWay({ storage });
    t.after(() => way.close());
    way.ticketing.answer(422, 200);
    await way.order();
    await way.order();
    await way.work();
    const list = async (...args: string[]) => {
      const { code, stdout } = await run(["attempt", "list", ...args, "--json"], {
        env: { DATABASE_URL: url },
      });
      assert.equal(code, 0);
      return (JSON.parse(stdout) as { order_id: number; leg: string; code: number }[]).map((row) => [
        row.order_id,
        row.leg,
        row.code,
      ]);
    };
    assert.deepEqual(await list("--failed", "--since", "1h"), [[1, "ticketing", 422]]);
    assert.deepEqual(await list("--leg", "callback"), [[2, "callback", 200]]);
    assert.deepEqual(await list("--order", "1", "--code", "200"), []);
    assert.equal((await list()).length, 3);
    const { stdout, stderr } = await run(["attempt", "list", "--limit", "1"], { env: { DATABASE_URL: url } });
    assert.match(stdout, /^ORDER +PARTNER +LEG +NO +RESULT +BEGUN +TOOK +NOTE\n/);
    const [, cursor] = /^Older ones: --cursor (\S+)\n$/.exec(stderr) ?? [];
    assert.ok(cursor);
    const next = await run(["attempt", "list", "--limit", "1", "--cursor", cursor], {
      env: { DATABASE_URL: url },
    });
    assert.notEqual(next.stdout, stdout);
    assert.equal((await run(["attempt", "list", "--cursor", "x"], { env: { DATABASE_URL: url } })).code, 2);
  });
});
