import { OPERATOR_SECURITY, problemResponses, SESSION_SECURITY } from "./openapi.ts";
import type { ProblemName } from "./problem-reply.ts";

interface AdminOperation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: object;
  readonly querystring?: object;
  readonly body?: object;
  readonly headers?: object;
  readonly consumes?: readonly string[];
  /** Successful answers by status: see `jsonResponse`. */
  readonly answers: Readonly<Record<number, object>>;
  /** Refusals beside those that every operation of operators has. */
  readonly problems?: readonly ProblemName[];
}

const DOOR: readonly ProblemName[] = [
  "invalid-partner",
  "session-ended",
  "operator-needed",
  "foreign-origin",
];

/** What a route of operators says of itself. */
export function adminSchema({ answers, problems = [], ...operation }: AdminOperation): object {
  return {
    ...operation,
    tags: ["admin"],
    security: [OPERATOR_SECURITY, SESSION_SECURITY],
    response: { ...answers, ...problemResponses(...DOOR, ...problems) },
  };
}
