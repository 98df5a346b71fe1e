import type { AttemptError, Outcome } from "./outcome.ts";
import type { Leg } from "./states.ts";

/**
 * What an attempt says of its target, apart from the order: `failing`, when other orders would have fared the same;
 * `working`, when it answered as it should, also with a refusal of the order; null, when it says nothing.
 */
export type TargetHealth = "failing" | "working" | null;

const MISCONFIGURED = new Set([401, 403, 404, 405]);

/** Ticketing's answers to credentials gone bad or an endpoint that has moved: no order is at fault. */
export function isMisconfigured(code: number | null): boolean {
  return code !== null && MISCONFIGURED.has(code);
}

/** Failures that are nobody's but ours. */
const SAYS_NOTHING = new Set<AttemptError | null>(["guard", "lost", "mapping"]);

export function targetHealth(
  leg: Leg,
  result: { readonly code: number | null; readonly error: AttemptError | null },
  outcome: Outcome,
): TargetHealth {
  if (SAYS_NOTHING.has(result.error)) return null;
  if (outcome === "retry" || outcome === "unknown") return "failing";
  if (outcome === "blocked" && leg === "ticketing" && isMisconfigured(result.code)) return "failing";
  return "working";
}
