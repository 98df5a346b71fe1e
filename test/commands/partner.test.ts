import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { openUrl, SQLITE } from "../support/databases.ts";
import { startRecorder } from "../support/recorder.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { errorIn, run } from "./cli.ts";

suite("partner set and partner test", () => {
  async function shell(t: TestContext, more: Record<string, string> = {}) {
    const url = await SQLITE.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    await addPartner(storage, PARTNER_ID);
    const cli = (...args: string[]) => run(["partner", ...args], { env: { DATABASE_URL: url, ...more } });
    const actions = async () => {
      const rows = await storage.database.queries
        .selectFrom("operator_actions")
        .select(["actor", "action", "reason", "detail"])
        .orderBy("id")
        .execute();
      return rows.map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail ?? "null") as unknown }));
    };
    return { storage, cli, actions };
  }

  test("set: what is named changes, is recorded with what it was, and the rest stays", async (t) => {
    const { storage, cli, actions } = await shell(t);
    const set = await cli("set", "demo", "--cidr", "203.0.113.0/24", "--hold-limit", "600", "--actor", "kim");
    assert.deepEqual([set.code, set.stdout], [0, "Changed: allowlist_cidrs, hold_limit_secs.\n"], set.stderr);
    await cli(
      "set",
      "demo",
      "--any-address",
      "--reject-repeats",
      "--reason",
      "contract 12",
      "--actor",
      "kim",
    );
    const { name, allowlistCidrs, holdLimitSecs, rejectRepeats } = (await storage.partners.find("demo"))!;
    assert.deepEqual([name, allowlistCidrs, holdLimitSecs, rejectRepeats], ["demo", null, 600, true]);
    assert.deepEqual((await actions()).at(-1), {
      actor: "kim",
      action: "partner set",
      reason: "contract 12",
      detail: {
        from: { allowlist_cidrs: '["203.0.113.0/24"]', reject_repeats: 0 },
        to: { allowlist_cidrs: null, reject_repeats: 1 },
      },
    });
    assert.match((await cli("set", "demo", "--reject-repeats")).stdout, /nothing is changed/);
  });

  test("set: refusals change nothing", async (t) => {
    const { cli, actions } = await shell(t);
    assert.equal((await cli("set", "demo")).code, 2);
    assert.equal((await cli("set", "nobody", "--name", "x")).code, 3);
    const wrong = await cli("set", "demo", "--cidr", "nonsense", "--callback-host", "http://x", "--json");
    assert.equal(wrong.code, 2);
    assert.match(
      errorIn(wrong).problems.join("\n"),
      /allowlist_cidrs\/0 must be a CIDR[^]*callback_hosts\/0/,
    );
    assert.deepEqual(await actions(), []);
  });

  test("disable, rotate and secret are recorded, without what is secret", async (t) => {
    const { cli, actions } = await shell(t, { APP_HMAC_SECRET: "a key that is long enough for this" });
    await cli("disable", "demo");
    const { token } = JSON.parse((await cli("rotate", "demo", "--json")).stdout) as { token: string };
    const secret = JSON.parse((await cli("secret", "demo", "--json")).stdout) as { signing_secret: string };
    const recorded = await actions();
    assert.deepEqual(
      recorded.map(({ action }) => action),
      ["partner disable", "partner rotate token", "partner rotate secret"],
    );
    for (const hidden of [token, secret.signing_secret])
      assert.ok(!JSON.stringify(recorded).includes(hidden));
  });

  test("test: a signed event through the guard, and what came back", async (t) => {
    const partner = await startRecorder((response) => response.writeHead(200).end("thanks"));
    t.after(() => partner.close());
    const { cli, actions } = await shell(t, {
      REQUIRE_HTTPS_CALLBACKS: "0",
      ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
      ALLOWED_CALLBACK_PORTS: "*",
      CALLBACK_SIGNING_SECRET: "a shared secret of some length",
    });
    const tested = await cli("test", "demo", `${partner.url}/callback`);
    assert.equal(tested.code, 0, tested.stderr);
    assert.match(tested.stdout, /Delivered: the partner answered 200[^]*thanks/);
    const [sent] = partner.requests;
    const event = JSON.parse(sent!.body) as Record<string, unknown>;
    assert.deepEqual([event["event"], event["partner_id"]], ["wavegate.test", "demo"]);
    assert.equal(sent!.headers["webhook-id"], event["event_id"]);
    assert.match(String(sent!.headers["webhook-signature"]), /^v1,/);
    const guarded = await cli("test", "demo", "http://10.0.0.1/callback", "--json");
    assert.equal(guarded.code, 1);
    assert.match(errorIn(guarded).message, /not delivered/);
    assert.deepEqual(
      (await actions()).map(({ action }) => action),
      ["partner test callback", "partner test callback"],
    );
  });
});
