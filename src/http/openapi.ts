import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { type TSchema, Type } from "typebox";
import packageJson from "../../package.json" with { type: "json" };
import { Problem, problemBody, PROBLEMS, type ProblemName } from "./problem-reply.ts";

const ProblemBody = Type.Object(
  {
    type: Type.String({ format: "uri", description: "urn:wavegate:problem:<name>" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: "a JSON Pointer (RFC 6901) into the body or the query" }),
          detail: Type.String(),
        }),
        { maxItems: 20 },
      ),
    ),
    order_id: Type.Optional(Type.Integer({ description: "the order that a refusal is about" })),
    order_status: Type.Optional(
      Type.String({ description: "where that order stands, if it can't be acted on" }),
    ),
    error_reference: Type.Optional(
      Type.String({ description: "names the log line that has the cause of a 5xx" }),
    ),
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);

/** Schemas that several answers share. */
export const SHARED_SCHEMAS: readonly TSchema[] = [ProblemBody];

/** Who may call an operation. */
export const PARTNER_SECURITY = { partnerId: [], partnerToken: [] } as const;
export const OPERATOR_SECURITY = { operatorToken: [] } as const;

/** What every operation may answer besides its own. */
const EVERYWHERE: readonly ProblemName[] = [
  "bad-request",
  "development-only",
  "request-timeout",
  "headers-too-large",
  "internal-error",
  "unavailable",
];
const RETRIED: ReadonlySet<ProblemName> = new Set(["rate-limited", "key-undecided", "unavailable"]);
export const RetryAfter = Type.Integer({
  minimum: 1,
  description: "whole seconds until it is worth another try",
});

const Challenge = Type.String({ description: "a Bearer challenge (RFC 9110): operators' way in" });

/** The answers of `names` in OpenAPI's words, by status. */
export function problemResponses(...names: ProblemName[]): Record<number, object> {
  const byStatus = Map.groupBy([...names, ...EVERYWHERE], (name) => PROBLEMS[name].status);
  const responses = [...byStatus].map(([status, kinds]) => [
    status,
    {
      description: kinds.map((kind) => PROBLEMS[kind].title).join("; "),
      headers: {
        ...(kinds.some((kind) => RETRIED.has(kind)) && {
          "Retry-After": kinds.every((kind) => RETRIED.has(kind)) ? always(RetryAfter) : RetryAfter,
        }),
        ...(status === 401 && { "WWW-Authenticate": always(Challenge) }),
      },
      content: {
        "application/problem+json": {
          schema: { $ref: "Problem#" },
          examples: Object.fromEntries(
            kinds.map((kind) => [kind, { value: problemBody(new Problem(kind)) }]),
          ),
        },
      },
    },
  ]);
  return Object.fromEntries(responses) as Record<number, object>;
}

const ALWAYS = "x-always";

/** Of an answer's header: no answer of its status goes without. */
export function always<T extends TSchema>(header: T): T {
  return { ...header, [ALWAYS]: true };
}

/** Fastify's swagger takes a header for its schema alone; whether it is required stands beside that. */
function requireHeaders(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const { schema } = value as { schema?: Record<string, unknown> };
  if (schema?.[ALWAYS] === true) {
    delete schema[ALWAYS];
    Object.assign(value, { required: true });
  }
  for (const inner of Object.values(value)) requireHeaders(inner);
}

/** A successful answer in JSON. */
export function jsonResponse(description: string, schema: object, headers?: Record<string, TSchema>): object {
  return { description, ...(headers && { headers }), content: { "application/json": { schema } } };
}

export const SWAGGER_OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "WaveGate",
      version: packageJson.version,
      description:
        "Accepts orders from OTA partners, has them ticketed, and tells the partner by a signed callback. " +
        "Errors are RFC 9457 problem details.",
    },
    components: {
      securitySchemes: {
        partnerId: { type: "apiKey", in: "header", name: "X-Partner-Id" },
        partnerToken: { type: "apiKey", in: "header", name: "X-Partner-Token" },
        operatorToken: { type: "http", scheme: "bearer", description: "sees every partner's orders" },
      },
    },
    tags: [
      { name: "orders", description: "orders and how they fare" },
      { name: "admin", description: "for operators: what became of every order, and what can be done" },
      { name: "service", description: "the gateway itself" },
    ],
  },
  convertConstToEnum: false,
  transformObject(document) {
    if (!("openapiObject" in document)) throw new TypeError("not an OpenAPI document");
    requireHeaders(document.openapiObject.paths);
    return document.openapiObject;
  },
  refResolver: {
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json["$id"] === "string" ? json["$id"] : `schema-${index}`,
  },
};
