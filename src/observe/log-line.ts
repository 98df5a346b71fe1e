import { MAX_ENTRIES, scrubbed, scrubText, secretOf } from "./scrub.ts";

/** Texts that stand in JSON as they are: most are ids and words. */
const PLAIN = /^[ !#-[\]-~]*$/;
const MAX_PLAIN_CHARS = 256;

// The names are ours, and few; a bound all the same.
const MAX_NAMES = 1_000;
const members = new Map<string, string>();

/**
 * A log event as the members of a JSON object, `,"event":"...",...`, without secrets and bounded (see scrub.ts): scrubbed while
 * it is written, in one pass, as an order writes some five lines.
 */
export function logMembers(event: object): string {
  let text = "";
  const names = Object.keys(event);
  const count = Math.min(names.length, MAX_ENTRIES);
  for (let index = 0; index < count; index += 1) {
    const name = names[index]!;
    const value = secretOf(name) ?? (event as Record<string, unknown>)[name];
    const written = valueText(value);
    if (written !== undefined) text += memberOf(name) + written;
  }
  return text;
}

/** @returns undefined for what JSON has no word for */
function valueText(value: unknown): string | undefined {
  if (typeof value === "string") return quoted(scrubText(value));
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
  if (value === null) return "null";
  return JSON.stringify(scrubbed(value));
}

function quoted(text: string): string {
  return text.length <= MAX_PLAIN_CHARS && PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function memberOf(name: string): string {
  const known = members.get(name);
  if (known !== undefined) return known;
  const member = `,${JSON.stringify(name)}:`;
  if (members.size < MAX_NAMES) members.set(name, member);
  return member;
}
