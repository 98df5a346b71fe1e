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

/** Judges a parameter's text, as it is after decoding; null: it is left out. */
export function parameterFit({ required, schema }: Parameter): (text: string | null) => Fit {
  const checker = Compile(schema);
  return (text) => {
    if (text === null) return required ? "wrong" : "certain";
    const isNumber = schema["type"] === "integer" && /^-?(?:0|[1-9][0-9]*)$/.test(text);
    return checker.Check(isNumber ? Number(text) : text) ? "certain" : "wrong";
  };
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
