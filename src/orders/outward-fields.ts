import Type, { type TSchema } from "typebox";
import { isDate, readTime } from "../lib/iso-time.ts";
import type { InputProblem } from "./order-input.ts";

const MAX_PROBLEMS = 20;
const MAX_NAME_CHARS = 64;

export type Value = string | number | boolean;

/** One name of the outward form: its schema, whose description completes "must be ...", and its reader. */
export interface Field<T extends Value> {
  readonly schema: TSchema;
  /** How often it may be given. */
  readonly most: number;
  /** Undefined: the text is none of its values. */
  read(text: string): T | undefined;
}

/** A text that is not blank, of so many characters. Blanks around it are taken away, as they come with what is pasted. */
export const text = (description: string, maxChars: number, example: string): Field<string> => {
  const pattern = `^(?=\\s*\\S)[^\\u0000]{1,${maxChars}}$`;
  const form = new RegExp(pattern, "u");
  return {
    schema: Type.String({ description, pattern, examples: [example] }),
    most: 1,
    read: (given) => (form.test(given) ? given.trim() : undefined),
  };
};

export const oneOf = <T extends string>(what: string, values: readonly T[]): Field<T> => ({
  schema: Type.Enum([...values], {
    description: `${what}: one of ${values.join(", ")}`,
    examples: values.slice(0, 1),
  }),
  most: 1,
  read: (given) => values.find((value) => value === given),
});

/** May be given several times: any of the values is meant. */
export const anyOf = <T extends Value>(field: Field<T>, most: number): Field<T> => {
  const { description, examples, ...schema } = field.schema as { description?: string; examples?: unknown[] };
  const words = { description: `${description}; repeatable`, examples: examples?.map((each) => [each]) };
  return {
    ...field,
    schema: Type.Array(schema, { maxItems: most, ...words }),
    most,
  };
};

export const flag = (description: string): Field<boolean> => ({
  schema: Type.Boolean({ description, examples: [true] }),
  most: 1,
  read: (given) => (given === "true" ? true : given === "false" ? false : undefined),
});

export const integer = (
  description: string,
  minimum: number,
  maximum: number,
  example = minimum,
): Field<number> => ({
  schema: Type.Integer({ description, minimum, maximum, examples: [example] }),
  most: 1,
  read: (given) => {
    const number = /^(?:0|[1-9][0-9]{0,15})$/.test(given) ? Number(given) : Number.NaN;
    return Number.isSafeInteger(number) && number >= minimum && number <= maximum ? number : undefined;
  },
});

export const time = (description: string): Field<number> => ({
  schema: Type.Union([Type.String({ format: "date-time" }), Type.String({ format: "date" })], {
    description,
    examples: ["2026-08-25T07:09:55Z"],
  }),
  most: 1,
  read: readTime,
});

export const date = (description: string): Field<string> => ({
  schema: Type.String({ description, format: "date", examples: ["2026-08-25"] }),
  most: 1,
  read: (given) => (isDate(given) ? given : undefined),
});

/** What was given under each name, in its order. */
export type FieldValues = ReadonlyMap<string, readonly Value[]>;

export type FieldsRead =
  | { readonly ok: true; readonly values: FieldValues }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/**
 * Reads the outward form of some fields: values are texts, numbers, booleans, or arrays of these. What it doesn't know
 * it refuses: a misspelt filter must not mean everything.
 */
export function readFields(given: object, fields: Readonly<Record<string, Field<Value>>>): FieldsRead {
  const problems: InputProblem[] = [];
  const values = new Map<string, Value[]>();
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const detail = field
      ? readField(field, value, (read) => values.set(name, read))
      : `is unknown; known are ${Object.keys(fields).join(", ")}`;
    if (detail !== null) problems.push({ pointer: pointerTo(name), detail });
  }
  return problems.length > 0
    ? { ok: false, problems: problems.slice(0, MAX_PROBLEMS) }
    : { ok: true, values };
}

/** The schemas of fields, all of them optional: of a route's query, or of a body. */
export function schemasOf(fields: Readonly<Record<string, Field<Value>>>): Record<string, TSchema> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { schema }]) => [name, Type.Optional(schema)]),
  );
}

function readField(field: Field<Value>, given: unknown, keep: (values: Value[]) => void): string | null {
  const texts = Array.isArray(given) ? (given as unknown[]) : [given];
  if (texts.length > field.most) {
    return field.most === 1 ? "must be given once" : `must be given at most ${field.most} times`;
  }
  const values = texts.map((each) => (isValue(each) ? field.read(String(each)) : undefined));
  if (values.includes(undefined))
    return `must be ${String((field.schema as { description?: string }).description)}`;
  keep(values as Value[]);
  return null;
}

function isValue(given: unknown): given is Value {
  return typeof given === "string" || typeof given === "number" || typeof given === "boolean";
}

function pointerTo(name: string): string {
  return `/${name.slice(0, MAX_NAME_CHARS).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
