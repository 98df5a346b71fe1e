import { isEdge, type OrderStatus } from "./states.ts";
import { onRetry } from "./transitions.ts";

/** What can be done to all orders of a filter. */
export const BULK_ACTIONS = ["retry", "resend", "cancel", "close"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

const CAN: Record<BulkAction, (status: OrderStatus) => boolean> = {
  retry: (status) => onRetry(status) !== null,
  resend: (status) => status === "ota_callback_delivered",
  cancel: (status) => isEdge(status, "cancelled"),
  close: (status) => isEdge(status, "closed"),
};

/** Of orders counted by status, those that stand where it can be done (SPEC section 4, the operator's edges). */
export function countPossible(
  action: BulkAction,
  counts: Readonly<Partial<Record<OrderStatus, number>>>,
): number {
  return Object.entries(counts).reduce(
    (sum, [status, count]) => (CAN[action](status as OrderStatus) ? sum + count : sum),
    0,
  );
}

/**
 * What became of one order: `done`; `requested`: a cancel that waits for the attempt in flight; `refused`: by where the
 * order stood; `locked`: somebody held its row, it was passed over.
 */
export const BULK_RESULTS = ["done", "requested", "refused", "locked"] as const;
export type BulkResult = (typeof BULK_RESULTS)[number];

export const BULK_STATUSES = ["running", "done", "cancelled"] as const;
export type BulkStatus = (typeof BULK_STATUSES)[number];

/** Orders per second at most. */
export const MAX_BULK_PACE = 1000;

/** Orders per second where nobody says: of what calls a target as many as it has slots, taking a second for a call. */
export function defaultPace(
  action: BulkAction,
  slots: { readonly ticketing: number; readonly callback: number },
): number {
  const calls = { retry: slots.ticketing, resend: slots.callback, cancel: 100, close: 100 };
  return Math.min(calls[action], MAX_BULK_PACE);
}
