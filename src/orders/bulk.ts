/** What can be done to all orders of a filter. */
export const BULK_ACTIONS = ["retry", "resend", "cancel", "close"] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

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
