import type { AttemptError } from "../../src/orders/outcome.ts";
import type { Leg } from "../../src/orders/states.ts";

/** What the other side may do to an attempt. */
export const ANSWERS = {
  "200": { code: 200, error: null, sent: true, retryAfterMs: null },
  "200 cut short": { code: 200, error: "reset", sent: true, retryAfterMs: null },
  "500": { code: 500, error: null, sent: true, retryAfterMs: null },
  "503, in 5 s": { code: 503, error: null, sent: true, retryAfterMs: 5_000 },
  "429, in a day": { code: 429, error: null, sent: true, retryAfterMs: 86_400_000 },
  "422": { code: 422, error: null, sent: true, retryAfterMs: null },
  "401": { code: 401, error: null, sent: true, retryAfterMs: null },
  timeout: { code: null, error: "timeout", sent: true, retryAfterMs: null },
  refused: { code: null, error: "connect", sent: false, retryAfterMs: null },
  guard: { code: null, error: "guard", sent: false, retryAfterMs: null },
} as const satisfies Record<
  string,
  { code: number | null; error: AttemptError | null; sent: boolean; retryAfterMs: number | null }
>;
export type AnswerName = keyof typeof ANSWERS;

/** What SPEC section 4 makes of an answer. */
export type Judged = "done" | "retry" | "blocked" | "unknown";
/** What it says of the target: null, when it says nothing. */
export type Health = "failing" | "working" | null;

/** The outcome table, written down by hand: the model doesn't ask the code that it judges. */
const TABLE: Record<AnswerName, Record<Leg, readonly [Judged, Health]>> = {
  "200": { ticketing: ["done", "working"], callback: ["done", "working"] },
  "200 cut short": { ticketing: ["unknown", "failing"], callback: ["done", "working"] },
  "500": { ticketing: ["retry", "failing"], callback: ["retry", "failing"] },
  "503, in 5 s": { ticketing: ["retry", "failing"], callback: ["retry", "failing"] },
  "429, in a day": { ticketing: ["retry", "failing"], callback: ["retry", "failing"] },
  "422": { ticketing: ["blocked", "working"], callback: ["blocked", "working"] },
  "401": { ticketing: ["blocked", "failing"], callback: ["blocked", "working"] },
  timeout: { ticketing: ["unknown", "failing"], callback: ["retry", "failing"] },
  refused: { ticketing: ["retry", "failing"], callback: ["retry", "failing"] },
  guard: { ticketing: ["blocked", null], callback: ["blocked", null] },
};

/** `hold`: `TICKETING_ON_UNKNOWN=hold`. */
export function judge(leg: Leg, answer: AnswerName, hold: boolean): { outcome: Judged; health: Health } {
  const [outcome, health] = TABLE[answer][leg];
  return { outcome: outcome === "unknown" && !hold ? "retry" : outcome, health };
}

/** Attempts after which nobody knows whether ticketing has acted. */
export const IN_DOUBT: ReadonlySet<AttemptError | null> = new Set(["timeout", "reset", "lost"]);
