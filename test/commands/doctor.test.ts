import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Check } from "../../src/commands/doctor-check.ts";
import { keysInUse } from "../../src/commands/doctor-keys.ts";
import { isInClear } from "../../src/commands/doctor-secrets.ts";
import { createCredentials } from "../../src/lib/credentials.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { freePort } from "../support/postgres.ts";
import { startRecorder } from "../support/recorder.ts";
import { addPartner } from "../support/way.ts";
import { directoryFor, type Env, run, runAlone } from "./cli.ts";

interface Report {
  readonly ok: boolean;
  readonly config: Record<string, string | null> | null;
  readonly checks: Check[];
}

async function doctor(env: Env, ...args: string[]) {
  const { code, stdout, stderr } = await run(["doctor", "--json", ...args], { env });
  assert.equal(stderr, "");
  const report = JSON.parse(stdout) as Report;
  assert.equal(report.ok, code === 0);
  assert.equal(
    report.ok,
    report.checks.every(({ status }) => status !== "fail"),
  );
  const status = (name: string) =>
    report.checks.filter((check) => check.name === name).map((check) => check.status);
  return { ...report, code, status };
}

const SECRETS = {
  APP_HMAC_SECRET: "hidden-application-secret",
  CALLBACK_SIGNING_SECRET: "hidden-signing-secret",
  TICKETING_AUTHORIZATION: "Bearer hidden",
  OPERATORS_JSON: '[{"name":"kim","token":"hidden-token","role":"viewer"}]',
};

onEachDatabase("doctor", (kind) => {
  test("a deployment that is well, without a request to ticketing and without a secret shown", async (t) => {
    const ticketing = await startRecorder();
    t.after(() => ticketing.close());
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    await addPartner(storage, "wave");
    // A disabled operator counts for nothing.
    await storage.operators.add({ name: "lee", role: "viewer", tokenDigest: "d", development: false }, 1);
    await storage.operators.setDisabled("lee", true, 1);
    const env = { ...SECRETS, DATABASE_URL: url, TICKETING_URL: ticketing.url };
    const { code, config, checks, status } = await doctor(env);
    assert.equal(code, 0, JSON.stringify(checks));
    assert.equal(ticketing.requests.length, 0);
    assert.equal(config?.["APP_HMAC_SECRET"], "***");
    assert.equal(config?.["TRUSTED_PROXIES"], null);
    for (const name of [
      "node",
      "database",
      "schema",
      "partners",
      "operators",
      "ticketing",
      "mapping",
      "traces",
      "signing",
      "lease",
    ]) {
      assert.deepEqual(status(name), ["ok"], name);
    }
    assert.equal(checks.find(({ name }) => name === "operators")?.detail, "kim");
    await addPartner(storage, "tide");
    assert.deepEqual((await doctor(env)).status("signing"), ["warn"], "two share a secret");
    const text = await run(["doctor"], { env });
    assert.equal(text.code, 0);
    assert.match(text.stdout, /^ {2}ok +ticketing +127\.0\.0\.1:\d+ takes connections$/m);
    assert.doesNotMatch(text.stdout + JSON.stringify({ config, checks }), /hidden|postgres:postgres/);
  });

  test("what is missing or loose is found", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    await addPartner(storage, "demo");
    await storage.database.run("update partners set development = 1", []);
    const { code, status } = await doctor({
      DATABASE_URL: url,
      TICKETING_URL: `http://127.0.0.1:${await freePort()}`,
      REQUIRE_HTTPS_CALLBACKS: "0",
      ALLOWED_CALLBACK_CIDRS: "10.0.0.0/8",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    });
    assert.equal(code, 1);
    assert.deepEqual(status("partners"), ["fail", "warn"]);
    assert.deepEqual(status("ticketing"), ["fail"]);
    assert.deepEqual(status("callbacks"), ["warn", "warn"]);
    for (const name of ["operators", "signing", "tokens", "proxies", "traces"]) {
      assert.deepEqual(status(name), ["warn"], name);
    }
  });
});

test("nothing is made where nothing is, and --dev is well without any setting", async (t) => {
  const cwd = directoryFor(t);
  const { code, stdout } = await runAlone(["doctor"], { cwd });
  assert.equal(code, 1);
  assert.match(stdout, /fail +ticketing +TICKETING_URL is not set/);
  assert.match(stdout, /warn +database +\.\/gateway\.db does not exist yet/);
  assert.equal((await run(["doctor", "--dev"], { cwd })).code, 0);
  assert.equal(existsSync(`${cwd}/gateway.db`), false);
});

test("short secrets and files that others may read are named, and not told", async (t) => {
  const cwd = directoryFor(t);
  const files = ["gateway.db", ".env"].map((name) => `${cwd}/${name}`);
  for (const file of files) writeFileSync(file, "", { mode: 0o640 });
  const found = async (env: Env) => {
    const { stdout } = await run(["doctor", "--json"], { cwd, env });
    const { checks } = JSON.parse(stdout) as Report;
    assert.doesNotMatch(stdout, /hidden/);
    return checks.filter(({ name }) => ["secrets", "files", "proxies"].includes(name));
  };
  const loose = await found({
    APP_HMAC_SECRET: "hidden",
    CALLBACK_SIGNING_SECRET: `whsec_${Buffer.from("hidden").toString("base64")}`,
    PARTNERS_JSON: '[{"id":"p1","name":"P1","token":"hidden","signing_secret":"hidden-too"}]',
    OPERATORS_JSON: '[{"name":"kim","token":"hidden","role":"viewer"}]',
  });
  assert.deepEqual(
    loose.map(({ status }) => status),
    ["warn", "warn", "warn"],
  );
  assert.match(
    loose[0]!.detail,
    /: APP_HMAC_SECRET, CALLBACK_SIGNING_SECRET, the token of p1, the signing secret of p1, the token of kim$/,
  );
  assert.match(loose[1]!.detail, / may use \S+\/\.env, \.\/gateway\.db$/);
  for (const file of files) chmodSync(file, 0o600);
  const tight = await found({
    APP_HMAC_SECRET: "a secret of some length, in words",
    TRUSTED_PROXIES: "10.0.0.1,0.0.0.0/0",
  });
  assert.deepEqual(
    tight.map(({ name, status }) => [name, status]),
    [
      ["secrets", "ok"],
      ["proxies", "warn"],
    ],
  );
});

test("an operator's tokens hang on keys as a partner's do, the previous one until it ends", () => {
  const [before, now] = ["old", "new"].map((key) => createCredentials({ keys: [key], development: false }));
  const kim = {
    name: "kim",
    role: "viewer",
    tokenDigest: now!.digest("a"),
    previousTokenDigest: before!.digest("b"),
    development: false,
    disabledAt: null,
    createdAt: 1,
  } as const;
  const inUse = (previousTokenUntil: number) =>
    keysInUse({ appHmacSecrets: ["new", "old"] }, [], [{ ...kim, previousTokenUntil }]);
  assert.deepEqual(inUse(Date.now() + 60_000), { older: "1 token(s) of kim", lost: "" });
  assert.deepEqual(inUse(Date.now()), { older: "", lost: "" });
});

test("a database elsewhere is to be spoken to over TLS", () => {
  const inClear = (url: string, sslMode = "") => isInClear(url, sslMode);
  for (const url of [
    "postgres://u:p@db.example/gateway",
    "postgresql+psycopg2://db.example/gateway?sslmode=disable",
    "postgres://10.0.0.1:5432/gateway?application_name=x",
  ]) {
    assert.ok(inClear(url), url);
  }
  for (const url of [
    "sqlite:///./gateway.db",
    "postgres://u:p@127.0.0.1:5432/gateway",
    "postgres://u:p@[::1]/gateway",
    "postgres:///gateway?host=/run/postgresql",
    "postgres://%2Frun%2Fpostgresql/gateway",
    "postgresql://db.example/gateway?sslmode=verify-full",
    "postgresql://db.example/gateway?ssl=true",
  ]) {
    assert.ok(!inClear(url), url);
  }
  assert.ok(!inClear("postgres://db.example/gateway", "require"));
});

test("a configuration that can't be read is a finding, every problem of it", async () => {
  const { code, config, checks } = await doctor({ PORT: "x", LEASE_SECS: "x" });
  assert.deepEqual([code, config, checks.map(({ status }) => status)], [1, null, ["fail", "fail"]]);
});

test("a server that can't be reached fails the check, without the password", async () => {
  const { checks, status } = await doctor({ DATABASE_URL: "postgres://wave:hidden@127.0.0.1:1/gateway" });
  assert.deepEqual(status("database"), ["fail"]);
  assert.doesNotMatch(JSON.stringify(checks), /hidden/);
});
