import { clauseOf } from "../../../../src/orders/verdict-words.ts";
import type { ErrorGroup } from "../../api/types.ts";

/** What a status says, in words. */
const CODES: Readonly<Record<number, string>> = {
  400: "it can't make sense of the request",
  401: "it doesn't know our credentials",
  403: "we may not do that",
  404: "it knows no such thing",
  405: "not in this way",
  408: "the request took too long",
  409: "it stands against something that is there",
  410: "it is gone for good",
  413: "too large",
  422: "it refuses the content",
  429: "too many requests",
  500: "it broke",
  502: "a proxy got no answer from what is behind it",
  503: "not available at the moment",
  504: "a proxy got no answer in time",
};

/** `Ticketing answered 503`, `The name of the partner could not be resolved`. */
export function titleOf({ leg, code, error }: ErrorGroup): string {
  const clause = clauseOf(leg === "ticketing" ? "ticketing" : "the partner", { code, error });
  return clause.charAt(0).toUpperCase() + clause.slice(1);
}

/** What an answer's status means; null where the title says all. */
export function meaningOf({ code, error }: ErrorGroup): string | null {
  if (code === null || error !== null) return null;
  if (code >= 300 && code < 400) return "redirects are not followed";
  return CODES[code] ?? null;
}

const ITS_OWN_WAY = "What waits is tried again by itself. What needs attention has used up its attempts:";

/** What can be done about a group, for whoever sees such a one for the first time. */
export function adviceOf({ leg, code, error }: ErrorGroup): string {
  if (error === "mapping") return "Mend the mapping (TICKETING_MAPPING), restart the workers, then retry.";
  if (error === "guard") {
    return (
      "The address is not allowed, by the gateway's rules or the partner's. Where it should be, change the partner's settings " +
      "or the rules, then retry."
    );
  }
  if (code !== null && code >= 400 && code < 500 && code !== 429) return refusedAdvice(leg, code);
  if (leg === "callback")
    return `${ITS_OWN_WAY} tell the partner what its endpoint answers, and retry when it is well.`;
  if (error === "timeout" || error === "reset" || error === "lost" || error === "protocol") {
    return (
      "What waits is tried again by itself. What needs attention has used up its attempts, or nobody knows what came of it: it may have " +
      "been booked. Look in ticketing first."
    );
  }
  return `${ITS_OWN_WAY} retry when ticketing is well.`;
}

function refusedAdvice(leg: ErrorGroup["leg"], code: number): string {
  if (leg === "callback")
    return "Refusals are not repeated. The partner has to mend its endpoint (401 or 403: it may not take our signature); then retry.";
  if (code === 401 || code === 403)
    return "Refusals are not repeated. Mend TICKETING_AUTHORIZATION or our rights at ticketing, restart the workers, then retry.";
  if (code === 404 || code === 405)
    return "Refusals are not repeated. Look whether TICKETING_URL is right; else ticketing lacks what these orders ask for.";
  return "Refusals are not repeated. Retry when something has changed at ticketing; else cancel or close the orders.";
}
