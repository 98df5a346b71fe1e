import type { OrderStatus } from "../../src/orders/states.ts";

/** SPEC section 4's map, written out once more for the tests: what stands here is the contract's, not the code's. */
const MAP = `
  accepted -> ticketing_processing
  ticketing_processing -> ticketed
  ticketed -> ota_callback_pending
  ota_callback_pending -> ota_callback_delivered
  ticketing_processing -> ticketing_blocked
  ticketing_processing -> ticketing_exhausted
  ticketing_processing -> ticketing_unknown
  ota_callback_pending -> ota_callback_blocked
  ota_callback_pending -> ota_callback_exhausted
  ticketing_blocked -> ticketing_processing
  ticketing_exhausted -> ticketing_processing
  ticketing_unknown -> ticketing_processing
  ticketing_blocked -> ticketed
  ticketing_exhausted -> ticketed
  ticketing_unknown -> ticketed
  ticketing_blocked -> closed
  ticketing_exhausted -> closed
  ticketing_unknown -> closed
  ota_callback_blocked -> ota_callback_pending
  ota_callback_exhausted -> ota_callback_pending
  ota_callback_blocked -> closed
  ota_callback_exhausted -> closed
  ota_callback_delivered -> ota_callback_pending
  accepted -> cancelled
  ticketing_processing -> cancelled
  ticketing_blocked -> cancelled
  ticketing_exhausted -> cancelled
  ticketing_unknown -> cancelled`;

export const SPEC_MAP: ReadonlySet<string> = new Set(
  MAP.trim()
    .split("\n")
    .map((line) => line.trim()),
);

/** True if an order may stand at `to` after it stood at `from`: at once, or by way of the status between. */
export function mayHaveMoved(from: OrderStatus, to: OrderStatus): boolean {
  if (from === to || SPEC_MAP.has(`${from} -> ${to}`)) return true;
  return [...SPEC_MAP].some((edge) => {
    const [first, between] = edge.split(" -> ");
    return first === from && SPEC_MAP.has(`${between} -> ${to}`);
  });
}
