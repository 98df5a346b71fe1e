import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { createCredentials } from "../../src/lib/credentials.ts";
import type { OrderView } from "../../src/http/order-view.ts";
import { type DatabaseUnderTest, onEachDatabase, openUrl, SQLITE } from "../support/databases.ts";
import { json } from "../support/recorder.ts";
import { startWay } from "../support/way.ts";
import { type Ended, type Env, errorIn, run, runAlone } from "./cli.ts";

const MIGRATIONS = [
  "0001-initial",
  "0002-operator-rotation",
  "0003-search",
  "0005-actions",
  "0006-failure-events",
  "0007-hold",
  "0008-operator-sessions",
];

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- each test knows what it has asked for
function jsonOf<T>({ code, stdout, stderr }: Ended): T {
  assert.deepEqual([code, stderr], [0, ""]);
  return JSON.parse(stdout) as T;
}

/** A database with its schema, open here as a gateway would hold it, and the environment that names it. */
async function prepared(t: TestContext, kind: DatabaseUnderTest, { close = true } = {}) {
  const url = await kind.migratedUrl();
  const storage = openUrl(url);
  if (close) t.after(() => storage.close());
  const env: Env = { DATABASE_URL: url };
  const cli = (...args: string[]) => run(args, { env });
  return { storage, env, cli };
}

onEachDatabase("the database commands", (kind) => {
  test("migrate: pending, made, up to date", async () => {
    const env = { DATABASE_URL: await kind.createUrl() };
    const before = await run(["partner", "list"], { env });
    assert.equal(before.code, 1);
    assert.match(before.stderr, /there is no database at|has no tables yet/);

    const check = await runAlone(["migrate", "--check", "--json"], { env });
    assert.equal(check.code, 1);
    if (kind === SQLITE) assert.match(errorIn(check).message, /there is no database at/);
    else assert.deepEqual((JSON.parse(check.stdout) as { pending: string[] }).pending, MIGRATIONS);

    const made = jsonOf<{ applied: string[]; pending: string[] }>(
      await runAlone(["migrate", "--json"], { env }),
    );
    assert.deepEqual([made.applied, made.pending], [MIGRATIONS, []]);
    const again = jsonOf<object>(await run(["migrate", "--check", "--json"], { env }));
    assert.deepEqual(Object.keys(again), ["database", "pending", "applied", "unknown"]);
    assert.match((await run(["migrate"], { env })).stdout, /is up to date\.\n$/);
  });

  test("another release's schema is said, with the way out", async (t) => {
    const { storage, cli } = await prepared(t, kind);
    await storage.database.run("update kysely_migration set name = 'another' where name like '0001%'", []);
    const { code, stderr } = await cli("order", "list");
    assert.equal(code, 1);
    assert.match(stderr, /is of an older release: it lacks 0001-initial\nrun `.* migrate`\n$/);
    const check = await cli("migrate", "--check");
    assert.equal(check.code, 1);
    assert.match(check.stdout, /was used by a newer release: it has another\./);
  });

  test("partner add, list, rotate, disable, enable", async (t) => {
    const { storage, env, cli } = await prepared(t, kind);
    const credentials = createCredentials({ keys: [], development: false });
    const stored = async (id: string) => (await storage.partners.findMany([id])).get(id);

    const { token } = jsonOf<{ token: string }>(
      await cli(
        "partner",
        "add",
        "p1",
        "--name",
        "Zoë Tours",
        "--cidr",
        "10.0.0.0/8",
        "--cidr",
        "::1/128",
        "--json",
      ),
    );
    assert.match(token, /^wgp_[\w-]{43}$/);
    const first = await stored("p1");
    assert.ok(first && credentials.matches(token, first.tokenDigest));
    assert.deepEqual([first.name, first.allowlistCidrs], ["Zoë Tours", ["10.0.0.0/8", "::1/128"]]);

    const limits = ["--rate-capacity", "20", "--rate-per-sec", "2.5", "--callback-host", "*.p2.example"];
    const args = ["partner", "add", "p2", "--name", "P2", "--token-stdin", "--reject-repeats", ...limits];
    const added = await runAlone(args, { env, stdin: "tokentoken\n" });
    assert.equal(added.code, 0);
    assert.doesNotMatch(added.stdout + added.stderr, /tokentoken/);
    assert.match(added.stderr, /^The token is shorter than 22 characters/);
    const second = await stored("p2");
    assert.ok(second && credentials.matches("tokentoken", second.tokenDigest));
    assert.deepEqual(
      [second.rateCapacity, second.ratePerSec, second.callbackHosts, second.rejectRepeats],
      [20, 2.5, ["*.p2.example"], true],
    );

    const taken = await cli("partner", "add", "p1", "--name", "P1", "--json");
    assert.deepEqual([taken.code, errorIn(taken).message], [1, "partner p1 exists already"]);
    const wrong = await cli(
      "partner",
      "add",
      "a b",
      "--name",
      "x",
      "--cidr",
      "10.0.0.0/8",
      "--cidr",
      "all",
      "--json",
    );
    assert.deepEqual(
      [wrong.code, errorIn(wrong).problems.map((problem) => problem.split(" must")[0])],
      [2, ["<id>", "--cidr number 2"]],
    );

    const list = await cli("partner", "list", "--json");
    const rows = jsonOf<{ partner_id: string; state: string }[]>(list);
    assert.deepEqual(
      rows.map(({ partner_id, state }) => [partner_id, state]),
      [
        ["p1", "enabled"],
        ["p2", "enabled"],
      ],
    );
    const text = await cli("partner", "list");
    for (const output of [list.stdout, text.stdout]) {
      assert.doesNotMatch(output, /sha256|tokentoken|wgp_/);
    }

    const rotated = jsonOf<{ token: string; previous_token_valid_until: string }>(
      await cli("partner", "rotate", "p1", "--overlap", "15m", "--json"),
    );
    const after = await stored("p1");
    assert.ok(after && credentials.matches(rotated.token, after.tokenDigest));
    assert.ok(after.previousTokenDigest && credentials.matches(token, after.previousTokenDigest));
    assert.equal(new Date(after.previousTokenUntil ?? 0).toISOString(), rotated.previous_token_valid_until);

    assert.deepEqual(jsonOf(await cli("partner", "disable", "p1", "--json")), {
      partner_id: "p1",
      state: "disabled",
    });
    assert.ok((await stored("p1"))?.disabledAt);
    assert.match((await cli("partner", "enable", "p1")).stdout, /is enabled/);
    assert.equal((await stored("p1"))?.disabledAt, null);
    for (const verb of ["rotate", "disable", "enable"]) {
      const unknown = await cli("partner", verb, "p9", "--json");
      assert.deepEqual([unknown.code, errorIn(unknown).code], [3, "not_found"]);
    }
  });

  test("a signing secret is sealed under APP_HMAC_SECRET, and refused without it", async (t) => {
    const { storage, env, cli } = await prepared(t, kind);
    const args = ["partner", "add", "p1", "--name", "P1", "--signing-secret", "generate", "--json"];
    const refused = await cli(...args);
    assert.equal(refused.code, 2);
    assert.match(errorIn(refused).message, /APP_HMAC_SECRET is not set/);
    const key = "an application secret";
    const added = await run(args, { env: { ...env, APP_HMAC_SECRET: key } });
    const { signing_secret: secret } = jsonOf<{ signing_secret: string }>(added);
    assert.match(secret, /^whsec_/);
    const sealed = (await storage.partners.findMany(["p1"])).get("p1")?.signingSecret ?? "";
    assert.equal(createCredentials({ keys: [key], development: false }).unseal(sealed), secret);
  });

  test("an order's story: told, as JSON, and what to do next", async (t) => {
    const { storage, cli } = await prepared(t, kind, { close: false });
    const way = await startWay({ storage });
    t.after(() => way.close());
    way.ticketing.answer((response) =>
      response.writeHead(422).end("\n\u001b[2J\u009b31mSKU\u202e is gone\nsecond line"),
    );
    const first = await way.order({ external_order_id: "EXT-7", buyer: { name: "สมหญิง \u001b[31mÉtienne" } });
    const second = await way.order({ external_order_id: "EXT-7" });
    await way.work();

    const { code, stdout } = await cli("order", "show", String(first));
    assert.equal(code, 0);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    assert.match(stdout, new RegExp(`^Order ${first} {2}ticketing_blocked\nTicketing refused the order`));
    assert.match(stdout, /Buyer +สมหญิง Étienne\n/);
    assert.match(stdout, /\n +2 {2}ADULT-DAY +129900 +259800 {2}THB/);
    assert.match(stdout, /ticketing 1 +422 +\d+ ms\n +answer: SKU is gone\n/);
    assert.match(stdout, new RegExp(`Same external id +also order ${second}\n`));
    assert.match(stdout, new RegExp(`order retry ${first} --reason`));
    assert.match(stdout, new RegExp(`order cancel ${first} --reason`));

    const { traceId } = (
      await storage.orders.list({
        partnerId: null,
        status: null,
        externalOrderId: null,
        before: first + 1,
        limit: 1,
      })
    )[0] ?? { traceId: "" };
    const view = jsonOf<OrderView>(await cli("order", "show", traceId, "--json"));
    assert.deepEqual([view.id, view.status, view.same_external_id], [first, "ticketing_blocked", [second]]);
    assert.equal(view.ticketing_job?.attempts[0]?.code, 422);
    // Of several that are meant, the newest.
    assert.equal(jsonOf<OrderView>(await cli("order", "show", "EXT-7", "--json")).id, second);

    const list = jsonOf<{ id: number; status: string }[]>(await cli("order", "list", "--json"));
    assert.deepEqual(
      list.map(({ id }) => id),
      [second, first],
    );
    assert.deepEqual(Object.keys(list[0] ?? {}).slice(0, 6), [
      "id",
      "partner_id",
      "external_order_id",
      "trace_id",
      "status",
      "created_at",
    ]);
    const page = ["order", "list", "--json", "--partner", "demo", "--external-id", "EXT-7", "--limit", "1"];
    assert.deepEqual(
      jsonOf<{ id: number }[]>(await cli(...page, "--before", String(second))).map(({ id }) => id),
      [first],
    );
    assert.deepEqual(jsonOf(await cli("order", "list", "--status", "accepted", "--json")), []);
    assert.match((await cli("order", "list")).stdout, /^ID +EXTERNAL ID +PARTNER +STATUS/);
  });

  test("retry and cancel: recorded with who and why, refused where there is nothing to do", async (t) => {
    const { storage, cli } = await prepared(t, kind, { close: false });
    const way = await startWay({ storage });
    t.after(() => way.close());
    way.ticketing.answer(422, json(200, { reference: "R-1", tickets: ["T-1"] }));
    const first = await way.order({ external_order_id: "EXT-8" });
    await way.work();
    const second = await way.order({ external_order_id: "EXT-8" });

    const several = await cli("order", "retry", "EXT-8", "--reason", "x", "--json");
    assert.equal(several.code, 2);
    assert.match(errorIn(several).message, /names several orders/);
    const early = await cli("order", "retry", String(second), "--reason", "x", "--json");
    assert.deepEqual([early.code, errorIn(early).code], [1, "failed"]);

    const record = ["--actor", "Kim", "--reason", "on sale again", "--json"];
    const tried = await cli("order", "cancel", String(second), "--reason", "x", "--dry-run");
    assert.deepEqual([tried.code, tried.stdout], [0, `Would cancel order ${second}.\n`]);
    assert.equal((await cli("order", "resend", String(second), ...record, "--dry-run")).code, 1);
    const untouched = await way.story(second);
    assert.deepEqual([untouched.order.pipeline_status, untouched.actions], ["accepted", []]);
    assert.deepEqual(jsonOf(await cli("order", "cancel", String(second), ...record)), {
      id: second,
      result: "cancelled",
      actor: "Kim",
      reason: "on sale again",
    });
    assert.equal((await way.story(second)).order.pipeline_status, "cancelled");
    assert.equal((await cli("order", "cancel", String(second), ...record)).code, 1);

    const retried = jsonOf<{ leg: string; to: string }>(
      await cli("order", "retry", String(first), ...record),
    );
    assert.deepEqual([retried.leg, retried.to], ["ticketing", "ticketing_processing"]);
    const pending = await cli("order", "show", String(first));
    assert.match(pending.stdout, /\nKim has begun a new run of ticketing\.\nNext: the first try is due now/);
    await way.work();
    const { stdout } = await cli("order", "show", String(first));
    assert.match(
      stdout,
      /ota_callback_delivered\nTicketing has issued 1 ticket \(reference R-1\), and the partner was told/,
    );
    assert.match(stdout, /operator +retry ticketing +Kim: on sale again\n/);
    assert.match(stdout, /order +ticketed +1 ticket, reference R-1\n/);
    assert.match(stdout, /\nTickets\n {2}1\. T-1\n/);
    for (const name of ["R-1", "T-1"]) {
      assert.equal(jsonOf<OrderView>(await cli("order", "show", name, "--json")).id, first);
    }
    assert.match(stdout, /\nNext: nothing more to do\.\n/);
  });

  test("resolve: what ticketing said, and no half of it", async (t) => {
    const { storage, cli } = await prepared(t, kind, { close: false });
    const way = await startWay({ storage });
    t.after(() => way.close());
    way.ticketing.answer(422, 422, json(200, { reference: "R-2" }));
    const [first, second] = [await way.order(), await way.order()];
    await way.work();
    const resolve = (id: number, ...args: string[]) =>
      cli("order", "resolve", String(id), ...args, "--reason", "asked", "--json");

    for (const args of [
      [],
      ["--ticketed"],
      ["--ticketed", "--not-ticketed"],
      ["--not-ticketed", "--code", "A1"],
      ["--not-ticketed", "--reference", "R-1"],
      ["--ticketed", "--code", ""],
      ["--ticketed", "--code", "A\n1"],
    ]) {
      const refused = await resolve(first, ...args);
      assert.deepEqual([refused.code, errorIn(refused).code], [2, "usage"], args.join(" "));
    }
    assert.equal((await way.story(first)).order.pipeline_status, "ticketing_blocked");

    const tried = await resolve(first, "--ticketed", "--code", "A1", "--dry-run");
    assert.equal(jsonOf<{ dry_run: boolean }>(tried).dry_run, true);
    assert.equal((await way.story(first)).order.pipeline_status, "ticketing_blocked");

    jsonOf(await resolve(first, "--ticketed", "--code", "A1", "A2", "--reference", "R-1"));
    const { order, tickets } = await way.story(first);
    assert.deepEqual([order.pipeline_status, order.reference, tickets], ["ticketed", "R-1", ["A1", "A2"]]);
    jsonOf(await resolve(second, "--not-ticketed"));
    await way.work();
    assert.equal((await way.story(second)).order.reference, "R-2");
  });

  test("a success without tickets is not told as one that has them", async (t) => {
    const { storage, cli } = await prepared(t, kind, { close: false });
    const way = await startWay({ storage });
    t.after(() => way.close());
    way.ticketing.answer((response) => response.writeHead(200).end("<html>"));
    const id = await way.order();
    await way.work();
    const { stdout } = await cli("order", "show", String(id));
    assert.match(stdout, /ota_callback_delivered\nTicketing reported success, though without tickets/);
    assert.match(stdout, /\nNext: nothing more happens by itself: ask ticketing/);
  });

  test("what doesn't exist is exit code 3", async (t) => {
    const { cli } = await prepared(t, kind);
    for (const args of [
      ["show", "EXT-404"],
      ["show", "404"],
      ["retry", "404", "--reason", "x"],
      ["cancel", "4", "--reason", "x"],
    ]) {
      const missing = await cli("order", ...args, "--json");
      assert.deepEqual([missing.code, missing.stdout, errorIn(missing).code], [3, "", "not_found"]);
    }
  });

  test("an order that was refused is told of instead", async (t) => {
    const { cli, storage } = await prepared(t, kind);
    const row = {
      partnerId: "demo",
      status: 422,
      problem: "key-reused",
      reason: "the key was used\u001b[2J",
    };
    const rest = { externalOrderId: "EXT-9", ip: "198.51.100.7", count: 2, at: Date.now() };
    await storage.rejections.write([
      { ...row, ...rest },
      { ...row, ...rest, status: 401, externalOrderId: null },
    ]);
    const missing = await cli("order", "show", "EXT-9", "--json");
    assert.deepEqual([missing.code, errorIn(missing).code], [3, "not_found"]);
    assert.match(errorIn(missing).message, /one of partner demo was refused .* ago: 422, the key was used$/);
    const found = await cli("rejection", "list", "--external-id", "EXT-9", "--partner", "demo");
    assert.match(
      found.stdout,
      /^LAST .*REASON\n.* ago +demo +EXT-9 +198\.51\.100\.7 +2 +422 key-reused +the key was used\n$/,
    );
    const first = await cli("rejection", "list", "--limit", "1", "--json");
    const [, cursor] = /--cursor (\S+)/.exec(first.stderr) ?? [];
    const next = await cli("rejection", "list", "--limit", "1", "--json", "--cursor", cursor!);
    const statuses = [first, next].flatMap((page) => JSON.parse(page.stdout) as { status: number }[]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [401, 422],
    );
    assert.equal((await cli("rejection", "list", "--status", "500", "--json")).code, 2);
  });
});

test("a server that can't be reached is said without the password", async () => {
  const env = { DATABASE_URL: "postgresql://wave:hidden@127.0.0.1:1/gateway" };
  for (const args of [["migrate"], ["order", "list"], ["serve"]]) {
    const { code, stderr } = await runAlone(args, { env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, /^error: the database gateway at 127\.0\.0\.1:1 can't be used: .*ECONNREFUSED/);
    assert.doesNotMatch(stderr, /hidden/);
  }
});

test("a file that is no database is said", async () => {
  const { code, stderr } = await run(["order", "list"], {
    env: { DATABASE_URL: `sqlite:///${import.meta.filename}` },
  });
  assert.equal(code, 1);
  assert.match(stderr, /^error: the database .* can't be used: .*not a database\n/);
});
