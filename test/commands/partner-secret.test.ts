import assert from "node:assert/strict";
import { test } from "node:test";
import type { Check } from "../../src/commands/doctor-check.ts";
import { createCredentials } from "../../src/lib/credentials.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { errorIn, run } from "./cli.ts";

const [OLD, NEW] = ["an older application secret", "the newest application secret"];
const SHARED = "the secret that all share";

onEachDatabase("partner secret and reseal", (kind) => {
  test("a secret is made, taken, replaced, removed; keys are rotated under it", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    let keys = [OLD];
    const command = (args: readonly string[], more: { stdin?: string; env?: Record<string, string> } = {}) =>
      run([...args, "--json"], {
        stdin: more.stdin ?? "",
        env: {
          DATABASE_URL: url,
          APP_HMAC_SECRET: keys.join("\n"),
          CALLBACK_SIGNING_SECRET: SHARED,
          ...more.env,
        },
      });
    const partner = async (...args: string[]) => {
      const { code, stdout, stderr } = await command(["partner", ...args]);
      assert.deepEqual([code, stderr], [0, ""]);
      return JSON.parse(stdout) as Record<string, string | string[]>;
    };
    const stored = async () => (await storage.partners.findMany(["p1"])).get("p1")!;
    const opened = async (...with_: string[]) => {
      const { unseal } = createCredentials({ keys: with_, development: false });
      const { signingSecret, previousSigningSecret } = await stored();
      return [signingSecret, previousSigningSecret].map((sealed) =>
        sealed === null ? null : unseal(sealed),
      );
    };

    await partner("add", "p1", "--name", "P1");
    const first = await partner("secret", "p1", "--overlap", "15m");
    assert.match(String(first["signing_secret"]), /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.deepEqual(await opened(OLD), [first["signing_secret"], SHARED]);
    const { previousSigningSecretUntil } = await stored();
    assert.equal(new Date(previousSigningSecretUntil!).toISOString(), first["previous_valid_until"]);
    assert.ok(!JSON.stringify(await stored()).includes(SHARED), "nothing lies open");

    const taken = await command(["partner", "secret", "p1", "--secret-stdin"], {
      stdin: "the partner's own choice\n",
    });
    assert.doesNotMatch(taken.stdout, /choice/);
    assert.deepEqual(await opened(OLD), ["the partner's own choice", first["signing_secret"]]);
    const short = await command(["partner", "secret", "p1", "--secret-stdin"], { stdin: "short\n" });
    assert.deepEqual([short.code, errorIn(short).code], [2, "usage"]);
    assert.doesNotMatch(short.stderr, /short/);

    const doctor = async () => {
      const { checks } = JSON.parse((await command(["doctor"])).stdout) as { checks: Check[] };
      return checks.filter(({ name }) => name === "keys").map(({ status, detail }) => [status, detail]);
    };
    assert.deepEqual(await doctor(), [["ok", "digests and secrets are all under the newest"]]);
    keys = [NEW, OLD];
    assert.deepEqual(await doctor(), [
      ["warn", "not under the newest APP_HMAC_SECRET: 1 token(s) of p1; 2 signing secret(s) of p1"],
    ]);
    keys = [NEW];
    const without = await command(["partner", "reseal"]);
    assert.deepEqual([without.code, errorIn(without).problems.length], [1, 1]);
    assert.equal((await doctor())[0]?.[1]?.startsWith("under no key of APP_HMAC_SECRET"), true);
    keys = [NEW, OLD];
    assert.deepEqual(await partner("reseal"), { resealed: ["p1"] });
    assert.deepEqual(await partner("reseal"), { resealed: [] });
    assert.deepEqual(await opened(NEW), ["the partner's own choice", first["signing_secret"]]);
    await partner("rotate", "p1", "--overlap", "0s");
    assert.equal((await doctor())[0]?.[0], "ok", "the old key may go");

    await partner("secret", "p1", "--overlap", "0s");
    assert.equal((await opened(NEW))[1], null);
    assert.equal((await partner("secret", "p1", "--remove"))["own_signing_secret"], false);
    assert.equal((await stored()).signingSecret, null);

    const unknown = await command(["partner", "secret", "p9"]);
    assert.deepEqual([unknown.code, errorIn(unknown).code], [3, "not_found"]);
    const keyless = await command(["partner", "secret", "p1"], { env: { APP_HMAC_SECRET: "" } });
    assert.deepEqual([keyless.code, errorIn(keyless).code], [2, "usage"]);
  });
});
