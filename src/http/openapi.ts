import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { type TSchema, Type } from "typebox";
import packageJson from "../../package.json" with { type: "json" };
import { addExamples } from "./openapi-examples.ts";
import { Problem, problemBody, type ProblemMore, PROBLEMS, type ProblemName } from "./problem-reply.ts";
import { SECURE_COOKIE } from "./session-cookie.ts";
import { describeWebhooks } from "./webhooks.ts";

const ProblemBody = Type.Object(
  {
    type: Type.String({ format: "uri", description: "urn:wavegate:problem:<name>" }),
    title: Type.String({ description: "the kind of problem in words" }),
    status: Type.Integer({ description: "the HTTP status" }),
    detail: Type.String({
      description: "what is wrong with this request; it may be reworded after its first words",
    }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: "a JSON Pointer (RFC 6901) into the body or the query" }),
          detail: Type.String({ description: "what has to be there" }),
        }),
        { maxItems: 20, description: "the places that are wrong" },
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
export const SESSION_SECURITY = { operatorSession: [] } as const;

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
  examples: [1],
});

const Challenge = Type.String({
  description: "a Bearer challenge (RFC 9110): operators' way in",
  examples: ['Bearer realm="WaveGate operators"'],
});

const REFERENCE = "6f9619ff-8b86-4d01-b42d-00c04fc964ff";

/** What the examples of problems say beyond the words that all of their kind have. */
const MORE: Partial<Record<ProblemName, ProblemMore>> = {
  "bad-request": { hint: "it needs one Host header" },
  "invalid-json": { errors: [{ pointer: "/buyer/name", detail: "this name appears twice in one object" }] },
  "invalid-order": {
    errors: [
      { pointer: "/items/0/qty", detail: "must be a whole number from 1 to 10000, written as plain digits" },
      { pointer: "/external_order_id", detail: "is required" },
    ],
  },
  "invalid-body": {
    errors: [{ pointer: "/reason", detail: "must be why, for the record: 1 to 500 characters on one line" }],
  },
  "invalid-callback-url": {
    hint: "the scheme must be https",
    errors: [{ pointer: "/callback_url", detail: "the scheme must be https" }],
  },
  "invalid-query": { errors: [{ pointer: "/limit", detail: "must be a whole number from 1 to 200" }] },
  "not-found": { hint: "there is no such order" },
  "order-repeated": { hint: "order 123", members: { order_id: 123 } },
  "not-possible": {
    hint: "order 123 is ota_callback_delivered, from where it can't be cancelled any more",
    members: { order_id: 123, order_status: "ota_callback_delivered" },
  },
  "rate-limited": { hint: "try again in 1 s" },
  "internal-error": {
    hint: `tell the operator error_reference ${REFERENCE}`,
    members: { error_reference: REFERENCE },
  },
  unavailable: { hint: "nothing was accepted", members: { error_reference: REFERENCE } },
};

/** How problems are told in OpenAPI's words, each with an example. */
export function problemContent(kinds: readonly ProblemName[]): Record<string, object> {
  const examples = kinds.map((kind) => [
    kind,
    { summary: PROBLEMS[kind].title, value: problemBody(new Problem(kind, MORE[kind])) },
  ]);
  return {
    "application/problem+json": {
      schema: { $ref: "Problem#" },
      examples: Object.fromEntries(examples) as object,
    },
  };
}

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
      content: problemContent(kinds),
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

/**
 * A successful answer in JSON.
 * @param examples by name, where more is to be seen than the one that the schema's own parts make
 */
export function jsonResponse(
  description: string,
  schema: object,
  headers?: Record<string, TSchema>,
  examples?: Record<string, { summary: string; value: unknown }>,
): object {
  const content = { "application/json": { schema, ...(examples && { examples }) } };
  return { description, ...(headers && { headers }), content };
}

const DESCRIPTION = `WaveGate accepts orders from OTA partners, has them ticketed, and tells the partner by a signed callback. An \
order that was answered with \`201\` is stored durably: it is never lost, and always explainable by its \`trace_id\`.

**Access.** A partner sends \`X-Partner-Id\` and \`X-Partner-Token\` with every request, from an address that the operator has \
allowed. Operators send \`Authorization: Bearer <token>\`; in a browser they sign in with it.

**Repeats.** Send an \`Idempotency-Key\` of your own with every order. When no answer comes, or \`409\`, \`429\` or \`503\`, send the \
same request with the same key again: the first \`201\` comes back, and there is one order. A key lives as long as its order. \
Without a key a repeat is a second order.

**What became of an order** you learn by the callback (under *callbacks* here, \`webhooks\` to programs), by the answer itself (\`POST /orders?wait=20\`), or by \
asking (\`GET /orders/{id}\`). Verify a callback's signature, answer it with \`2xx\` within ten seconds, and do nothing twice for one \
\`webhook-id\`. What isn't answered with \`2xx\` is sent again, with the same bytes: 15 attempts in five minutes, at 0, 2, 6, 12, \
20, 30, 45, 65, 90, 120, 155, 195, 235, 270 and 300 seconds, unless the operator has set others.

**Errors** are \`application/problem+json\` (RFC 9457). Go by \`status\` and \`type\`; \`detail\` is for people. A path or a method \
that isn't described here is \`404\` or \`405\`.

**Limits.** Each partner has a bucket of tokens for \`POST /orders\`, and one ten times as large for reads; an empty one is \`429\` \
with \`Retry-After\`. A body has at most 256 KiB and 500 items.

**Changes.** Fields, events and problem types may be added: pass over what you don't know. What is described here is not taken away.`;

export const SWAGGER_OPTIONS: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "WaveGate",
      version: packageJson.version,
      summary: "Orders from OTA partners, ticketed and told by signed callbacks",
      description: DESCRIPTION,
    },
    servers: [{ url: ".", description: "the gateway that this document comes from" }],
    components: {
      securitySchemes: {
        partnerId: {
          type: "apiKey",
          in: "header",
          name: "X-Partner-Id",
          description: "The partner's id, as the operator has given it. Goes with `X-Partner-Token`.",
        },
        partnerToken: {
          type: "apiKey",
          in: "header",
          name: "X-Partner-Token",
          description:
            "The partner's token, which the operator has shown once. While it is being replaced, the old one holds too.",
        },
        operatorToken: {
          type: "http",
          scheme: "bearer",
          description:
            "An operator's token: sees every partner's orders. A `viewer` reads; acting, buyers' data and ticket codes in " +
            "bulk need an `operator`.",
        },
        operatorSession: {
          type: "apiKey",
          in: "cookie",
          name: SECURE_COOKIE,
          description:
            "An operator's session in a browser, which `POST /admin/session` begins, and any answer may replace " +
            "(`Set-Cookie`); `wavegate-session` on the gateway's own host without TLS. Only pages of the gateway may send " +
            "it; `X-WaveGate-Background: 1` says that nobody has done anything, so that the request doesn't prolong it.",
        },
      },
    },
    tags: [
      { name: "orders", description: "For partners: orders, and how they fare." },
      { name: "callbacks", description: "What the gateway sends to the `callback_url` of an order." },
      {
        name: "admin",
        description:
          "For operators: what became of every order, and what can be done. Every act is on record.",
      },
      { name: "service", description: "The gateway itself: probes, and this description." },
    ],
  },
  // Else the URLs of servers, of which ours is relative, would be read as absolute ones.
  stripBasePath: false,
  convertConstToEnum: false,
  transformObject(document) {
    if (!("openapiObject" in document)) throw new TypeError("not an OpenAPI document");
    const { openapiObject } = document;
    requireHeaders(openapiObject.paths);
    addExamples(openapiObject.paths);
    Object.assign(openapiObject, { webhooks: describeWebhooks() });
    return openapiObject;
  },
  refResolver: {
    buildLocalReference: (json, _baseUri, _fragment, index) =>
      typeof json["$id"] === "string" ? json["$id"] : `schema-${index}`,
  },
};
