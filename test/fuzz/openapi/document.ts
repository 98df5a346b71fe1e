import assert from "node:assert/strict";

/** JSON Schema 2020-12, as OpenAPI 3.1 has it, without references. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

/** What the document says of one status of an operation. */
export interface Documented {
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, { readonly required: boolean; readonly schema: Schema }>;
  readonly content: ReadonlyMap<string, Schema>;
  /** The `type`s of the problems that are given for examples. */
  readonly problems: ReadonlySet<string>;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By media type; empty: there is no body. */
  readonly body: ReadonlyMap<string, Schema>;
  /** Of the body. */
  readonly examples: readonly unknown[];
  /** Ways in, each with the names of its schemes; empty: open to all. */
  readonly security: readonly (readonly string[])[];
  readonly answers: ReadonlyMap<number, Documented>;
}

/** How a scheme's credential travels. */
export type SecurityScheme =
  | { readonly type: "apiKey"; readonly in: "header" | "cookie"; readonly name: string }
  | { readonly type: "http"; readonly scheme: "bearer" };

export interface ApiDocument {
  readonly operations: readonly Operation[];
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
}

/** The names in a path template: `/orders/{id}` has `id`. */
export const TEMPLATE_NAME = /\{([^}]+)\}/g;

type Json = Record<string, unknown>;

/**
 * Reads an OpenAPI 3.1 document as it is served. What it can't read it refuses, as a document that has outgrown this
 * reader must not go untested.
 */
export function readDocument(document: unknown): ApiDocument {
  const root = resolved(document, document as Json) as Json;
  const operations = Object.entries(root["paths"] as Json).flatMap(([path, item]) =>
    Object.entries(item as Json).map(([method, operation]) => {
      assert.match(method, /^(?:get|put|post|delete|options|patch|trace)$/, path);
      return readOperation(path, method.toUpperCase(), operation as Json);
    }),
  );
  const { securitySchemes } = root["components"] as { securitySchemes: Json };
  const schemes = Object.entries(securitySchemes).map(([name, scheme]) => {
    const { type, in: place, scheme: kind } = scheme as Json;
    const isKey = type === "apiKey" && (place === "header" || place === "cookie");
    assert.ok(isKey || (type === "http" && kind === "bearer"), name);
    return [name, scheme as SecurityScheme] as const;
  });
  return { operations, schemes: new Map(schemes) };
}

function readOperation(path: string, method: string, operation: Json): Operation {
  const parameters = ((operation["parameters"] ?? []) as (Partial<Parameter> & Json)[]).map((parameter) => {
    const { name = "", in: place = "cookie", required = false, schema = {} } = parameter;
    assert.ok(place === "path" || place === "query" || place === "header", `${path}: ${name} in ${place}`);
    for (const other of ["style", "explode", "content"])
      assert.ok(!(other in parameter), `${path}: ${other}`);
    return { name, in: place, required, schema };
  });
  const inPath = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  const inTemplate = [...path.matchAll(TEMPLATE_NAME)].map(([, name]) => name);
  assert.deepEqual(new Set(inPath), new Set(inTemplate), path);
  const answers = Object.entries(operation["responses"] as Json).map(([status, answer]) => {
    assert.match(status, /^[1-5][0-9]{2}$/, path);
    return [Number(status), readAnswer(answer as Json)] as const;
  });
  const body = (operation["requestBody"] ?? {}) as Json;
  return {
    method,
    path,
    parameters,
    body: contentOf(body),
    examples: examplesIn(body),
    security: ((operation["security"] ?? []) as Json[]).map((way) => Object.keys(way)),
    answers: new Map(answers),
  };
}

function readAnswer(answer: Json): Documented {
  const headers = Object.entries((answer["headers"] ?? {}) as Json).map(([name, header]) => {
    const { required, schema } = header as { required?: boolean; schema: Schema };
    return [name.toLowerCase(), { required: required === true, schema }] as const;
  });
  const types = examplesIn(answer).map((example) => (example as { type?: unknown }).type);
  const problems = types.filter((type) => typeof type === "string");
  return { headers: new Map(headers), content: contentOf(answer), problems: new Set(problems) };
}

function contentOf({ content = {} }: Json): Map<string, Schema> {
  return new Map(
    Object.entries(content as Json).map(([type, media]) => [type, (media as Json)["schema"] as Schema]),
  );
}

function examplesIn({ content = {} }: Json): unknown[] {
  return Object.values(content as Json).flatMap((media) => {
    const { example, examples = {} } = media as { example?: unknown; examples?: Json };
    const named = Object.values(examples).map((one) => (one as Json)["value"]);
    return example === undefined ? named : [example, ...named];
  });
}

/** The value with every `$ref` replaced by what it names. */
function resolved(value: unknown, root: Json, depth = 0): unknown {
  assert.ok(depth < 100, "a reference that leads to itself");
  if (Array.isArray(value)) return value.map((one) => resolved(one, root, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  const { $ref } = value as Json;
  if (typeof $ref === "string") return resolved(named(root, $ref), root, depth + 1);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, resolved(one, root, depth + 1)]),
  );
}

function named(root: Json, reference: string): unknown {
  const [start, ...names] = reference.split("/");
  assert.equal(start, "#", reference);
  const unescaped = names.map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const found = unescaped.reduce<unknown>((at, name) => (at as Json | undefined)?.[name], root);
  assert.ok(found !== undefined, reference);
  return found;
}
