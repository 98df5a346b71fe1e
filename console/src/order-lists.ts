import type { Leg, OrderStatus } from "./api/types.ts";
import type { OrdersSearch } from "./search.ts";
import { ATTENTION } from "./ui/status.tsx";

/** Orders whose tickets are neither there nor given up for good. */
const NOT_TICKETED: readonly OrderStatus[] = [
  "accepted",
  "ticketing_processing",
  "ticketing_blocked",
  "ticketing_exhausted",
  "ticketing_unknown",
];
const TICKETED: readonly OrderStatus[] = [
  "ticketed",
  "ota_callback_pending",
  "ota_callback_delivered",
  "ota_callback_blocked",
  "ota_callback_exhausted",
];

/** In work, as far as a leg goes, and standing still at it. */
export const OF_LEG: Readonly<Record<Leg, Record<"waiting" | "standing", readonly OrderStatus[]>>> = {
  ticketing: {
    waiting: ["accepted", "ticketing_processing"],
    standing: ["ticketing_blocked", "ticketing_exhausted", "ticketing_unknown"],
  },
  callback: {
    waiting: ["ticketed", "ota_callback_pending"],
    standing: ["ota_callback_blocked", "ota_callback_exhausted"],
  },
};
export const WAITING = [...OF_LEG.ticketing.waiting, ...OF_LEG.callback.waiting];

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
