import { randomUUID } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Overloaded } from "../lib/combiner.ts";
import type { Log } from "../observe/log.ts";
import { DatabaseUnavailable, RowLocked } from "../storage/database.ts";
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

/**
 * Answers whatever was thrown while a request was served. What nobody expected is answered by a reference that stands
 * also in the log, and by nothing else.
 */
export function createErrorHandler(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = expectedProblem(error) ?? new Problem("internal-error", reference());
    const { status } = PROBLEMS[problem.kind];
    if (status >= 500) {
      const event = {
        event: "http.failed",
        method: request.method,
        route: request.routeOptions.url,
        status,
        error_reference: problem.more.members?.["error_reference"],
        err: error,
      };
      if (status === 500) log.error(event);
      else log.warn(event);
    }
    // The rest of a large body is not worth reading for an answer that is given already.
    if (hasLargeBody(request)) void reply.header("connection", "close");
    sendProblem(reply, problem);
  };
}

function expectedProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof DatabaseUnavailable || error instanceof Overloaded || error instanceof RowLocked) {
    return new Problem("unavailable", { headers: { "retry-after": "1" } });
  }
  if (!(error instanceof Error)) return null;
  const { code, statusCode } = error as Error & { code?: string; statusCode?: number };
  const known = FASTIFY_ERRORS[code ?? ""];
  if (known) return new Problem(known);
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? new Problem("bad-request")
    : null;
}

function reference() {
  const id = randomUUID();
  return { hint: `tell the operator error_reference ${id}`, members: { error_reference: id } };
}

function hasLargeBody({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false;
  return "transfer-encoding" in raw.headers || Number(raw.headers["content-length"]) > BODY_LIMIT_BYTES;
}
