import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { CONFIG_VARIABLES, type Config, ConfigError, describeConfig, loadConfig } from "../src/config.ts";

const empty = mkdtempSync(join(tmpdir(), "wavegate-config-"));
after(() => rmSync(empty, { recursive: true }));

type Env = Record<string, string | undefined>;

const load = (
  env: Env,
  more: { dev?: boolean; directory?: string; overrides?: Record<string, string> } = {},
) => loadConfig({ env, directory: empty, dev: false, ...more });

function problems(env: Env, more: Parameters<typeof load>[1] = {}): readonly string[] {
  try {
    load(env, more);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

/** A directory with these files, gone after the tests. */
function directoryWith(files: Record<string, string | Uint8Array>): string {
  const directory = mkdtempSync(join(empty, "d"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return directory;
}

describe("configuration: defaults", () => {
  test("SPEC section 2's", () => {
    assert.deepEqual(load({}), {
      dev: false,
      host: "127.0.0.1",
      port: 8080,
      databaseUrl: "sqlite:///./gateway.db",
      databasePoolSize: 10,
      autoMigrate: false,
      preparedStatements: true,
      partners: [],
      operators: [],
      appHmacSecrets: [],
      ticketing: {
        url: null,
        authorization: null,
        onUnknown: "retry",
        mapping: null,
        concurrency: 10,
        timeoutMs: 10_000,
      },
      callback: {
        concurrencyPerPartner: 5,
        concurrencyTotal: 256,
        timeoutMs: 10_000,
        requireHttps: true,
        allowedHosts: [],
        allowedPorts: [443],
        allowedCidrs: [],
        refuseUnknownNames: true,
        dnsServers: [],
        signingSecret: null,
      },
      leaseMs: 15_000,
      pollMs: 1000,
      drainMs: 10_000,
      retry: {
        offsetsMs: [0, 2, 6, 12, 20, 30, 45, 65, 90, 120, 155, 195, 235, 270, 300].map((secs) => secs * 1000),
        jitterMs: 1000,
      },
      circuit: { threshold: 20, probeMs: 5_000, holdLimitSecs: 3_600 },
      rateLimit: { capacity: 5, perSec: 1 },
      idempotencyTtlSecs: 86_400,
      retention: { ordersMs: null, authEventsMs: 90 * 86_400_000 },
      venueTimeZone: "UTC",
      session: { idleMs: 1_800_000, maxMs: 43_200_000 },
      trustedProxies: [],
      role: "all",
      logLevel: "info",
      metricsPublic: false,
      tracesEndpoint: null,
      tracesDisabled: false,
    } satisfies Config);
  });

  test("under --dev", () => {
    const { partners, callback, host } = load({}, { dev: true });
    assert.equal(host, "127.0.0.1");
    assert.deepEqual(partners, [
      {
        id: "demo",
        name: "Demo Partner",
        token: "demotoken",
        allowlistCidrs: ["0.0.0.0/0", "::/0"],
        rateLimit: null,
        signingSecret: null,
        callbackHosts: null,
        rejectRepeats: false,
      },
    ]);
    assert.equal(callback.requireHttps, false);
    assert.equal(callback.refuseUnknownNames, false);
    assert.equal(callback.allowedPorts, "any");
    assert.deepEqual(callback.allowedCidrs, ["127.0.0.0/8", "::1/128"]);
    assert.ok(callback.signingSecret);
  });

  test("those that depend on others", () => {
    assert.equal(load({ TICKETING_TIMEOUT_SECS: "3", CALLBACK_TIMEOUT_SECS: "20.5" }).leaseMs, 25_500);
    assert.deepEqual(load({ REQUIRE_HTTPS_CALLBACKS: "0" }).callback.allowedPorts, [443, 80]);
  });

  test("everything is frozen", () => {
    const config = load({ RETRY_SCHEDULE_SECS: "0,1" });
    assert.ok(
      Object.isFrozen(config) && Object.isFrozen(config.callback) && Object.isFrozen(config.retry.offsetsMs),
    );
    assert.throws(() => Object.assign(config.ticketing, { url: "x" }), TypeError);
  });
});

describe("configuration: sources", () => {
  const withDotEnv = directoryWith({ ".env": 'PORT=1111\nROLE=api\nTICKETING_AUTHORIZATION="Bearer a b"\n' });

  test(".env, then the environment, then the command line", () => {
    const directory = withDotEnv;
    assert.equal(load({}, { directory }).port, 1111);
    assert.equal(load({}, { directory }).ticketing.authorization, "Bearer a b");
    assert.equal(load({ PORT: "2222" }, { directory }).port, 2222);
    assert.equal(load({ PORT: "2222" }, { directory, overrides: { PORT: "3333" } }).port, 3333);
  });

  test("an empty value is unset, and hides one in .env", () => {
    assert.equal(load({ PORT: "", ROLE: "" }, { directory: withDotEnv }).port, 8080);
    assert.equal(load({ TICKETING_URL: "" }).ticketing.url, null);
  });

  test("secrets from files, less one newline", () => {
    const directory = directoryWith({ hmac: "key \n\tkey\n", url: "sqlite:///./x.db\r\n", partners: "[]" });
    const config = load(
      {
        APP_HMAC_SECRET_FILE: "hmac.txt",
        DATABASE_URL_FILE: join(directory, "url"),
        PARTNERS_JSON_FILE: "partners",
      },
      { directory: directoryWith({ "hmac.txt": "key \n", partners: "[]" }) },
    );
    assert.deepEqual(config.appHmacSecrets, ["key "]);
    assert.equal(config.databaseUrl, "sqlite:///./x.db");
    const tooMany = problems({ APP_HMAC_SECRET_FILE: "hmac" }, { directory });
    assert.match(tooMany[0]!, /^APP_HMAC_SECRET must be/);
  });

  test("keys stand one a line, the newest first", () => {
    const keys = (text: string) => load({ APP_HMAC_SECRET: text }).appHmacSecrets;
    assert.deepEqual(keys("one, with a comma\n\r\ntwo words\n"), ["one, with a comma", "two words"]);
    assert.match(
      problems({ APP_HMAC_SECRET: "same\nsame" })[0]!,
      /^APP_HMAC_SECRET must not hold a key twice/,
    );
    assert.match(problems({ APP_HMAC_SECRET: "\n" })[0]!, /^APP_HMAC_SECRET must hold 1 to 10 keys/);
    assert.match(problems({ APP_HMAC_SECRET: "x".repeat(1025) })[0]!, /^APP_HMAC_SECRET must be 1 to 1024/);
  });

  test("an override goes before a file", () => {
    const overrides = { DATABASE_URL: "sqlite:///./o.db" };
    assert.equal(load({ DATABASE_URL_FILE: "missing" }, { overrides }).databaseUrl, "sqlite:///./o.db");
  });

  test("files that can't be used", () => {
    const directory = directoryWith({ empty: "\n", binary: Buffer.from([0xff, 0xfe]) });
    assert.deepEqual(
      problems(
        {
          DATABASE_URL: "sqlite:///./x.db",
          DATABASE_URL_FILE: "also",
          APP_HMAC_SECRET_FILE: "missing",
          CALLBACK_SIGNING_SECRET_FILE: "empty",
          OPERATORS_JSON_FILE: "binary",
          PORT_FILE: "not a secret, so not looked at",
        },
        { directory },
      ),
      [
        "DATABASE_URL and DATABASE_URL_FILE are both set: one of them must go",
        "DATABASE_URL_FILE can't be used: no such file or directory",
        "OPERATORS_JSON_FILE can't be used: it is not UTF-8 text",
        "APP_HMAC_SECRET_FILE can't be used: no such file or directory",
        "CALLBACK_SIGNING_SECRET_FILE can't be used: it is empty",
      ],
    );
    // Somebody may have given the secret where its file belongs.
    assert.deepEqual(problems({ APP_HMAC_SECRET_FILE: "Zaphod\0" }, { directory }), [
      "APP_HMAC_SECRET_FILE can't be used: it can't be read (ERR_INVALID_ARG_VALUE)",
    ]);
    mkdirSync(join(directory, ".env"));
    assert.deepEqual(problems({}, { directory }), [".env can't be used: illegal operation on a directory"]);
  });
});

describe("configuration: values", () => {
  const good: Record<string, string> = {
    HOST: "localhost 0.0.0.0 :: ::1 gateway.example",
    PORT: "0 1 65535",
    DATABASE_URL:
      "sqlite:///./gateway.db sqlite:////var/x.db sqlite::memory: postgres://h/d postgresql://u:p@h:5432/d postgresql+psycopg2://u@h/d",
    AUTO_MIGRATE: "0 1 true false",
    TICKETING_URL: "http://127.0.0.1:9/x https://t.example https://t.example/a@b?q=1@2",
    TICKETING_ON_UNKNOWN: "retry hold",
    TICKETING_TIMEOUT_SECS: "1 0.5 10.125 0.01 9",
    DRAIN_SECS: "0 0.001 3600",
    RETRY_SCHEDULE_SECS: "0 5 0,0,0.5 0.25,2592000",
    RATE_LIMIT_PER_SEC: "0.000001 0.5 1000000",
    ALLOWED_CALLBACK_HOSTS: "a.example *.b.example,a-1.c LOCALHOST 10.0.0.1 [2001:db8::1] ::1",
    ALLOWED_CALLBACK_PORTS: "* 1 443,8443,65535",
    ALLOWED_CALLBACK_CIDRS: "10.0.0.0/8 10.0.0.1 fd00::/8,::1/128",
    CALLBACK_DNS_SERVERS: "127.0.0.1 127.0.0.1:5353 ::1 [::1]:5353 [::1]",
    CALLBACK_SIGNING_SECRET: "s whsec_MDEyMzQ1Njc4OWFiY2RlZg== whsecx",
    ROLE: "all api worker",
    LOG_LEVEL: "trace silent",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318 https://collector.example/otlp/",
  };
  for (const [name, values] of Object.entries(good)) {
    test(`${name}: good`, () => {
      for (const value of values.split(" ")) assert.deepEqual(problems({ [name]: value }), [], value);
    });
  }

  const bad: Record<string, readonly string[]> = {
    HOST: ["a b", "http://x", "[::1]", "x/y"],
    PORT: ["-1", "65536", "80a", "1e3", "0x50", " 80", "80 ", "080", "8.0", "９"],
    DATABASE_URL: ["mysql://u:pass@h/d", "sqlite:gateway.db", "sqlite:///", "postgres://", "gateway.db"],
    AUTO_MIGRATE: ["yes", "TRUE", "2", "on"],
    TICKETING_URL: [
      "ftp://x/",
      "t.example",
      "https://u:pass@t.example/",
      "https://@t.example/",
      "https://t.example/#",
      "https://t.example/a b",
      "https:///x",
      "https://t.example:99999/",
    ],
    TICKETING_AUTHORIZATION: ["a\r\nX: y", "a\nb", "é", "\u0000", " a", "a "],
    TICKETING_ON_UNKNOWN: ["Retry", "drop"],
    TICKETING_TIMEOUT_SECS: ["0", "-1", "1e1", ".5", "5.", "1.0001", "0x1", "601", "Infinity", "1,5", "NaN"],
    TICKETING_CONCURRENCY: ["0", "1.5", "10001"],
    LEASE_SECS: ["11", "10", "1"],
    RETRY_SCHEDULE_SECS: ["0,2,1", "a", "0,,1", "-1,0", Array(101).fill("0").join()],
    RATE_LIMIT_CAPACITY: ["0", "1.5", "-5"],
    RATE_LIMIT_PER_SEC: ["0", "1e3", "-1", "0.0000001"],
    ALLOWED_CALLBACK_HOSTS: [
      "*",
      "https://a.example",
      "a.example:443",
      "a..b",
      "-a.b",
      "*.",
      "a.*.b",
      "10.0.0",
      "ä.example",
    ],
    ALLOWED_CALLBACK_PORTS: ["0", "65536", "443,*", "443,", "https"],
    ALLOWED_CALLBACK_CIDRS: ["10.0.0.0/33", "10.0.0/8", "x", "10.0.0.0/8;"],
    CALLBACK_DNS_SERVERS: ["dns.example", "1.2.3.4:0", "1.2.3.4:65536", "::1:x", "[1.2.3.4]"],
    CALLBACK_SIGNING_SECRET: ["whsec_", "whsec_%%%", "a\nb"],
    SESSION_IDLE_SECS: ["0", "9", "86401", "43201", "1.5"],
    SESSION_MAX_SECS: ["9", "604801"],
    VENUE_TIMEZONE: ["Mars/Base", "local time"],
    TRUSTED_PROXIES: ["private", "10.0.0.0/8,"],
    ROLE: ["both"],
    LOG_LEVEL: ["INFO", "verbose"],
    OTEL_EXPORTER_OTLP_ENDPOINT: [
      "127.0.0.1:4318",
      "grpc://c:4317",
      "http://u:pass@c/",
      "http://c/?key=pass",
    ],
  };
  for (const [name, values] of Object.entries(bad)) {
    test(`${name}: bad, and not quoted`, () => {
      for (const value of values) {
        const found = problems({ [name]: value });
        assert.equal(found.length, 1, value);
        assert.ok(found[0]!.startsWith(name), found[0]);
        assert.doesNotMatch(found[0]!, /pass\b/);
      }
    });
  }

  test("lists", () => {
    const { callback, trustedProxies } = load({
      ALLOWED_CALLBACK_HOSTS: "A.example, *.B.example ,[2001:DB8::1]",
      ALLOWED_CALLBACK_PORTS: "443, 8443",
      TRUSTED_PROXIES: "10.0.0.0/8 , fd00::/8",
    });
    assert.deepEqual(callback.allowedHosts, ["a.example", "*.b.example", "2001:db8::1"]);
    assert.deepEqual(callback.allowedPorts, [443, 8443]);
    assert.deepEqual(trustedProxies, ["10.0.0.0/8", "fd00::/8"]);
    assert.match(
      problems({ TRUSTED_PROXIES: "10.0.0.0/8,x" })[0]!,
      /^TRUSTED_PROXIES entry 2 must be a CIDR/,
    );
  });

  test("a lease must outlast the longer deadline by more than the margin", () => {
    assert.equal(load({ LEASE_SECS: "11.001" }).leaseMs, 11_001);
    assert.equal(problems({ LEASE_SECS: "15", CALLBACK_TIMEOUT_SECS: "14" }).length, 1);
  });

  test("every problem at once", () => {
    const found = problems({
      PORT: "x",
      ROLE: "y",
      LEASE_SECS: "10",
      PARTNERS_JSON: "{",
      TRUSTED_PROXIES: "z,z",
    });
    assert.deepEqual(
      found.map((each) => each.split(" ")[0]),
      ["PORT", "PARTNERS_JSON", "TRUSTED_PROXIES", "TRUSTED_PROXIES", "ROLE", "LEASE_SECS"],
    );
  });

  test("--dev: loopback and SQLite only", () => {
    const dev = true;
    for (const HOST of ["localhost", "127.0.0.2", "::1"]) assert.deepEqual(problems({ HOST }, { dev }), []);
    for (const HOST of ["0.0.0.0", "::", "10.0.0.1", "127.example"]) {
      assert.deepEqual(problems({ HOST }, { dev }), ["HOST can't be used: --dev listens on loopback only"]);
    }
    const found = problems({ DATABASE_URL: "postgres://h/d" }, { dev });
    assert.deepEqual(found, ["DATABASE_URL can't be used: --dev runs on SQLite only"]);
  });
});

describe("configuration: partners and operators", () => {
  const partner = { id: "p-1", name: "P", token: "t" };
  const ofPartners = (...list: unknown[]) => problems({ PARTNERS_JSON: JSON.stringify(list) });
  const ofOperators = (...list: unknown[]) => problems({ OPERATORS_JSON: JSON.stringify(list) });

  test("every field", () => {
    const full = {
      ...partner,
      allowlist_cidrs: ["10.0.0.0/8", "::1"],
      rate_limit: { capacity: 10, per_sec: 0.5 },
      signing_secret: "s",
      callback_hosts: ["*.P.example"],
      reject_repeats: true,
    };
    const env = { PARTNERS_JSON: JSON.stringify([full, { ...partner, id: "q", signing_secret: null }]) };
    const { partners } = load({ ...env, APP_HMAC_SECRET: "k" });
    assert.deepEqual(partners[0], {
      id: "p-1",
      name: "P",
      token: "t",
      allowlistCidrs: ["10.0.0.0/8", "::1"],
      rateLimit: { capacity: 10, perSec: 0.5 },
      signingSecret: "s",
      callbackHosts: ["*.p.example"],
      rejectRepeats: true,
    });
    assert.deepEqual(problems(env), [
      "APP_HMAC_SECRET must be set for PARTNERS_JSON to hold a signing_secret: it is stored encrypted",
    ]);
    assert.deepEqual(problems(env, { dev: true }), []);
  });

  test("the seed's demo partner", () => {
    assert.deepEqual(
      ofPartners({ id: "demo", name: "Demo Partner", token: "demotoken", allowlist_cidrs: ["0.0.0.0/0"] }),
      [],
    );
  });

  test("problems name their place", () => {
    const cases: readonly [unknown, RegExp][] = [
      [1, /^PARTNERS_JSON\[1\] must be an object/],
      [{ ...partner, id: "a b" }, /^PARTNERS_JSON\[1\]\.id must be/],
      [{ ...partner, id: "" }, /\.id must be/],
      [{ ...partner, id: "x".repeat(65) }, /\.id must be/],
      [{ id: "q", name: "P" }, /^PARTNERS_JSON\[1\]\.token must be/],
      [{ ...partner, id: "q", token: "" }, /\.token must be/],
      [{ ...partner, id: "q", token: "x".repeat(257) }, /\.token must be/],
      [{ ...partner, id: "q", token: "with blank" }, /\.token must be/],
      [{ ...partner, id: "q", token: 12345678 }, /\.token must be/],
      [{ ...partner, id: "q", name: "a\nb" }, /\.name must be/],
      [{ ...partner, id: "q", allowlist: [] }, /\.allowlist is unknown; known are id, name/],
      [{ ...partner, id: "q", signing_secrt: "x" }, /\.signing_secrt is unknown; is signing_secret meant\?/],
      [{ ...partner, id: "q", ["a\u001b[2J\n"]: 1 }, /\[1\]\.a\?\[2J\? is unknown/],
      [{ ...partner, id: "q", ["x".repeat(100_000)]: 1 }, /\.x{64} is unknown/],
      [{ ...partner, id: "q", allowlist_cidrs: [] }, /\.allowlist_cidrs must be a list of 1 to/],
      [{ ...partner, id: "q", allowlist_cidrs: "10.0.0.0/8" }, /\.allowlist_cidrs must be a list/],
      [{ ...partner, id: "q", allowlist_cidrs: ["::/0", "x"] }, /\.allowlist_cidrs\[1\] must be a CIDR/],
      [{ ...partner, id: "q", callback_hosts: ["a:1"] }, /\.callback_hosts\[0\] must be/],
      [{ ...partner, id: "q", signing_secret: "" }, /\.signing_secret must be/],
      [{ ...partner, id: "q", signing_secret: "whsec_" }, /\.signing_secret must be/],
      [{ ...partner, id: "q", signing_secret: "whsec_!" }, /\.signing_secret must be/],
      [{ ...partner, id: "q", rate_limit: { capacity: 1 } }, /\.rate_limit must be/],
      [{ ...partner, id: "q", rate_limit: { capacity: 1.5, per_sec: 1 } }, /\.rate_limit must be/],
      [{ ...partner, id: "q", rate_limit: { capacity: 1, per_sec: 1, burst: 2 } }, /\.rate_limit must be/],
      [{ ...partner, id: "q", reject_repeats: 1 }, /\.reject_repeats must be true or false/],
      [partner, /^PARTNERS_JSON\[1\]\.id is used by an earlier entry too/],
    ];
    for (const [second, expected] of cases) {
      const found = ofPartners(partner, second);
      assert.equal(found.length, 1, found.join("; "));
      assert.match(found[0]!, expected);
    }
  });

  test("what is no list, or not strict JSON", () => {
    for (const text of ["{}", "1", '"x"', "[", "[1,]", `[{"id":"x","id":"y"}]`]) {
      const found = problems({ PARTNERS_JSON: text });
      assert.equal(found.length, 1);
      assert.match(found[0]!, /^PARTNERS_JSON (must be|is not) a JSON list/);
    }
  });

  test("operators", () => {
    const operator = { name: "ops", token: "operator-token", role: "operator" };
    assert.deepEqual(load({ OPERATORS_JSON: JSON.stringify([operator]) }).operators, [operator]);
    assert.match(
      ofOperators({ ...operator, role: "admin" })[0]!,
      /^OPERATORS_JSON\[0\]\.role must be "viewer" or/,
    );
    assert.match(
      ofOperators(operator, { ...operator, token: "another-token" })[0]!,
      /\[1\]\.name is used by/,
    );
    assert.match(ofOperators(operator, { ...operator, name: "two" })[0]!, /\[1\]\.token is used by/);
    assert.match(ofOperators({ ...operator, id: "x" })[0]!, /\[0\]\.id is unknown/);
  });
});

describe("configuration: shown", () => {
  test("no secret is shown, everything else as one would write it", () => {
    const hidden = "Zaphod-Beeblebrox";
    const config = load({
      DATABASE_URL: `postgresql+psycopg2://user:${hidden}@${hidden}@db.example:5432/gateway?password=${hidden}`,
      PARTNERS_JSON: JSON.stringify([{ id: "p", name: "P", token: hidden, signing_secret: hidden }]),
      OPERATORS_JSON: JSON.stringify([{ name: "ops", token: hidden, role: "viewer" }]),
      APP_HMAC_SECRET: hidden,
      TICKETING_URL: `https://t.example/orders?key=${hidden}`,
      TICKETING_AUTHORIZATION: `Bearer ${hidden}`,
      CALLBACK_SIGNING_SECRET: hidden,
      RETRY_SCHEDULE_SECS: "0,0.5",
      AUTO_MIGRATE: "true",
    });
    const described = describeConfig(config);
    assert.doesNotMatch(JSON.stringify(described), /Zaphod|Beeblebrox/);
    const values = new Map(described.map(({ name, value }) => [name, value]));
    assert.equal(values.get("DATABASE_URL"), "postgresql+psycopg2://user:***@db.example:5432/gateway?***");
    assert.equal(values.get("TICKETING_URL"), "https://t.example/orders?***");
    assert.equal(values.get("APP_HMAC_SECRET"), "***");
    assert.equal(values.get("PARTNERS_JSON"), "p");
    assert.equal(values.get("OPERATORS_JSON"), "ops (viewer)");
    assert.equal(values.get("RETRY_SCHEDULE_SECS"), "0,0.5");
    assert.equal(values.get("AUTO_MIGRATE"), "1");
    assert.equal(values.get("TRUSTED_PROXIES"), "(not set)");
  });

  test("what is shown of the defaults can be read back", () => {
    for (const dev of [false, true]) {
      const config = load({}, { dev });
      const shown = describeConfig(config).filter(({ value }) => value !== "(not set)" && value !== "***");
      const env = Object.fromEntries(shown.map(({ name, value }) => [name, value]));
      assert.deepEqual(load({ ...env, PARTNERS_JSON: undefined }, { dev }), config);
    }
  });

  test("the table names every variable that is described, and its default", () => {
    assert.deepEqual(
      CONFIG_VARIABLES.map(({ name }) => name),
      describeConfig(load({})).map(({ name }) => name),
    );
    const lease = CONFIG_VARIABLES.find(({ name }) => name === "LEASE_SECS");
    assert.equal(lease?.default, "the longer deadline + 5");
  });
});
