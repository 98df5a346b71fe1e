import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { CONFIG_VARIABLES, type Config, ConfigError, describeConfig, loadConfig } from "../../src/config.ts";
import { readAddress } from "./addresses.ts";
import { ruleIn, scaled } from "./configuration/rules.ts";
import { lists, MARK, secrets, urls } from "./configuration/secrets.ts";
import { anyText } from "./openapi/values.ts";
import { cases, createTally } from "./runs.ts";
import { words } from "./words.ts";

const directory = mkdtempSync(join(tmpdir(), "wavegate-fuzz-"));
after(() => rmSync(directory, { recursive: true }));

type Env = Readonly<Record<string, string>>;
type Loaded = { readonly config: Config } | { readonly problems: readonly string[] };

const NAMES = CONFIG_VARIABLES.map(({ name }) => name);
const SECRET = new Set(CONFIG_VARIABLES.filter(({ isSecret }) => isSecret).map(({ name }) => name));
const FILES = [...SECRET].map((name) => `${name}_FILE`);
const KNOWN = new Set([...NAMES, ...FILES, ".env"]);

/** The configuration, frozen and without secrets where it is shown; or its problems. Nothing else may come of anything. */
function load(env: Env, dev = false, overrides: Env = {}): Loaded {
  try {
    const config = loadConfig({ env, dev, overrides, directory });
    checkFrozen(config);
    const shown = describeConfig(config).filter(({ name }) => SECRET.has(name) || name === "TICKETING_URL");
    assert.ok(!JSON.stringify(shown).includes(MARK), JSON.stringify(shown));
    return { config };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof ConfigError, String((error as Error).stack));
    assert.ok(error.problems.length > 0);
    error.problems.forEach(checkProblem);
    return { problems: error.problems };
  }
}

function checkProblem(problem: string): void {
  const name = /^[A-Z0-9_]+|^\.env/.exec(problem)?.[0] ?? "";
  assert.ok(KNOWN.has(name), `names no variable: ${problem}`);
  assert.ok(!problem.includes(MARK), `quotes what was given: ${problem}`);
  assert.doesNotMatch(problem, /\p{Cc}/u, "control characters");
  assert.ok(problem.length <= 500, `${problem.length} characters: ${problem.slice(0, 200)}`);
}

function checkFrozen(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  assert.ok(Object.isFrozen(value));
  Object.values(value).forEach(checkFrozen);
}

/** By variable: what it says of a text that none of them takes. */
const rules = new Map(
  NAMES.map((name) => {
    const loaded = load({ [name]: "\u0001" });
    assert.ok("problems" in loaded, name);
    return [name, ruleIn(loaded.problems[0]!)];
  }),
);

const junk = fc.oneof(secrets, urls, lists, anyText);
function valueOf(name: string): fc.Arbitrary<string> {
  if (name === "PARTNERS_JSON" || name === "OPERATORS_JSON")
    return fc.oneof({ weight: 3, arbitrary: lists }, junk);
  if (SECRET.has(name)) return fc.oneof(secrets, urls, junk);
  const { near, isList } = rules.get(name)!;
  const blank = fc.constantFrom("", " ");
  const list = fc
    .array(
      fc.tuple(blank, near, blank).map((parts) => parts.join("")),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => parts.join());
  return fc.oneof({ weight: 9, arbitrary: isList ? list : near }, { weight: 1, arbitrary: junk });
}

const contents = { good: `file-${MARK}\n`, partners: `[{"id":"f","name":"F","token":"${MARK}"}]`, empty: "" };
for (const [name, content] of Object.entries(contents)) writeFileSync(join(directory, name), content);
writeFileSync(join(directory, "binary"), Buffer.from([0xff, 0xfe]));
mkdirSync(join(directory, "folder"));
const paths = fc.constantFrom(
  ...Object.keys(contents),
  ...words("binary folder . missing"),
  MARK,
  `${MARK}\0`,
  "x".repeat(5000),
);

const pairs = fc.oneof(...NAMES.map((name) => fc.tuple(fc.constant(name), valueOf(name))));
const environment = fc
  .tuple(
    fc.array(pairs, { maxLength: 8 }),
    fc.dictionary(fc.constantFrom(...FILES), paths, { maxKeys: 2 }),
    fc.nat(4),
  )
  .map(([values, fromFiles, which]): Env => ({
    ...Object.fromEntries(values),
    ...(which === 0 ? fromFiles : {}),
  }));

test("any environment gives a frozen configuration, or problems that name variables and quote nothing", (t) => {
  const tally = createTally();
  fc.assert(
    fc.property(environment, fc.boolean(), fc.option(pairs), (env, dev, override) => {
      const loaded = load(env, dev, override === null ? {} : Object.fromEntries([override]));
      tally.add("config" in loaded ? "configurations" : "refused");
    }),
    cases(1500),
  );
  tally.tell(t, "environments");
  assert.ok(tally.count("configurations") > 100);
});

test("any .env gives the same", (t) => {
  const lines = fc.array(
    fc.oneof(
      pairs.map(([name, value]) => `${name}=${value}`),
      anyText,
    ),
    { maxLength: 6 },
  );
  const tally = createTally();
  const path = join(directory, ".env");
  fc.assert(
    fc.property(
      fc.oneof(
        lines.map((each) => Buffer.from(each.join("\n"))),
        fc.uint8Array(),
      ),
      (bytes) => {
        writeFileSync(path, bytes);
        tally.add("config" in load({}) ? "configurations" : "refused");
      },
    ),
    cases(300),
  );
  rmSync(path);
  tally.tell(t, ".env files");
});

test("a value is taken if and only if it is as the variable says, and then it means what is written", (t) => {
  const tally = createTally();
  fc.assert(
    fc.property(pairs, ([name, text]) => {
      const { takes, isList } = rules.get(name)!;
      const loaded = load({ [name]: text });
      // What it means together with others is another rule.
      if ("problems" in loaded && /longer than|must not be more than/.test(loaded.problems[0]!))
        return tally.add("against others");
      const parts = isList ? text.split(",").map((part) => part.trim()) : [text];
      const wanted =
        text === "" ||
        isAny(name, text) ||
        (takes === null ? null : parts.every(takes) && rises(name, parts));
      tally.add("config" in loaded ? "taken" : "refused");
      if (wanted !== null) assert.equal("config" in loaded, wanted, `${name}=${text}`);
      if ("config" in loaded && text !== "")
        checkMeaning(loaded.config, name, isAny(name, text) ? [] : parts);
    }),
    cases(3000),
  );
  tally.tell(t, "single values");
  assert.ok(tally.count("taken") > 500 && tally.count("refused") > 500);
});

/** SPEC's word for any port. */
function isAny(name: string, text: string): boolean {
  return name === "ALLOWED_CALLBACK_PORTS" && text === "*";
}

/** SPEC section 2: offsets are "non-decreasing". */
function rises(name: string, parts: readonly string[]): boolean {
  const values = parts.map(Number);
  return name !== "RETRY_SCHEDULE_SECS" || values.every((value, index) => value >= (values[index - 1] ?? 0));
}

/** Every part stands in the configuration as it was written, give or take another spelling of the same. */
function checkMeaning(config: Config, name: string, parts: readonly string[]): void {
  if (name === "PARTNERS_JSON" || name === "OPERATORS_JSON") return;
  const texts = SECRET.has(name) ? textsIn(config) : shownOf(config, name);
  const lines = name === "APP_HMAC_SECRET" ? parts[0]!.split(/\r?\n/).filter((line) => line !== "") : parts;
  for (const part of lines)
    assert.ok(
      texts.some((text) => isSame(text, part)),
      `${name}: ${part} in ${texts.join()}`,
    );
  if (!SECRET.has(name) && parts.length > 0) assert.equal(texts.length, parts.length, name);
}

function shownOf(config: Config, name: string): string[] {
  const shown = describeConfig(config).find((one) => one.name === name)!.value;
  return rules.get(name)!.isList ? shown.split(",") : [shown];
}

function isSame(text: string, written: string): boolean {
  if (text === written || text === written.toLowerCase()) return true;
  const flag = { true: "1", false: "0" }[written];
  if (flag !== undefined) return text === flag;
  const number = scaled(written, 6);
  if (number !== null) return scaled(text, 6) === number;
  const address = readAddress(written.replace(/^\[(.*)\]$/, "$1"));
  if (address !== null) return JSON.stringify(scaledAddress(text)) === JSON.stringify(scaledAddress(written));
  return URL.parse(written)?.href.replace(/\?.*$/, "?***") === text;
}

function scaledAddress(text: string): string {
  const address = readAddress(text.replace(/^\[(.*)\]$/, "$1"));
  return address === null ? text : `${address.bits} ${address.value}`;
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

test("partners and operators are taken just as they are written", (t) => {
  const tally = createTally();
  fc.assert(
    fc.property(lists, (text) => {
      for (const name of ["PARTNERS_JSON", "OPERATORS_JSON"] as const) {
        const loaded = load({ [name]: text, APP_HMAC_SECRET: "key" });
        tally.add("config" in loaded ? "taken" : "refused");
        if (!("config" in loaded)) continue;
        const entries = JSON.parse(text) as Record<string, unknown>[];
        if (name === "OPERATORS_JSON") assert.deepEqual(loaded.config.operators, entries);
        else assert.deepEqual(loaded.config.partners.map(asWritten), entries.map(withoutNulls));
      }
    }),
    cases(1500),
  );
  tally.tell(t, "partners and operators");
  assert.ok(tally.count("taken") > 100);
});

function asWritten(seed: Config["partners"][number]): Record<string, unknown> {
  return withoutNulls({
    id: seed.id,
    name: seed.name,
    token: seed.token,
    allowlist_cidrs: seed.allowlistCidrs,
    rate_limit: seed.rateLimit && { capacity: seed.rateLimit.capacity, per_sec: seed.rateLimit.perSec },
    signing_secret: seed.signingSecret,
    callback_hosts: seed.callbackHosts,
    reject_repeats: seed.rejectRepeats || null,
  });
}

/** What is missing, null, or not asked for; and hosts in any case. */
function withoutNulls(entry: Record<string, unknown>): Record<string, unknown> {
  const members = Object.entries(entry).filter(([, value]) => value !== null && value !== false);
  return Object.fromEntries(
    members.map(([name, value]) => [
      name,
      name === "callback_hosts" ? (value as string[]).map((host) => host.toLowerCase()) : value,
    ]),
  );
}
