import * as fc from "fast-check";
import { type ApiDocument, type Operation, type Parameter, type Schema, TEMPLATE_NAME } from "./document.ts";
import { bodyFit, type Certain, type Fit, type Given, parameterFit, together, valuesIn } from "./fit.ts";
import { type Formats, valuesOf } from "./values.ts";

export type Header = readonly [name: string, value: string];
/** By path template: what fills it so that it names a resource which the gateway has made. */
export type Known = ReadonlyMap<string, readonly (readonly string[])[]>;
/**
 * What the answer may be: 2xx, 4xx, one status, whatever the document has for the operation; `elsewhere`: or that there
 * is no such path or method.
 */
export type Expected = "success" | "refusal" | "documented" | "elsewhere" | number;

/** A request that is ready to be sent. */
export interface Draft {
  readonly family: string;
  /** The one that is meant, or nearly. */
  readonly operation: Operation;
  readonly method: string;
  readonly target: (known: Known) => string;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  /** How the body goes over the wire: with its length, in chunks, or ended before all of it has come. */
  readonly framing: "length" | "chunked" | "cut";
  /** Afterwards nothing may follow on its connection. */
  readonly alone: boolean;
  readonly expected: Expected;
}

/** What the document leaves open: who may ask, and what the gateway under test takes for a `format`. */
export interface Knowledge {
  /** By the scheme's name. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Of partners that are treated in other ways. */
  readonly others: readonly Readonly<Record<string, string>>[];
  readonly formats: Formats;
  readonly certain: Certain;
}

/** What a request is made of. */
export interface Parts {
  readonly way: readonly string[];
  /** In the order of the operation's parameters. */
  readonly texts: readonly Given[];
  /** Which of the known resources the path names; null: the texts fill it. */
  readonly known: number | null;
  readonly body: Buffer | null;
}

/** All that the families need to know of an operation. */
export interface Kit {
  readonly operation: Operation;
  readonly knowledge: Knowledge;
  readonly body: Body | null;
  /** What makes requests that are right by the document. */
  readonly right: fc.Arbitrary<Parts>;
  headersFor(way: readonly string[], credentials: Knowledge["credentials"]): Header[];
  draft(family: string, parts: Parts): Draft;
}

interface Body {
  readonly type: string;
  readonly schema: Schema;
  readonly values: fc.Arbitrary<unknown>;
}

const MAX_BODY_BYTES = 256 * 1024;

export function kitOf(operation: Operation, document: ApiDocument, knowledge: Knowledge): Kit {
  const { method, parameters, path, security } = operation;
  const body = bodyOf(operation, knowledge);
  const fitOf = createFit(operation, body, knowledge);
  const texts = parameters.map(({ required, schema }) => {
    const text = valuesOf(schema, knowledge.formats).map((value) =>
      Array.isArray(value) ? value.map(String) : String(value),
    );
    return required ? text : fc.option(text, { freq: 2 });
  });
  const headersFor: Kit["headersFor"] = (way, credentials) =>
    way.map((name) => credentialHeader(document, name, credentials));

  return {
    operation,
    knowledge,
    body,
    right: fc.record({
      way: fc.constantFrom(...(security.length > 0 ? security : [[]])),
      texts: fc.tuple(...texts),
      known: path.includes("{") ? fc.nat() : fc.constant(null),
      body: body === null ? fc.constant(null) : body.values.map(toBytes),
    }),
    headersFor,
    draft: (family, parts) => ({
      family,
      operation,
      method,
      target: (known) => targetOf(operation, parts, known),
      headers: [
        ["Host", "localhost"],
        ...headersFor(parts.way, knowledge.credentials),
        ...parameters.flatMap(({ in: place, name }, index): Header[] => {
          return place === "header" ? valuesIn(parts.texts[index]).map((text) => [name, text]) : [];
        }),
        ...(body === null ? [] : [["Content-Type", body.type] as const]),
      ],
      body: parts.body,
      framing: "length",
      alone: false,
      expected: expectedOf(fitOf(parts), parts.body),
    }),
  };
}

function bodyOf({ path, body }: Operation, { formats }: Knowledge): Body | null {
  const [[type, schema] = [null, {}], ...more] = body;
  if (more.length > 0) throw new Error(`${path} takes several media types: teach the fuzz to choose`);
  return type === null ? null : { type, schema, values: valuesOf(schema, formats) };
}

/** How a request as a whole stands to the document. */
function createFit(
  { parameters }: Operation,
  body: Body | null,
  { certain }: Knowledge,
): (parts: Parts) => Fit {
  const fitsOf = parameters.map(parameterFit);
  const fitOfBody = body === null ? () => "certain" as const : bodyFit(body.schema, certain);
  return (parts) => {
    const fits = parameters.map((parameter, index): Fit => {
      const fit = fitsOf[index]!(parts.texts[index] ?? null);
      if (parameter.in !== "path") return fit;
      // What the schema allows need not be there.
      return parts.known === null ? together([fit, "possible"]) : "certain";
    });
    return together([...fits, parts.body === null ? "certain" : fitOfBody(parts.body)]);
  };
}

function credentialHeader(
  { schemes }: ApiDocument,
  name: string,
  credentials: Knowledge["credentials"],
): Header {
  const scheme = schemes.get(name);
  const credential = credentials[name];
  if (!scheme || credential === undefined) throw new Error(`no credential for ${name}: give the fuzz one`);
  if (scheme.type === "http") return ["Authorization", `Bearer ${credential}`];
  return scheme.in === "cookie" ? ["Cookie", `${scheme.name}=${credential}`] : [scheme.name, credential];
}

export function toBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** RFC 3986: what is not unreserved as `%xx`. */
function encoded(text: string): string {
  const bytes = Buffer.from(text).toString("latin1");
  return bytes.replace(/[^A-Za-z0-9._~-]/g, everyByte);
}

export function everyByte(text: string): string {
  return Buffer.from(text, "latin1").toString("hex").replace(/../g, "%$&");
}

function expectedOf(fit: Fit, body: Buffer | null): Expected {
  if (body !== null && body.length > MAX_BODY_BYTES) return 413;
  return fit === "certain" ? "success" : fit === "wrong" ? "refusal" : "documented";
}

function targetOf({ path, parameters }: Operation, { texts, known: which }: Parts, known: Known): string {
  const resources = known.get(path) ?? [];
  const filling = which === null ? [] : [...(resources[which % resources.length] ?? [])];
  const textsOf = (place: Parameter["in"], name: string): readonly string[] =>
    valuesIn(texts[parameters.findIndex((parameter) => parameter.in === place && parameter.name === name)]);
  const filled = path.replace(TEMPLATE_NAME, (_whole, name: string) =>
    encoded(filling.shift() ?? textsOf("path", name)[0] ?? ""),
  );
  const query = parameters.flatMap(({ in: place, name }) => {
    const given = place === "query" ? textsOf(place, name) : [];
    return given.map((text) => `${encoded(name)}=${encoded(text)}`);
  });
  return query.length === 0 ? filled : `${filled}?${query.join("&")}`;
}
