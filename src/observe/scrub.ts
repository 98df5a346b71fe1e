/** Names that may hold what must never be logged: credentials, and what a partner says about a buyer. */
const SECRET =
  /token|secret|passw|authorization|cookie|signature|headers|buyer|payload|^(body|raw|answer|tickets|query|querystring|database_?url|.*_json)$/i;
/** Whom a URL names before its host, and all that follows its path: a partner may put keys there. */
const IN_URL = /:\/\/([^\s/?#"'@]*@)?([^\s?#"'<>]*)([?#][^\s"'<>]*)?/g;
/** `JSON.parse` quotes what it can't read. */
const IN_JSON = /"[^]*"(?:\.{3})? is not valid JSON/;
const JSON_WORDS = "is not valid JSON";

const MAX_DEPTH = 4;
export const MAX_ENTRIES = 64;
const MAX_TEXT = 4096;

const REDACTED = "[redacted]";

/**
 * A copy of a log field's value without secrets, and bounded. Defence in depth: nobody should log a secret in the
 * first place (SPEC invariant 10). Of an error only its name, code, message and stack are left, as drivers
 * hang whole rows on theirs.
 */
export function scrubbed(value: unknown): unknown {
  return scrubValue(value, 1);
}

function scrubObject(object: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  const names = Object.keys(object);
  const count = Math.min(names.length, MAX_ENTRIES);
  for (let index = 0; index < count; index += 1) {
    const name = names[index]!;
    copy[name] = secretOf(name) ?? scrubValue((object as Record<string, unknown>)[name], depth);
  }
  return copy;
}

// The names are ours, and few; a bound all the same.
const MAX_NAMES = 1_000;
const verdicts = new Map<string, boolean>();

/** What stands for the value of a field that may hold a secret; undefined: it holds none. */
export function secretOf(name: string): string | undefined {
  let isSecret = verdicts.get(name);
  if (isSecret === undefined) {
    isSecret = SECRET.test(name);
    if (verdicts.size < MAX_NAMES) verdicts.set(name, isSecret);
  }
  return isSecret ? REDACTED : undefined;
}

function scrubValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return scrubText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) {
    const { name, message, stack } = value;
    return scrubObject(
      { name, code: (value as NodeJS.ErrnoException).code, message, stack, cause: value.cause },
      depth + 1,
    );
  }
  if (ArrayBuffer.isView(value)) return "[bytes]";
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((each) => scrubValue(each, depth + 1));
  return scrubObject(value, depth + 1);
}

/** A text without what may be secret in a URL or in quoted JSON, and bounded. */
export function scrubText(text: string): string {
  // Most texts are ids and words.
  if (text.length <= MAX_TEXT && !text.includes("://") && !text.includes(JSON_WORDS)) return text;
  const bounded = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return bounded
    .replace(IN_URL, (_, user: string | undefined, place: string, more: string | undefined) =>
      ["://", user === undefined ? "" : `${REDACTED}@`, place, more === undefined ? "" : `?${REDACTED}`].join(
        "",
      ),
    )
    .replace(IN_JSON, `${REDACTED} ${JSON_WORDS}`);
}
