import type { Leg } from "./states.ts";

/**
 * Why an answer is missing, not whole or not understood (SPEC section 4); `lost`: the process that made the attempt died;
 * `mapping`: the mapping failed, without a code before anything was sent, else on the answer.
 */
export const ATTEMPT_ERRORS = [
  "dns",
  "connect",
  "tls",
  "timeout",
  "reset",
  "protocol",
  "too_large",
  "guard",
  "lost",
  "mapping",
] as const;
export type AttemptError = (typeof ATTEMPT_ERRORS)[number];

/** What an attempt brought, as far as its outcome depends on it. */
export interface AttemptResult {
  /** The status code, if a status line arrived. */
  readonly code: number | null;
  /** Null when the whole answer arrived. */
  readonly error: AttemptError | null;
  /** False only when it is certain that no byte of the request left. */
  readonly sent: boolean;
}

/**
 * A step's verdict on its attempt. `unknown`: ticketing may or may not have acted, so that a person has to
 * decide (`TICKETING_ON_UNKNOWN=hold`).
 */
export type Outcome = "done" | "retry" | "blocked" | "unknown";

/**
 * The classification of SPEC section 4: `2xx` is done, `4xx` but `429` and a refusal by the guard block,
 * everything else is tried again.
 *
 * A callback is judged by its status line alone. Ticketing's 2xx counts only when its answer arrived whole:
 * otherwise the outcome is unknown, unless the answer was too large to take, which would be so each time.
 */
export function classify(leg: Leg, result: AttemptResult, onUnknown: "retry" | "hold"): Outcome {
  const { code, error, sent } = result;
  if (error === "guard") return "blocked";
  if (code !== null && code >= 400 && code < 500 && code !== 429) return "blocked";
  const success = code !== null && code >= 200 && code < 300;
  if (leg === "callback") return success ? "done" : "retry";
  if (error === null) return success ? "done" : "retry";
  if (error === "too_large") return success ? "blocked" : "retry";
  return sent && onUnknown === "hold" ? "unknown" : "retry";
}
