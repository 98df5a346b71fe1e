import { type ParsedJson, parseStrictJson } from "../lib/strict-json.ts";

/** Hides a buyer wherever a copy of what the partner sent of them may lie. */
export interface BuyerMask {
  /** The raw payload, its `buyer` without its values, all else as it was written. */
  readonly payload: string;
  /** A text of somebody else's, in which the buyer's values may stand. */
  text(text: string): string;
  /** The same for all the texts of a JSON value. */
  value(value: unknown): unknown;
}

const HIDDEN = "***";
const MAX_VALUES = 200;
const MAX_VALUE_CHARS = 200;
/** Shorter ones stand everywhere by chance. */
const MIN_VALUE_CHARS = 3;
const MAX_DEPTH = 32;

export function createBuyerMask(rawPayload: string): BuyerMask {
  const parsed = parseStrictJson(rawPayload);
  if (!parsed.ok) return { payload: HIDDEN, text: () => HIDDEN, value: () => HIDDEN };
  const pattern = patternOf(valuesOf((parsed.value as { buyer?: unknown } | null)?.buyer));
  const text = (given: string): string => (pattern === null ? given : given.replace(pattern, HIDDEN));
  return { payload: withoutValues(parsed), text, value: (given) => mapTexts(given, text) };
}

function withoutValues({ value, members }: ParsedJson): string {
  const buyer = (value as { buyer?: unknown } | null)?.buyer;
  if (buyer === undefined) return rebuilt(members);
  const hidden = JSON.stringify(mapTexts(buyer, () => HIDDEN, HIDDEN));
  return rebuilt(new Map([...members, ["buyer", hidden]]));
}

/** The members' source texts, so that no number loses a digit. */
function rebuilt(members: ReadonlyMap<string, string>): string {
  return `{${[...members].map(([name, source]) => `${JSON.stringify(name)}:${source}`).join(",")}}`;
}

/** @param number what stands for a number; left out: the number itself */
function mapTexts(value: unknown, map: (text: string) => string, number?: string, depth = 0): unknown {
  if (typeof value === "string") return map(value);
  if (typeof value === "number") return number ?? value;
  if (typeof value !== "object" || value === null || depth >= MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => mapTexts(each, map, number, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, mapTexts(each, map, number, depth + 1)]),
  );
}

/** The texts and numbers of a buyer, and the words of the texts: others write them in another order. */
function valuesOf(buyer: unknown): string[] {
  const found = new Set<string>();
  const collect = (text: string): string => {
    for (const value of [text, ...text.split(/[\s,;/]+/)]) {
      const part = value.trim().slice(0, MAX_VALUE_CHARS);
      if (part.length >= MIN_VALUE_CHARS && found.size < MAX_VALUES) found.add(part);
    }
    return text;
  };
  mapTexts(mapNumbers(buyer), collect);
  // The longest first: it may hold the others.
  return [...found].toSorted((one, other) => other.length - one.length);
}

function mapNumbers(value: unknown): unknown {
  try {
    return JSON.parse(
      JSON.stringify(value ?? null, (_, each: unknown) => (typeof each === "number" ? String(each) : each)),
    );
  } catch {
    return null;
  }
}

/** As it stands, and as JSON may write it: escaped where it must, or in ASCII alone. */
function patternOf(values: readonly string[]): RegExp | null {
  const forms = values.flatMap((value) => {
    const json = JSON.stringify(value).slice(1, -1);
    const ascii = json.replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    return [...new Set([value, json, ascii])];
  });
  return forms.length === 0 ? null : new RegExp(forms.map(literally).join("|"), "gi");
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
