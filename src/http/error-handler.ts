import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Overloaded } from "../lib/combiner.ts";
import type { Log } from "../observe/log.ts";
import { CommitUnknown, DatabaseUnavailable, RowLocked } from "../storage/database.ts";
import { BODY_LIMIT_BYTES } from "./json-body.ts";
import { Problem, PROBLEMS, type ProblemName, sendProblem } from "./problem-reply.ts";

/** Fastify's own refusals, as far as they have a problem of their own. */
const FASTIFY_ERRORS: Readonly<Record<string, ProblemName>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported-media-type",
  // A path that can't be decoded or has an overlong id is the address of nothing.
  FST_ERR_BAD_URL: "not-found",
  FST_ERR_MAX_PARAM_LENGTH: "not-found",
};

/** For so long, failures with the same words share their reference and its line in the log: an outage fails thousands. */
const SHARED_MS = 1000;
const MAX_SHARED = 100;

/**
 * Answers whatever was thrown while a request was served. What is the gateway's fault is answered by a reference that
 * stands also in the log, beside the cause, and the cause stays there.
 */
export function createErrorHandler(log: Log) {
  const references = new Map<string, string>();
  let since = -Infinity;

  function referenceFor(error: unknown, request: FastifyRequest, status: number): string {
    const { method, routeOptions } = request;
    const now = performance.now();
    if (now - since > SHARED_MS || references.size >= MAX_SHARED) {
      references.clear();
      since = now;
    }
    const words = JSON.stringify([method, routeOptions.url, error instanceof Error ? error.message : ""]);
    const known = references.get(words);
    if (known !== undefined) return known;
    const reference = randomUUID();
    references.set(words, reference);
    const event = {
      event: "http.failed",
      method,
      route: routeOptions.url,
      status,
      error_reference: reference,
    };
    if (status === 500) log.error({ ...event, err: error });
    else log.warn({ ...event, err: error });
    return reference;
  }

  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const known = expectedProblem(error) ?? new Problem("internal-error");
    const { status } = PROBLEMS[known.kind];
    const problem = status < 500 ? known : withReference(known, referenceFor(error, request, status));
    sendProblem(reply, problem, hasLargeBody(request) ? request.raw : null);
  };
}

function expectedProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnavailable || error instanceof Overloaded || error instanceof RowLocked) {
    const isUnknown = error instanceof CommitUnknown;
    const hint = isUnknown ? "send it again with its Idempotency-Key" : "nothing was accepted";
    return new Problem("unavailable", { hint, headers: { "retry-after": "1" } });
  }
  if (!(error instanceof Error)) return null;
  const { code, statusCode } = error as Error & { code?: string; statusCode?: number };
  const known = FASTIFY_ERRORS[code ?? ""];
  if (known) return new Problem(known);
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? new Problem("bad-request")
    : null;
}

function withReference({ kind, more }: Problem, reference: string): Problem {
  const { hint = `tell the operator error_reference ${reference}` } = more;
  return new Problem(kind, { ...more, hint, members: { error_reference: reference } });
}

function hasLargeBody({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false;
  return "transfer-encoding" in raw.headers || Number(raw.headers["content-length"]) > BODY_LIMIT_BYTES;
}
