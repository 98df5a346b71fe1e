import assert from "node:assert/strict";
import { test } from "node:test";
import { createCredentials } from "../../src/lib/credentials.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { errorIn, run } from "./cli.ts";

const KEY = "an application secret of some length";

onEachDatabase("operator add, list, rotate, disable, enable", (kind) => {
  test("an operator's token is made, shown once, replaced; the operator is locked out and let in", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    const env = { DATABASE_URL: url, APP_HMAC_SECRET: KEY };
    const { matches } = createCredentials({ keys: [KEY], development: false });
    const cli = (...args: string[]) => run(["operator", ...args], { env });
    const json = async (...args: string[]) => {
      const { code, stdout, stderr } = await cli(...args, "--json");
      assert.deepEqual([code, stderr], [0, ""]);
      return JSON.parse(stdout) as Record<string, string>;
    };
    const stored = async () => (await storage.operators.list())[0]!;
    const refused = async (...args: string[]) => {
      const ended = await cli(...args, "--json");
      return [ended.code, errorIn(ended).code];
    };

    const added = await json("add", "Kim Lê", "--role", "viewer");
    const first = added["token"]!;
    assert.match(first, /^wgo_[\w-]{43}$/);
    assert.deepEqual(added, { name: "Kim Lê", role: "viewer", token: first });
    assert.ok(matches(first, (await stored()).tokenDigest));
    const refusals = [
      refused("add", "Kim Lê", "--role", "operator"),
      refused("add", "", "--role", "operator"),
      refused("rotate", "nobody"),
      refused("disable", "nobody"),
    ];
    assert.deepEqual(await Promise.all(refusals), [
      [1, "failed"],
      [2, "usage"],
      [3, "not_found"],
      [3, "not_found"],
    ]);
    assert.equal((await stored()).role, "viewer");

    const rotated = await json("rotate", "Kim Lê", "--overlap", "15m");
    const after = await stored();
    assert.ok(matches(rotated["token"]!, after.tokenDigest));
    assert.ok(after.previousTokenDigest && matches(first, after.previousTokenDigest));
    const until = new Date(after.previousTokenUntil!).toISOString();
    assert.deepEqual(rotated, { name: "Kim Lê", token: rotated["token"], previous_token_valid_until: until });

    const [listed] = (await json("list")) as unknown as Record<string, unknown>[];
    assert.deepEqual([listed?.["state"], listed?.["previous_token_valid_until"]], ["enabled", until]);
    const shown = await cli("list");
    assert.match(shown.stdout, /^NAME +ROLE +STATE +SINCE\nKim Lê +viewer +enabled +\d{4}-\d\d-\d\d\n$/);
    assert.doesNotMatch(shown.stdout + JSON.stringify(listed), /sha256|wgo_/);

    const leaked = await cli("rotate", "Kim Lê", "--overlap", "0s");
    assert.match(
      leaked.stdout,
      /^Operator Kim Lê has a new token:\n\n {2}Authorization: Bearer wgo_\S+\n\nThe one before has ended\./,
    );
    assert.ok((await stored()).previousTokenUntil! <= Date.now());

    assert.deepEqual(await json("disable", "Kim Lê"), { name: "Kim Lê", state: "disabled" });
    assert.ok((await stored()).disabledAt);
    assert.deepEqual(await storage.operators.findByDigests([(await stored()).tokenDigest]), []);
    assert.match((await cli("enable", "Kim Lê")).stdout, /^Operator Kim Lê is enabled\.\n$/);
    assert.equal((await stored()).disabledAt, null);
  });

  test("a development operator becomes a real one, with nothing left of it", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    const made = { name: "dev", role: "operator", tokenDigest: "digest", development: true } as const;
    await storage.operators.add(made, 1);
    await storage.operators.rotateToken("dev", "another", Date.now() + 60_000);
    await storage.operators.setDisabled("dev", true, 2);
    const { code } = await run(["operator", "add", "dev", "--role", "viewer"], {
      env: { DATABASE_URL: url },
    });
    assert.equal(code, 0);
    const { tokenDigest, ...rest } = (await storage.operators.list())[0]!;
    assert.match(tokenDigest, /^sha256:/);
    assert.deepEqual(rest, {
      name: "dev",
      role: "viewer",
      previousTokenDigest: null,
      previousTokenUntil: null,
      development: false,
      disabledAt: null,
      createdAt: 1,
    });
  });
});
