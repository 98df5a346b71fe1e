type Json = Record<string, unknown>;

/** What a text of a format looks like where the schema shows none. */
const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "2026-08-25T07:09:55.123Z",
  date: "2026-08-25",
  uuid: "01a037c1-1233-7c3e-9a51-0d5f6b1c2a77",
};

/**
 * A value that a schema (JSON Schema 2020-12, without references) allows: its own first example, else one put together
 * of its parts'. Undefined where a part shows none and has no format that says enough.
 */
export function exampleOf(schema: unknown): unknown {
  if (!isObject(schema)) return undefined;
  const { examples, enum: values, anyOf, type, format } = schema;
  if (Array.isArray(examples)) return examples[0];
  if ("const" in schema) return schema["const"];
  if (Array.isArray(values)) return values[0];
  if (Array.isArray(anyOf)) return exampleOf(anyOf.find((one) => isObject(one) && one["type"] !== "null"));
  if (type === "object") return exampleOfObject(schema);
  if (type === "array") {
    const element = exampleOf(schema["items"]);
    return element === undefined ? undefined : [element];
  }
  if (type === "boolean") return false;
  return typeof format === "string" ? FORMATS[format] : undefined;
}

function exampleOfObject({ properties = {} }: Json): Json | undefined {
  const members = Object.entries(properties as Json).map(([name, one]) => [name, exampleOf(one)] as const);
  return members.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(members);
}

/** Gives every body and header of an OpenAPI document that shows no example one that its schema makes. */
export function addExamples(value: unknown): void {
  if (!isObject(value)) return;
  const isShown = "example" in value || "examples" in value || !("schema" in value);
  const example = isShown ? undefined : exampleOf(value["schema"]);
  if (example !== undefined) value["example"] = example;
  for (const [name, inner] of Object.entries(value)) {
    // What stands in there is data.
    if (name !== "schema" && name !== "example" && name !== "examples") addExamples(inner);
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
