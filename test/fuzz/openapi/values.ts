import * as fc from "fast-check";
import { words } from "../words.ts";
import type { Schema } from "./document.ts";

/** How texts of a `format` are made: what the document can't say of them, the caller knows. */
export type Formats = Readonly<Record<string, fc.Arbitrary<string>>>;

/** What is read here or means nothing. A schema with anything else must not be taken for a simpler one. */
const KNOWN = new Set(
  words(`type enum const pattern format minLength maxLength minimum maximum items minItems maxItems properties required
    additionalProperties minProperties anyOf description title example examples default`),
);

/** Where a schema sets no maximum, whole numbers go beyond what a double can tell apart. */
const UNBOUNDED = [2 ** 53 - 1, 2 ** 53, 2 ** 63, 1e21];
/** Longer than any text that a pattern lets grow, but not endlessly. */
const MAX_GROWN = 5_000;

/** Values that a schema allows, its edges among them. */
export function valuesOf(schema: Schema, formats: Formats): fc.Arbitrary<unknown> {
  for (const keyword of Object.keys(schema)) {
    if (!KNOWN.has(keyword)) throw new Error(`the fuzz can't read the keyword ${keyword}: teach it`);
  }
  if ("const" in schema) return fc.constant(schema["const"]);
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  if (Array.isArray(schema["anyOf"])) {
    return fc.oneof(...(schema["anyOf"] as Schema[]).map((one) => valuesOf(one, formats)));
  }
  switch (schema["type"]) {
    case "object":
      return objectsOf(schema, formats);
    case "array":
      return arraysOf(schema, formats);
    case "string":
      return textsOf(schema, formats);
    case "integer":
      return wholeNumbersOf(schema);
    case "number":
      return numbersOf(schema);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      throw new Error(`the fuzz can't make a value of type ${String(schema["type"])}: teach it`);
  }
}

const character = fc.oneof(
  { weight: 4, arbitrary: fc.nat(0x7f) },
  { weight: 2, arbitrary: fc.nat(0xd7ff) },
  { weight: 1, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
);
const unit = character.map((code) => String.fromCodePoint(code));
/** Any text that UTF-8 can carry. fast-check's own unit of all characters would list them first. */
export const anyText = fc.string({ unit });
/** Any JSON, as stands in fields that a schema doesn't know. */
export const anyJson = fc.jsonValue({ maxDepth: 3, stringUnit: unit });
const unknownFields = fc.dictionary(anyText, anyJson, { maxKeys: 3 });
const punctuation = fc.string({ unit: fc.constantFrom(...words(`" ' \\ % & < > ; , . : - _ ~ ! 0 A a`)) });

function objectsOf(schema: Schema, formats: Formats): fc.Arbitrary<unknown> {
  const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
  const required = (schema["required"] ?? []) as string[];
  const { minProperties = 0, additionalProperties } = schema as {
    minProperties?: number;
    additionalProperties?: boolean;
  };
  const isOpen = additionalProperties !== false;
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, valuesOf(one, formats)])),
    { requiredKeys: required },
  );
  if (!isOpen || minProperties > 0)
    return known.filter((value) => Object.keys(value).length >= minProperties);
  return fc
    .tuple(known, fc.option(unknownFields, { freq: 3, nil: {} }), fc.boolean())
    .map(([own, more, first]) => (first ? { ...more, ...own } : { ...own, ...omit(more, own, properties) }));
}

/** Without what the object has or might have. */
function omit(more: object, ...others: readonly object[]): object {
  return Object.fromEntries(
    Object.entries(more).filter(([name]) => !others.some((other) => Object.hasOwn(other, name))),
  );
}

function arraysOf(schema: Schema, formats: Formats): fc.Arbitrary<unknown> {
  const { minItems = 0, maxItems = 100 } = schema as { minItems?: number; maxItems?: number };
  const element = valuesOf(schema["items"] as Schema, formats);
  const some = fc.array(element, { minLength: minItems, maxLength: maxItems, size: "small" });
  const full = element.map((one) => Array.from({ length: maxItems }, () => one));
  return fc.oneof({ weight: 30, arbitrary: some }, { weight: 1, arbitrary: full });
}

function textsOf(schema: Schema, formats: Formats): fc.Arbitrary<string> {
  const { format } = schema;
  if (typeof format === "string") {
    const known = formats[format];
    if (known === undefined) throw new Error(`the fuzz can't make a text of format ${format}: teach it`);
    return known;
  }
  const fits = textCheck(schema);
  // A look-ahead only takes some of the texts away.
  const { pattern = "^.*$" } = schema as { pattern?: string };
  const plain = pattern.replace(/\(\?[!=][^)]*\)/g, "");
  const usual = fc.stringMatching(new RegExp(plain)).filter(fits);
  const strange = fc.oneof(anyText, punctuation);
  const any = fc.tuple(usual, strange).map(([text, other]) => (fits(other) ? other : text));
  const longest = any.map((text) => longestLike(text, schema));
  return fc.oneof({ weight: 12, arbitrary: any }, { weight: 1, arbitrary: longest });
}

const longest = new WeakMap<Schema, number>();

/** The text made as long as its schema lets it grow. */
export function longestLike(text: string, schema: Schema): string {
  const fits = textCheck(schema);
  const last = text.at(-1) ?? "x";
  const before = text.padEnd(longest.get(schema) ?? 0, last);
  let grown = fits(before) ? before : text;
  while (grown.length < MAX_GROWN && fits(grown + last)) grown += last;
  longest.set(schema, grown.length);
  return grown;
}

function textCheck(schema: Schema): (text: string) => boolean {
  const {
    pattern = "",
    minLength = 0,
    maxLength = Infinity,
  } = schema as {
    pattern?: string;
    minLength?: number;
    maxLength?: number;
  };
  const regex = new RegExp(pattern);
  return (text) => regex.test(text) && text.length >= minLength && text.length <= maxLength;
}

function numbersOf(schema: Schema): fc.Arbitrary<number> {
  const { minimum: min = -1e9, maximum: max = 1e9 } = schema as { minimum?: number; maximum?: number };
  return fc.double({ min, max, noNaN: true });
}

function wholeNumbersOf(schema: Schema): fc.Arbitrary<number> {
  const { minimum = -(2 ** 53 - 1), maximum } = schema as { minimum?: number; maximum?: number };
  const some = fc.maxSafeInteger().map((value) => {
    const span = (maximum ?? 2 ** 53 - 1) - minimum + 1;
    return minimum + (Math.abs(value) % span);
  });
  const small = fc.nat({ max: 100 }).map((value) => Math.min(minimum + value, maximum ?? Infinity));
  const edges = fc.constantFrom(minimum, ...(maximum === undefined ? UNBOUNDED : [maximum]));
  return fc.oneof(small, some, edges);
}
