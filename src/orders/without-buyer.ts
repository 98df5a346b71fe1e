import type { OrderItem } from "./order-input.ts";
import { publicItem } from "./callback-event.ts";
import { canonicalJson } from "./fingerprint.ts";

// What is left of an order's texts when the buyer's data is blanked. Persons may stand anywhere in what partners and
// ticketing send beside the named fields, so only the named fields stay, and of a ticket its code.

/** The raw payload: `buyer` is empty, and what the partner sent beside the named fields is gone. */
export function payloadWithoutBuyer(rawPayload: string): string {
  const { external_order_id, callback_url, items, buyer } = objectIn(rawPayload);
  return JSON.stringify({
    external_order_id,
    callback_url,
    items: listOf(items).map((item) => publicItem(item as OrderItem)),
    ...(buyer === undefined ? {} : { buyer: {} }),
  });
}

/** A stored ticket: its code, if it has one. */
export function ticketWithoutHolder(body: string): string {
  return JSON.stringify(codeOnly(parsed(body)));
}

/** A callback's text: the event as it was, its tickets reduced to their codes. */
export function eventWithoutHolders(body: string): string {
  const event = objectIn(body);
  const order = objectOf(event["order"]);
  return canonicalJson({ ...event, order: { ...order, tickets: listOf(order["tickets"]).map(codeOnly) } });
}

/** Told from a name by its form: one word of visible ASCII. */
const CODE = /^[\x21-\x7e]{1,128}$/;

/** A ticket that is a text is a code. */
function codeOnly(ticket: unknown): unknown {
  if (typeof ticket === "string") return CODE.test(ticket) ? ticket : "";
  const { code } = objectOf(ticket);
  return typeof code === "string" && CODE.test(code) ? { code } : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const objectIn = (text: string): Record<string, unknown> => objectOf(parsed(text));

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.map((entry: unknown) => entry ?? {}) : [];
}
