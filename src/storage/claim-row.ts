import type { Leg } from "../orders/states.ts";
import { TICKETED_EVENT } from "../orders/callback-event.ts";

/** A claimed job's row. */
export interface ClaimRow {
  id: number;
  order_id: number;
  partner_id: string;
  claim: string;
  attempts: number;
  run_attempts: number;
  run_started_at: number;
  claimed_at: number;
  lease_until: number;
  next_attempt_at: number;
  lane: number;
  event?: string;
  event_id?: string;
  body?: string;
}

export const CLAIM_COLUMNS =
  "id, order_id, partner_id, claim, attempts, run_attempts, run_started_at, claimed_at, lease_until, next_attempt_at, lane";
export const CALLBACK_CLAIM_COLUMNS = `${CLAIM_COLUMNS}, event, event_id, body`;

/** What a statement on a leg's jobs returns besides, so that {@link speaksForOrder} can tell. */
export function eventColumn(leg: Leg): string {
  return leg === "callback" ? ", event" : "";
}

/** False for a callback of another event than `order.ticketed`: what becomes of it moves no order (SPEC section 4). */
export function speaksForOrder({ event }: { readonly event?: string }): boolean {
  return event === undefined || event === TICKETED_EVENT;
}
