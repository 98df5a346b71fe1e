import type { Leg, OrderStatus } from "../../../src/orders/states.ts";

/** Orders that stand still until somebody acts. */
export const ATTENTION: readonly OrderStatus[] = [
  "ticketing_blocked",
  "ticketing_exhausted",
  "ticketing_unknown",
  "ota_callback_blocked",
  "ota_callback_exhausted",
];

/** Orders whose tickets are neither there nor given up for good. */
export const NOT_TICKETED: readonly OrderStatus[] = [
  "accepted",
  "ticketing_processing",
  "ticketing_blocked",
  "ticketing_exhausted",
  "ticketing_unknown",
];
export const TICKETED: readonly OrderStatus[] = [
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
