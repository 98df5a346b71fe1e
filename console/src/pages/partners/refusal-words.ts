import type { ProblemName } from "../../../../src/http/problem-reply.ts";
import type { AuthEvent, Rejection } from "../../api/types.ts";

/** What went wrong, and what its sender has to do about it. */
export interface RefusalWords {
  readonly what: string;
  readonly advice: string;
}

/** Why somebody wasn't let in. */
export const DOOR: Record<AuthEvent["reason"], RefusalWords> = {
  missing_credentials: {
    what: "No credentials",
    advice: "It has to send X-Partner-Id and X-Partner-Token, each once.",
  },
  unknown_partner: {
    what: "Unknown partner",
    advice: "X-Partner-Id has to be an id that was given out here.",
  },
  wrong_token: {
    what: "Wrong token",
    advice: "It has to send its present token: this one is mistyped, replaced, or another system's.",
  },
  disabled: {
    what: "Partner disabled",
    advice: "Nothing that it sends is taken until somebody enables it here.",
  },
  ip_not_allowed: {
    what: "Address not allowed",
    advice: "It has to send from an address of its allowlist, or the list has to be made wider here.",
  },
};

/** Why an order was refused, by the name of the problem. */
const ORDER = {
  "bad-request": {
    what: "Malformed request",
    advice: "It has to send well-formed HTTP, with each header once.",
  },
  "invalid-json": {
    what: "Not acceptable JSON",
    advice: "The body has to be one JSON object in UTF-8, with each name once.",
  },
  "invalid-order": {
    what: "Not a valid order",
    advice: "It has to correct what is named here, and may send it with the same Idempotency-Key.",
  },
  "invalid-idempotency-key": {
    what: "Idempotency-Key not valid",
    advice: "It has to send the header once, as 1 to 255 visible ASCII characters, or not at all.",
  },
  "invalid-callback-url": {
    what: "callback_url not allowed",
    advice: "It has to name a public https address on port 443, at a host that is allowed.",
  },
  "invalid-partner": {
    what: "Not let in",
    advice: "It has to send the id and the present token of an enabled partner.",
  },
  "source-not-allowed": DOOR.ip_not_allowed,
  "development-only": {
    what: "Development server",
    advice: "It has to send its orders to the real gateway: this one takes them from its own host alone.",
  },
  "key-undecided": {
    what: "Idempotency-Key in use",
    advice: "It has to send the same request again in a moment: the first is not decided yet.",
  },
  "key-reused": {
    what: "Idempotency-Key reused",
    advice: "A new order needs a new key; the same order has to be sent with the same payload.",
  },
  "order-repeated": {
    what: "Repeated order",
    advice: "It has used this external id before, and is set up so that it may not.",
  },
  "rate-limited": {
    what: "Too many at once",
    advice: "It has to send more slowly, and to wait for as long as Retry-After says.",
  },
} satisfies Partial<Record<ProblemName, RefusalWords>>;

/** In place of what would tell nothing: a problem that these words don't know yet. */
const OTHER = "It has to do as the answer said.";

export function wordsOfRejection({ problem, reason }: Pick<Rejection, "problem" | "reason">): RefusalWords {
  return wordsAtDoor(reason) ?? (isKnown(problem) ? ORDER[problem] : { what: problem, advice: OTHER });
}

/** What the record says beyond the problem itself: which fields, and how; null: nothing. */
export function detailOf({ problem, reason }: Pick<Rejection, "problem" | "reason">): string | null {
  if (wordsAtDoor(reason) !== null) return null;
  if (!isKnown(problem)) return reason;
  const [, ...fields] = reason.split("; ");
  if (fields.length > 0) return fields.join("; ");
  // The problem's own words come first, and what is particular after a colon.
  const [, ...hint] = reason.split(": ");
  if (hint.length > 0) return hint.join(": ");
  return reason.startsWith("more than") ? reason : null;
}

function wordsAtDoor(reason: string): RefusalWords | null {
  return Object.hasOwn(DOOR, reason) ? DOOR[reason as AuthEvent["reason"]] : null;
}

function isKnown(problem: string): problem is keyof typeof ORDER {
  return Object.hasOwn(ORDER, problem);
}
