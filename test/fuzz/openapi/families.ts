import { METHODS } from "node:http";
import * as fc from "fast-check";
import { damaged } from "./damage.ts";
import type { ApiDocument, Operation, Schema } from "./document.ts";
import { type Draft, everyByte, type Header, type Kit, type Knowledge, kitOf, toBytes } from "./draft.ts";
import { valuesIn } from "./fit.ts";
import { byteChange, HEADER_VALUES, NAMES_OF_HEADERS, PARAMETER_TEXTS, TARGET_PIECES } from "./strange.ts";
import { anyText, longestLike } from "./values.ts";

/** Requests that are right, and such that nearly are, for operations that the document describes. */
export function draftsOf(
  asked: readonly Operation[],
  document: ApiDocument,
  knowledge: Knowledge,
): fc.Arbitrary<Draft> {
  const kits = asked.map((operation) => kitOf(operation, document, knowledge));
  const ofOperations = kits.map((kit) => {
    const families = FAMILIES.flatMap(([weight, family]) => {
      const arbitrary = family(kit);
      return arbitrary === null ? [] : [{ weight, arbitrary }];
    });
    // There is more to get wrong where more is taken.
    const weight = kit.body !== null ? 12 : kit.operation.parameters.length > 0 ? 4 : 1;
    return { weight, arbitrary: fc.oneof(...families) };
  });
  const all = fc.oneof(...ofOperations, { weight: 1, arbitrary: methods(kits, document) });
  // A failing one is told as it was sent, which is enough.
  return all.map((draft) => ({ ...draft, [fc.toStringMethod]: () => `${draft.family}: ${draft.method}` }));
}

/** Requests that the document itself gives for an example: what it shows must work. */
export function examplesOf(
  asked: readonly Operation[],
  document: ApiDocument,
  knowledge: Knowledge,
): Draft[] {
  return asked.flatMap((operation) => {
    const { draft, right } = kitOf(operation, document, knowledge);
    const [parts] = fc.sample(right, { numRuns: 1, seed: 1 });
    const texts = operation.parameters.map(() => null);
    return operation.examples.map((example): Draft => {
      const usual = draft("example", { ...parts!, texts, body: toBytes(example) });
      return { ...usual, expected: "success" };
    });
  });
}

/** Null where the operation has nothing of the kind. */
type Family = (kit: Kit) => fc.Arbitrary<Draft> | null;

const valid: Family = ({ right, draft }) => right.map((parts) => draft("valid", parts));

/** A few requests again and again and at the same time: what is remembered of them comes into play. */
const repeated: Family = ({ right, draft }) => {
  const few = fc.constantFrom(...fc.sample(right, { numRuns: 4, seed: 1 }));
  return fc
    .tuple(few, few)
    .map(([one, { texts, known }]) => anyAnswer(draft("repeated", { ...one, texts, known })));
};

const bodyValues: Family = ({ body, right, draft }) =>
  body &&
  fc
    .tuple(right, damaged(body.values, body.schema))
    .map(([parts, value]) => draft("body value", { ...parts, body: toBytes(value) }));

const bodyBytes: Family = ({ body, right, draft }) =>
  body &&
  fc.tuple(right, fc.array(byteChange, { minLength: 1, maxLength: 3 })).map(([parts, changes]) => {
    const bytes = changes.reduce((changed, change) => change(changed), parts.body!);
    return draft("body bytes", { ...parts, body: bytes });
  });

const framings: Family = ({ body, right, draft }) =>
  body &&
  fc.tuple(right, fc.constantFrom("chunked" as const, "cut" as const)).map(([parts, framing]) => {
    const usual = draft(framing, parts);
    return { ...usual, framing, alone: true, expected: framing === "cut" ? "refusal" : usual.expected };
  });

const mediaTypes: Family = ({ body, operation, right, draft }) => {
  if (body === null) return null;
  const { type } = body;
  const others = [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "json",
    "*/*",
    ";",
    `multipart/${type}`,
  ];
  const near = [
    `${type}x`,
    `${type}-patch+json`,
    `x${type}`,
    `${type}/x`,
    `${type}; charset=latin1`,
    `${type},${type}`,
    `${type};charset`,
  ];
  const same = [`${type}; charset=utf-8`, type.toUpperCase(), `${type} ; charset="UTF-8" `];
  const given = [...others, ...near, ...same].map((one) => [one]);
  return fc
    .tuple(right, fc.constantFrom(...given, [], [type, type], [type, "text/plain"]))
    .map(([parts, types]): Draft => {
      const usual = draft("media type", parts);
      const [essence = ""] = (types[0] ?? "").toLowerCase().split(/[;,]/);
      const isDocumented = types.length === 1 && operation.body.has(essence.trim());
      const named = types.map((one): Header => ["Content-Type", one]);
      const headers = [...without(usual.headers, ["Content-Type"]), ...named];
      return { ...usual, headers, expected: isDocumented ? "documented" : 415 };
    });
};

const credentials: Family = ({ operation, knowledge, headersFor, right, draft }) => {
  if (operation.security.length === 0) return null;
  const change = fc.constantFrom<(value: string) => string[]>(
    () => [],
    () => [""],
    () => ["\x80\xff\xe9"],
    () => ["x".repeat(10_000)],
    (value) => [`${value}x`],
    (value) => [`x${value}`],
    (value) => [value.slice(1)],
    (value) => [value, value],
    (value) => [value, "x"],
    (value) => [`${value}, ${value}`],
  );
  return fc.tuple(right, fc.nat(), change).map(([parts, which, change]): Draft => {
    const usual = draft("credentials", parts);
    const own = headersFor(parts.way, knowledge.credentials);
    const [name, value] = own[which % own.length]!;
    const changed = change(value).map((text): Header => [name, text]);
    // Where who asks is what is asked, nobody is an answer, too.
    const expected = operation.method === "GET" && operation.answers.has(204) ? "documented" : 401;
    return { ...usual, headers: [...without(usual.headers, [name]), ...changed], expected };
  });
};

/** Partners with other limits, from the right address and from a wrong one. */
const others: Family = ({ operation, knowledge, headersFor, right, draft }) => {
  const isTheirs = (way: readonly string[]): boolean =>
    way.length > 0 && knowledge.others.every((other) => way.every((name) => name in other));
  const ways = operation.security.filter(isTheirs);
  if (ways.length === 0) return null;
  // Few, as it is their repetition that counts.
  const few = fc.constantFrom(...fc.sample(right, { numRuns: 4, seed: 2 }));
  const address = fc.constantFrom(null, "198.51.100.7", "203.0.113.9, 198.51.100.7", "198.51.100.7, unknown");
  return fc
    .tuple(few, fc.constantFrom(...ways), fc.constantFrom(...knowledge.others), address)
    .map(([parts, way, other, from]) => {
      const usual = anyAnswer(draft("another partner", { ...parts, way }));
      const own = headersFor(way, other);
      const forwarded: Header[] = from === null ? [] : [["X-Forwarded-For", from]];
      const names = own.map(([name]) => name);
      return { ...usual, headers: [...without(usual.headers, names), ...own, ...forwarded] };
    });
};

const parameters: Family = ({ operation, right, draft }) => {
  if (operation.parameters.length === 0) return null;
  const strange = fc.oneof(fc.constantFrom(...PARAMETER_TEXTS), anyText);
  const change = fc.constantFrom<(text: string, other: string) => string>(
    (_text, other) => other,
    (text, other) => text + other,
    (text, other) => other + text,
    (text) => String(Number(text) + 1),
    (text) => text.repeat(200),
  );
  return fc.tuple(right, fc.nat(), strange, change, fc.nat(3)).map(([parts, which, other, change, how]) => {
    const at = which % operation.parameters.length;
    const { in: place, schema } = operation.parameters[at]!;
    const old = valuesIn(parts.texts[at])[0] ?? "";
    const edges = edgesOf(old, schema);
    const changed =
      how === 0 ? edges[Math.floor(which / operation.parameters.length) % edges.length]! : change(old, other);
    // What can't stand in a header is another family's.
    const text = place === "header" ? changed.replace(/[^\x20-\x7e\x80-\xff]/g, "?").trim() : changed;
    const texts = parts.texts.map((own, index) => (index === at ? text : own));
    return draft("parameter", { ...parts, texts, known: place === "path" ? null : parts.known });
  });
};

/** The last texts that a schema takes and the first that it doesn't. */
function edgesOf(text: string, schema: Schema): string[] {
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  const numbers = [minimum, maximum].flatMap((edge) =>
    edge === undefined ? [] : [edge - 1, edge, edge + 1],
  );
  const longest = longestLike(text, schema);
  return [...numbers.map(String), longest, longest + (longest.at(-1) ?? "x")];
}

const targets: Family = ({ right, draft }) =>
  fc.tuple(right, fc.constantFrom(null, ...TARGET_PIECES), fc.nat()).map(([parts, piece, where]): Draft => {
    const usual = draft("target", parts);
    const target: Draft["target"] = (known) => {
      const text = usual.target(known);
      const at = where % (text.length + 1);
      const [inserted, next] = piece === null ? [everyByte(text.slice(at, at + 3)), at + 3] : [piece, at];
      return text.slice(0, at) + inserted + text.slice(next);
    };
    return { ...usual, target, alone: true, expected: "elsewhere" };
  });

const headers: Family = ({ operation, right, draft }) => {
  const documented = operation.parameters.flatMap(({ in: place, name }) =>
    place === "header" ? [name] : [],
  );
  const name = fc.constantFrom(...NAMES_OF_HEADERS, ...documented, ...documented);
  const octets = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  });
  const value = fc.oneof(
    fc.constantFrom(...HEADER_VALUES),
    octets.map((text) => text.replace(/[\r\n]/g, "")),
  );
  const added = fc.array(fc.tuple(name, value), { minLength: 1, maxLength: 2 });
  return fc.tuple(right, added, fc.boolean()).map(([parts, more, instead]) => {
    const usual = anyAnswer(draft("headers", parts));
    const names = more.map(([name]) => name);
    const kept = instead ? without(usual.headers, names) : usual.headers;
    return { ...usual, alone: true, headers: [...kept, ...more] };
  });
};

const FAMILIES: readonly (readonly [weight: number, Family])[] = [
  [5, valid],
  [1, repeated],
  [6, bodyValues],
  [4, bodyBytes],
  [1, framings],
  [2, mediaTypes],
  [2, credentials],
  [6, others],
  [3, parameters],
  [1, targets],
  [2, headers],
];

/** The target of a CONNECT is no path. */
const METHODS_OF_PATHS = METHODS.filter((name) => name !== "CONNECT");

/** Paths of the document with whatever method. */
function methods(kits: readonly Kit[], { operations }: ApiDocument): fc.Arbitrary<Draft> {
  const usual = fc.oneof(...kits.map(({ right, draft }) => right.map((parts) => draft("method", parts))));
  const method = fc.constantFrom(...METHODS_OF_PATHS, "FOO", "get", "G-T", "GET2");
  return fc.tuple(usual, method).map(([draft, method]): Draft => {
    // RFC 9110 section 9.3.2: a HEAD is answered like a GET.
    const documented = method === "HEAD" ? "GET" : method;
    const operation = operations.find(
      (one) => one.path === draft.operation.path && one.method === documented,
    );
    if (operation !== undefined) return { ...anyAnswer(draft), alone: true, method, operation };
    return { ...draft, alone: true, method, expected: METHODS_OF_PATHS.includes(method) ? 405 : "elsewhere" };
  });
}

function anyAnswer(draft: Draft): Draft {
  return { ...draft, expected: "documented" };
}

function without(headers: readonly Header[], names: readonly string[]): Header[] {
  const gone = new Set(names.map((name) => name.toLowerCase()));
  return headers.filter(([own]) => !gone.has(own.toLowerCase()));
}
