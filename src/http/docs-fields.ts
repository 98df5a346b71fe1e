import { escaped, phrase, table } from "./docs-html.ts";

export type Schema = Readonly<Record<string, unknown>>;

/** Deeper than any body goes. */
const MAX_DEPTH = 8;

/** The members of a schema, one in a row, those of inner objects and lists too: `items[].sku`. */
export function fieldTable(schema: Schema): string {
  return table(["field", "", "meaning"], rowsOf(schema, "", 0));
}

function rowsOf(schema: Schema, path: string, depth: number): string[][] {
  if (depth > MAX_DEPTH) return [];
  const { anyOf, items, properties = {}, required = [] } = schema;
  const inside = Array.isArray(anyOf) ? (anyOf as Schema[]) : [];
  const elements = items === undefined ? [] : rowsOf(items as Schema, `${path}[]`, depth + 1);
  const members = Object.entries(properties as Record<string, Schema>).flatMap(([name, member]) => {
    const own = path === "" ? name : `${path}.${name}`;
    const isRequired = (required as string[]).includes(name);
    const kind = typeOf(member) + (isRequired ? "" : ", optional");
    return [[`<code>${escaped(own)}</code>`, kind, meaningOf(member)], ...rowsOf(member, own, depth + 1)];
  });
  return [...members, ...elements, ...inside.flatMap((one) => rowsOf(one, path, depth + 1))];
}

/** What values a schema has, in a word or two, as HTML. */
export function typeOf(schema: Schema): string {
  const { type, anyOf, format, items } = schema;
  if ("const" in schema) return `<code>${escaped(JSON.stringify(schema["const"]))}</code>`;
  if (Array.isArray(anyOf)) return [...new Set((anyOf as Schema[]).map(typeOf))].join(" or ");
  if (type === "array") {
    const element = typeOf((items ?? {}) as Schema);
    return element === "any" ? "list" : `list of ${element}`;
  }
  if (typeof format === "string") return escaped(format);
  return typeof type === "string" ? escaped(type) : Array.isArray(schema["enum"]) ? "string" : "any";
}

/** What a schema says of itself, its values and bounds with it, as HTML. */
export function meaningOf(schema: Schema): string {
  const { description, enum: values, minimum, maximum, maxItems, anyOf } = schema;
  const inner = Array.isArray(anyOf) ? (anyOf as Schema[]).map(meaningOf).filter((text) => text !== "") : [];
  const said = typeof description === "string" ? phrase(description) : (inner[0] ?? "");
  // Many descriptions have them in words already.
  const isSaid = (value: unknown): boolean => said.includes(String(value));
  const parts = [
    said,
    Array.isArray(values) && !values.every(isSaid)
      ? (values as unknown[]).map((value) => `<code>${escaped(String(value))}</code>`).join(" ")
      : "",
    typeof minimum === "number" && typeof maximum === "number" && !isSaid(maximum)
      ? `${minimum} to ${maximum}`
      : "",
    typeof maxItems === "number" && !isSaid(maxItems) ? `at most ${maxItems}` : "",
  ];
  return parts.filter((part) => part !== "").join("; ");
}
