import { parseStrictJson } from "../lib/strict-json.ts";

/** What ticketing's 2xx carries for the order. */
export interface TicketingAnswer {
  readonly reference: string | null;
  /** Objects or strings, as ticketing gave them. */
  readonly tickets: readonly unknown[];
  /** Why nothing was taken from the answer, or what about it deserves a look; null if nothing. */
  readonly note: string | null;
}

export const MAX_TICKETS = 1000;
export const MAX_REFERENCE = 255;

/**
 * Takes `tickets` and `reference` from the body of ticketing's 2xx (SPEC section 4). The order is ticketed whatever the body says;
 * what breaks the rules is left out as a whole, and the note says why.
 */
export function readTicketingAnswer(body: Uint8Array): TicketingAnswer {
  if (body.length === 0)
    return nothing("ticketing answered without a body, so there are no tickets to pass on");
  const parsed = parseStrictJson(body);
  if (!parsed.ok) return nothing(`ticketing's answer is no JSON that can be taken: ${parsed.detail}`);
  const { value } = parsed;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return nothing("ticketing's answer is no JSON object");
  }
  const { tickets = [], reference = null } = value as { tickets?: unknown; reference?: unknown };
  if (!Array.isArray(tickets)) return nothing("`tickets` in ticketing's answer is no array");
  if (tickets.length > MAX_TICKETS) return nothing(`ticketing's answer has more than ${MAX_TICKETS} tickets`);
  if (!tickets.every(isTicket))
    return nothing("a ticket in ticketing's answer is neither an object nor a string");
  if (reference !== null && (typeof reference !== "string" || reference.length > MAX_REFERENCE)) {
    return nothing(`\`reference\` in ticketing's answer is no text of at most ${MAX_REFERENCE} characters`);
  }
  if (reference?.includes("\u0000")) return nothing("`reference` in ticketing's answer holds U+0000");
  return {
    reference,
    tickets,
    note: parsed.inexactNumbers
      ? "a number in ticketing's answer has more digits than JSON numbers carry safely; ask for it as a string"
      : null,
  };
}

function nothing(note: string): TicketingAnswer {
  return { reference: null, tickets: [], note };
}

export function isTicket(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "object" && value !== null && !Array.isArray(value));
}
