import { Compile } from "typebox/schema";
import { parseStrictJson } from "../../../src/lib/strict-json.ts";
import type { Parameter, Schema } from "./document.ts";

/**
 * How something stands to the document: `certain`, it must be taken; `wrong`, it must be refused; `possible`, its form
 * is right, and the gateway knows more of it than a schema can say.
 */
export type Fit = "certain" | "possible" | "wrong";

/** By format: the pattern of the texts that are certainly taken, where the choice is the gateway's. */
export type Certain = Readonly<Record<string, string>>;

/** What a parameter is given: of a list each of its values; null: it is left out. */
export type Given = string | readonly string[] | null;

/** All that is given, one by one. */
export function valuesIn(given: Given | undefined): readonly string[] {
  return [given ?? []].flat();
}

/** The least sure of them. */
export function together(fits: readonly Fit[]): Fit {
  return fits.includes("wrong") ? "wrong" : fits.includes("possible") ? "possible" : "certain";
}

/** Judges bodies by their schema and SPEC section 3's rules for JSON. */
export function bodyFit(schema: Schema, certain: Certain): (body: Buffer) => Fit {
  const widest = Compile(withFormats(schema, certain, () => ({})));
  const narrowest = Compile(withFormats(schema, certain, (pattern) => ({ pattern })));
  return (body) => {
    const json = parseStrictJson(body);
    if (!json.ok || !widest.Check(json.value)) return "wrong";
    // Whether a number is written plainly no schema can say.
    const isPlain = JSON.stringify(json.value) === json.text;
    return isPlain && narrowest.Check(json.value) ? "certain" : "possible";
  };
}

/** Judges what a parameter is given, as it is after decoding. */
export function parameterFit({ required, schema }: Parameter): (given: Given) => Fit {
  const checker = Compile(schema);
  const isList = schema["type"] === "array";
  const { type } = (isList ? schema["items"] : schema) as { type?: string };
  return (given) => {
    const values = valuesIn(given).map((text) => valueOf(text, type));
    // A list without a value can't be told from none.
    if (values.length === 0) return required ? "wrong" : "certain";
    return checker.Check(isList ? values : values[0]) ? "certain" : "wrong";
  };
}

/** What a text says where a value of this type belongs; the text itself, where it says none. */
function valueOf(text: string, type: string | undefined): unknown {
  if (type === "integer" && /^-?(?:0|[1-9][0-9]*)$/.test(text)) return Number(text);
  return type === "boolean" && /^(?:true|false)$/.test(text) ? text === "true" : text;
}

/** The schema, with something else for the formats whose texts the gateway chooses from. */
function withFormats(schema: Schema, certain: Certain, instead: (pattern: string) => object): Schema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const { format, ...others } = value as { format?: unknown };
    const inside = Object.fromEntries(Object.entries(others).map(([name, one]) => [name, walk(one)]));
    const pattern = typeof format === "string" ? certain[format] : undefined;
    if (pattern !== undefined) return { ...inside, ...instead(pattern) };
    return format === undefined ? inside : { ...inside, format };
  };
  return walk(schema) as Schema;
}
