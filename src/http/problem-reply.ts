import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import type { FastifyReply } from "fastify";
import type { InputProblem } from "../orders/order-input.ts";

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** How every `detail` of the kind begins: where the seed gives words, exactly those. */
  readonly detail: string;
}

/** Every answer that is no success (SPEC section 3): RFC 9457's `type` is `urn:wavegate:problem:<name>`. */
export const PROBLEMS = {
  "bad-request": { status: 400, title: "Bad request", detail: "the request is malformed" },
  "invalid-json": { status: 400, title: "Invalid JSON", detail: "the body is not acceptable JSON" },
  "invalid-order": { status: 400, title: "Invalid order", detail: "the body is not a valid order" },
  "invalid-body": { status: 400, title: "Invalid body", detail: "the body is not valid" },
  "invalid-idempotency-key": {
    status: 400,
    title: "Invalid Idempotency-Key",
    detail: "Idempotency-Key must be given once, as 1 to 255 visible ASCII characters",
  },
  "invalid-callback-url": {
    status: 400,
    title: "Invalid callback_url",
    detail: "callback_url must be https/port 443/public",
  },
  "invalid-query": { status: 400, title: "Invalid query", detail: "the query parameters are not valid" },
  "invalid-partner": { status: 401, title: "Invalid partner", detail: "invalid partner" },
  "session-ended": {
    status: 401,
    title: "Session ended",
    detail: "nobody is signed in by this cookie any more: sign in again",
  },
  "source-not-allowed": { status: 403, title: "Source not allowed", detail: "source IP not allowlisted" },
  "operator-needed": {
    status: 403,
    title: "Operator needed",
    detail: "this token's operator may look but not act: role operator is needed",
  },
  "foreign-origin": {
    status: 403,
    title: "Foreign origin",
    detail: "what signs in, or comes by a session's cookie, has to be sent by a page of this gateway",
  },
  "https-needed": {
    status: 403,
    title: "HTTPS needed",
    detail: "signing in needs https: open the console by https, or in a browser on the gateway's own host",
  },
  "development-only": {
    status: 403,
    title: "Development server",
    detail: "this development server answers direct requests to localhost alone",
  },
  "not-found": { status: 404, title: "Not found", detail: "not found" },
  "method-not-allowed": { status: 405, title: "Method not allowed", detail: "method not allowed" },
  "request-timeout": { status: 408, title: "Request timeout", detail: "the request came too slowly" },
  "key-undecided": {
    status: 409,
    title: "Idempotency-Key in use",
    detail: "another request with this Idempotency-Key has not been decided yet",
  },
  "order-repeated": {
    status: 409,
    title: "Repeated order",
    detail: "external_order_id has an order already, and this partner refuses repeats",
  },
  "not-possible": {
    status: 409,
    title: "Not possible",
    detail: "this can't be done as things stand",
  },
  "body-too-large": { status: 413, title: "Body too large", detail: "the body is larger than 256 KiB" },
  "unsupported-media-type": {
    status: 415,
    title: "Unsupported media type",
    detail: "the body must be application/json in UTF-8, without a content encoding",
  },
  "key-reused": {
    status: 422,
    title: "Idempotency-Key reused",
    detail: "this Idempotency-Key was used with another payload",
  },
  "rate-limited": { status: 429, title: "Rate limited", detail: "rate limited" },
  "headers-too-large": { status: 431, title: "Headers too large", detail: "the headers are too large" },
  "internal-error": { status: 500, title: "Internal error", detail: "the gateway made a mistake" },
  unavailable: {
    status: 503,
    title: "Unavailable",
    detail: "the gateway can't take the request at the moment",
  },
} as const satisfies Record<string, ProblemKind>;
export type ProblemName = keyof typeof PROBLEMS;

export interface ProblemMore {
  /** Follows the kind's own words, after a colon: what to do next. Never what a driver said. */
  readonly hint?: string;
  readonly errors?: readonly InputProblem[];
  /** For operators' record of what was refused, where the answer has to say less. */
  readonly record?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the answer. */
  readonly members?: Readonly<Record<string, string | number>>;
}

/** An expected failure, thrown from wherever it is noticed and answered in one place. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly kind: ProblemName;
  readonly more: ProblemMore;
  constructor(kind: ProblemName, more: ProblemMore = {}) {
    super(kind);
    this.kind = kind;
    this.more = more;
  }
}

/** The members of an answer in `application/problem+json` (RFC 9457). */
export function problemBody({ kind, more }: Problem): Record<string, unknown> {
  const { status, title, detail } = PROBLEMS[kind];
  return {
    type: `urn:wavegate:problem:${kind}`,
    title,
    status,
    detail: more.hint === undefined ? detail : `${detail}: ${more.hint}`,
    ...more.members,
    ...(more.errors === undefined ? {} : { errors: more.errors }),
  };
}

/** How long the rest of a body is read and thrown away after the answer. */
const LINGER_MS = 2000;

/**
 * Answers a request.
 *
 * @param unread its rest is not worth reading for an answer that is given already, and the connection is closed: but not at
 *   once, as a peer that is still sending would be reset (RFC 9112 section 9.6), and a proxy make a 502 of it
 */
export function sendProblem(reply: FastifyReply, problem: Problem, unread: IncomingMessage | null): void {
  // As bytes: to a text Fastify would add a charset, which the media type doesn't have.
  const body = Buffer.from(JSON.stringify(problemBody(problem)));
  void reply
    .code(PROBLEMS[problem.kind].status)
    .headers(problem.more.headers ?? {})
    .type("application/problem+json");
  if (unread === null) void reply.send(body);
  else {
    void reply
      .headers({ connection: "close", "content-length": body.length })
      .send(Readable.from(lingering(body, unread)));
  }
}

async function* lingering(body: Buffer, unread: IncomingMessage): AsyncGenerator<Buffer> {
  yield body;
  unread.resume();
  await finished(unread, { signal: AbortSignal.timeout(LINGER_MS) }).catch(() => {});
}
