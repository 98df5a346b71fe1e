import type { Leg, OrderStatus } from "../../../src/orders/states.ts";

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

/** Orders that stand still until somebody acts. */
export const ATTENTION = [...OF_LEG.ticketing.standing, ...OF_LEG.callback.standing];

/** Orders whose tickets are neither there nor given up for good. */
export const NOT_TICKETED = [...OF_LEG.ticketing.waiting, ...OF_LEG.ticketing.standing];
export const TICKETED: readonly OrderStatus[] = [
  ...OF_LEG.callback.waiting,
  ...OF_LEG.callback.standing,
  "ota_callback_delivered",
];
