import assert from "node:assert/strict";
import { Compile } from "typebox/schema";
import type { ApiDocument, Documented, Operation, Schema } from "./document.ts";
import type { Draft, Expected } from "./draft.ts";
import type { Answer } from "./wire.ts";

const PROBLEM = "application/problem+json";
/** What is said of paths and methods that the document doesn't have. */
const NO_SUCH = new Set([404, 405]);
/** Of a request that is right, as its key may have been used before. */
const TAKEN_KEY = new Set([409, 422]);
const KEY = "Idempotency-Key";

/** Holds answers against the document. Made once, as it compiles the schemas that it needs. */
export function createAnswerCheck({ operations }: ApiDocument): (draft: Draft, answer: Answer) => void {
  const fits = createSchemaCheck();
  // A problem has one form, wherever it is told.
  const problem = operations
    .flatMap(({ answers }) => [...answers.values()])
    .find(({ content }) => content.has(PROBLEM))!;
  const noSuch: Documented = { ...problem, headers: new Map(), problems: new Set() };
  const methodsOf = (path: string) =>
    operations.filter((one) => one.path === path).map(({ method }) => method);

  function checkAs(operation: Operation, draft: Draft, answer: Answer): void {
    const { method, expected } = draft;
    const { status, headers, body } = answer;
    const isNoSuch = NO_SUCH.has(status) && (expected === "elsewhere" || expected === status);
    const documented = operation.answers.get(status) ?? (isNoSuch ? noSuch : undefined);
    assert.ok(
      documented !== undefined,
      `${status} is not documented for ${operation.method} ${operation.path}`,
    );
    const isTaken = TAKEN_KEY.has(status) && draft.headers.some(([name]) => name === KEY);
    const isRight = isExpected(status, expected) || (expected === "success" && isTaken);
    assert.ok(isRight, `${status} where ${expected} was expected`);

    checkHeaders(headers, documented, fits);
    if (status === 405 && expected === 405) checkAllow(headers, methodsOf(operation.path));
    if (status === 204) return assert.equal(body.length, 0, "a body where none belongs");
    const type = valuesOf(headers, "content-type").join().split(";")[0]!;
    const schema = documented.content.get(type);
    assert.ok(schema !== undefined, `${type} is not documented for ${status}`);
    if (method === "HEAD") return assert.equal(body.length, 0, "a body where none belongs");
    const text = new TextDecoder("utf8", { fatal: true }).decode(body);
    const value: unknown = type.endsWith("json") ? JSON.parse(text) : text;
    fits(schema, value, "the body");
    if (type === PROBLEM) checkProblem(value as { status: number; type: string }, status, documented);
  }

  return (draft, answer) => {
    // A changed target may have become another operation's.
    const others = operations.filter(
      ({ method }) => draft.expected === "elsewhere" && method === draft.method,
    );
    const failures = [draft.operation, ...others].map((operation) =>
      failureOf(() => checkAs(operation, draft, answer)),
    );
    if (!failures.includes(null)) throw failures[0];
  };
}

function failureOf(check: () => void): unknown {
  try {
    check();
    return null;
  } catch (error) {
    return error;
  }
}

function isExpected(status: number, expected: Expected): boolean {
  if (expected === "success") return status >= 200 && status < 300;
  if (expected === "refusal") return status >= 400 && status < 500;
  return typeof expected === "number" ? status === expected : status < 500;
}

type SchemaCheck = (schema: Schema, value: unknown, what: string) => void;

function createSchemaCheck(): SchemaCheck {
  const compiled = new Map<Schema, ReturnType<typeof Compile>>();
  return (schema, value, what) => {
    const checker = compiled.get(schema) ?? Compile(closed(schema) as Schema);
    compiled.set(schema, checker);
    assert.ok(checker.Check(value), `${what} is not as documented: ${JSON.stringify(checker.Errors(value))}`);
  };
}

/** The schema without room for members that it doesn't name: an answer shows nothing that isn't documented. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const inside = Object.fromEntries(Object.entries(schema).map(([name, one]) => [name, closed(one)]));
  const isOpen = !("properties" in inside) || "additionalProperties" in inside;
  return isOpen ? inside : { ...inside, additionalProperties: false };
}

function checkHeaders(headers: Answer["headers"], documented: Documented, fits: SchemaCheck): void {
  for (const [name, { required, schema }] of documented.headers) {
    const values = valuesOf(headers, name);
    assert.ok(values.length === 1 || (!required && values.length === 0), `${name}: ${values.length} of them`);
    for (const value of values) {
      const isNumber = schema["type"] === "integer" && /^[0-9]+$/.test(value);
      fits(schema, isNumber ? Number(value) : value, name);
    }
  }
  for (const value of valuesOf(headers, "retry-after")) assert.match(value, /^[1-9][0-9]*$/, "whole seconds");
}

function checkAllow(headers: Answer["headers"], methods: readonly string[]): void {
  const allowed = valuesOf(headers, "allow").flatMap((value) => value.split(", "));
  const own = methods.includes("GET") ? [...methods, "HEAD"] : methods;
  assert.deepEqual(allowed.toSorted(), own.toSorted(), "Allow");
}

/** RFC 9457, and of the kinds that the document shows for the status. */
function checkProblem(
  problem: { status: number; type: string },
  status: number,
  { problems }: Documented,
): void {
  assert.equal(problem.status, status, "the problem's status");
  const isShown = problems.size === 0 || problems.has(problem.type);
  assert.ok(isShown, `${problem.type} is not among the examples of ${status}`);
}

function valuesOf(headers: Answer["headers"], name: string): string[] {
  return headers.filter(([own]) => own === name).map(([, value]) => value);
}
