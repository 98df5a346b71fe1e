import { parseStrictJson } from "../lib/strict-json.ts";
import { cidr, hostPattern, type Parse, parser, type Report, signingSecret } from "./parsers.ts";

export interface RateLimit {
  readonly capacity: number;
  readonly perSec: number;
}

/** An entry of PARTNERS_JSON; null where it says nothing. */
export interface PartnerSeed {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly allowlistCidrs: readonly string[] | null;
  readonly rateLimit: RateLimit | null;
  readonly signingSecret: string | null;
  readonly callbackHosts: readonly string[] | null;
  /**
   * `reject_repeats`, beside SPEC's table: an `external_order_id` that this partner has used before is
   * refused.
   */
  readonly rejectRepeats: boolean;
}

/** An entry of OPERATORS_JSON. */
export interface OperatorSeed {
  readonly name: string;
  readonly token: string;
  readonly role: "viewer" | "operator";
}

const MAX_ENTRIES = 10_000;

/**
 * Reads one field, given `undefined` if it is missing. What a refused one reads as doesn't matter: nobody
 * gets it.
 */
type Field<T> = (value: unknown, report: Report) => T;
type Fields = Readonly<Record<string, Field<unknown>>>;
type Entry<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };

const text =
  (parse: Parse<string>): Field<string> =>
  (value, report) =>
    // The empty text, which no field takes, gets those that are no text the same answer.
    parse(typeof value === "string" ? value : "", report) ?? "";

const matching = (expected: string, pattern: RegExp) =>
  text(parser(expected, (raw) => (pattern.test(raw) ? raw : null)));

/** A field that may be missing or null. */
const optional =
  <T>(field: Field<T>): Field<T | null> =>
  (value, report) =>
    value === undefined || value === null ? null : field(value, report);

/** An empty list is refused, as it could mean "nobody" as well as "anybody". */
const listOf =
  (what: string, entry: Parse<string>): Field<readonly string[]> =>
  (value, report) => {
    if (Array.isArray(value) && value.length > 0 && value.length <= 1000) {
      const each = text(entry);
      return value.map((one, index) => each(one, (problem) => report(problem, `[${index}]`)));
    }
    report(`must be a list of 1 to 1000 ${what}; leave it out to set no limit`);
    return [];
  };

const rateLimit: Field<RateLimit | null> = parser(
  '{"capacity": a whole number from 1 to 1000000, "per_sec": a number above 0, up to 1000000} and nothing else',
  (value) => {
    const { capacity, per_sec: perSec, ...others } = Object(value) as Record<string, unknown>;
    if (typeof capacity !== "number" || typeof perSec !== "number" || Object.keys(others).length > 0)
      return null;
    const isFine =
      Number.isInteger(capacity) && capacity >= 1 && capacity <= 1e6 && perSec > 0 && perSec <= 1e6;
    return isFine ? { capacity, perSec } : null;
  },
);

const name = matching("1 to 128 characters without control characters", /^\P{Cc}{1,128}$/u);
/** No least length, as neither the seed nor SPEC section 2 names one: a partner's token is what was agreed with it. */
const token = matching("1 to 256 visible ASCII characters", /^[\x21-\x7e]{1,256}$/);

const role: Field<OperatorSeed["role"]> = (value, report) => {
  if (value !== "viewer" && value !== "operator") report('must be "viewer" or "operator"');
  return value === "operator" ? value : "viewer";
};
const flag: Field<boolean | null> = parser("true or false", (value) =>
  typeof value === "boolean" ? value : null,
);

const PARTNER = {
  id: matching("1 to 64 of the characters A-Z a-z 0-9 . _ -", /^[A-Za-z0-9._-]{1,64}$/),
  name,
  token,
  allowlist_cidrs: optional(listOf("CIDRs", cidr)),
  rate_limit: optional(rateLimit),
  signing_secret: optional(text(signingSecret(1))),
  callback_hosts: optional(listOf("host names", hostPattern)),
  reject_repeats: optional(flag),
} satisfies Fields;

const OPERATOR = {
  name,
  token,
  role,
} satisfies Fields;

/** Reads PARTNERS_JSON; every problem is reported, naming its place. */
export const partners: Parse<readonly PartnerSeed[]> = (raw, report) => {
  const entries = readEntries(raw, PARTNER, report);
  refuseRepeats(entries, "id", report);
  return entries.map((entry) => ({
    id: entry.id,
    name: entry.name,
    token: entry.token,
    allowlistCidrs: entry.allowlist_cidrs,
    rateLimit: entry.rate_limit,
    signingSecret: entry.signing_secret,
    callbackHosts: entry.callback_hosts,
    rejectRepeats: entry.reject_repeats ?? false,
  }));
};

/** Reads OPERATORS_JSON. Tokens are unique, as a bearer token alone says which operator it is. */
export const operators: Parse<readonly OperatorSeed[]> = (raw, report) => {
  const entries = readEntries(raw, OPERATOR, report);
  refuseRepeats(entries, "name", report);
  refuseRepeats(entries, "token", report);
  return entries;
};

/** Entries with a problem have gaps: whoever has seen one reported must not use them. */
function readEntries<F extends Fields>(raw: string, fields: F, report: Report): readonly Entry<F>[] {
  const json = parseStrictJson(raw);
  if (!json.ok) {
    report(`is not a JSON list: ${json.detail}`);
    return [];
  }
  if (!Array.isArray(json.value) || json.value.length > MAX_ENTRIES) {
    report(`must be a JSON list of at most ${MAX_ENTRIES} entries`);
    return [];
  }
  return json.value.map((entry, index) =>
    readEntry(entry, fields, (problem, path = "") => report(problem, `[${index}]${path}`)),
  );
}

function readEntry<F extends Fields>(entry: unknown, fields: F, report: Report): Entry<F> {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    report("must be an object");
    return {} as Entry<F>;
  }
  for (const key of Object.keys(entry)) {
    if (!Object.hasOwn(fields, key))
      report(`is unknown${suggestion(key, Object.keys(fields))}`, `.${shown(key)}`);
  }
  const given = new Map(Object.entries(entry));
  const read = Object.entries(fields).map(([key, field]) => [
    key,
    field(given.get(key), (problem, path = "") => report(problem, `.${key}${path}`)),
  ]);
  return Object.fromEntries(read) as Entry<F>;
}

function refuseRepeats<K extends string>(
  entries: readonly Readonly<Record<K, unknown>>[],
  key: K,
  report: Report,
) {
  const seen = new Set<unknown>();
  for (const [index, { [key]: value }] of entries.entries()) {
    if (value && seen.has(value)) report("is used by an earlier entry too", `[${index}].${key}`);
    seen.add(value);
  }
}

/** A name that anything may stand in, as a terminal can take it. */
function shown(key: string): string {
  return key.slice(0, 64).replace(/[^\x20-\x7e]/g, "?");
}

function suggestion(key: string, known: readonly string[]): string {
  const near = known.find((name) => editDistance(key.slice(0, 32), name) <= 2);
  return near === undefined ? `; known are ${known.join(", ")}` : `; is ${near} meant?`;
}

/** Levenshtein's. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 0; i < left.length; i += 1) {
    const next = [i + 1];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = row[j - 1]! + (left[i] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
