import type { OrdersSearch } from "./orders-search.ts";
import { ATTENTION, NOT_TICKETED, TICKETED } from "./status-sets.ts";

/** Visits of a day, as `YYYY-MM-DD`, without tickets. */
export const visitsWithoutTickets = (date: string): OrdersSearch => ({
  status: NOT_TICKETED,
  visit_from: date,
  visit_to: date,
});

const HOUR_MS = 3_600_000;
const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** What the gateway counts by the hour. */
export type HourKind = "accepted" | "ticketed" | "delivered" | "blocked";

/**
 * The list behind what was counted from one hour up to another, given by their beginnings in epoch milliseconds. Orders are found by
 * when they were accepted, which mostly is the hour in which they went on; what stands still may have come long before it did.
 */
export function ordersOfHours(kind: HourKind, fromMs: number, lastMs: number): OrdersSearch {
  const created_from = iso(fromMs);
  const created_before = iso(lastMs + HOUR_MS);
  if (kind === "accepted") return { created_from, created_before };
  if (kind === "ticketed") return { status: TICKETED, created_from, created_before };
  if (kind === "delivered") return { status: ["ota_callback_delivered"], created_from, created_before };
  return { status: ATTENTION, created_before };
}
