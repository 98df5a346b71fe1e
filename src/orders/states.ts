/** The two legs of an order's way: the ticket is bought, then the partner is told. */
export const LEGS = ["ticketing", "callback"] as const;
export type Leg = (typeof LEGS)[number];

/** What an order can be (SPEC section 4). */
export const ORDER_STATUSES = [
  "accepted",
  "ticketing_processing",
  "ticketed",
  "ticketing_blocked",
  "ticketing_exhausted",
  "ticketing_unknown",
  "ota_callback_pending",
  "ota_callback_delivered",
  "ota_callback_blocked",
  "ota_callback_exhausted",
  "cancelled",
  "closed",
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** Where an order's way has ended: nobody works on it any more, and nobody has to decide anything. */
export const FINAL_STATUSES = [
  "ota_callback_delivered",
  "cancelled",
  "closed",
] as const satisfies readonly OrderStatus[];

/** What a job can be (SPEC section 6). */
export const JOB_STATUSES = [
  "pending",
  "running",
  "succeeded",
  "blocked",
  "exhausted",
  "unknown",
  "cancelled",
  "closed",
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** What an operator may make of an order that ticketing did not ticket; a late 2xx also makes it ticketed. */
const AFTER_TICKETING_STOPPED = ["ticketing_processing", "ticketed", "closed"] as const;
const AFTER_CALLBACK_STOPPED = ["ota_callback_pending", "closed"] as const;

/** The map of SPEC section 4: from each status, where an order may go. */
const EDGES: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  accepted: ["ticketing_processing", "cancelled"],
  ticketing_processing: [
    "ticketed",
    "ticketing_blocked",
    "ticketing_exhausted",
    "ticketing_unknown",
    "cancelled",
  ],
  ticketed: ["ota_callback_pending"],
  // To ticketing_processing also by a circuit: the target, not the order, was at fault.
  ticketing_blocked: [...AFTER_TICKETING_STOPPED, "cancelled"],
  ticketing_exhausted: [...AFTER_TICKETING_STOPPED, "cancelled"],
  ticketing_unknown: [...AFTER_TICKETING_STOPPED, "cancelled"],
  ota_callback_pending: ["ota_callback_delivered", "ota_callback_blocked", "ota_callback_exhausted"],
  ota_callback_delivered: ["ota_callback_pending"],
  ota_callback_blocked: AFTER_CALLBACK_STOPPED,
  ota_callback_exhausted: AFTER_CALLBACK_STOPPED,
  cancelled: [],
  closed: [],
};

/** True if an order may go from one status to the other (SPEC section 7, invariant 7). */
export function isEdge(from: OrderStatus, to: OrderStatus): boolean {
  return EDGES[from].includes(to);
}

/** Every edge, for the statements that move orders: none of them can leave the map. */
export const ORDER_EDGES: readonly { from: OrderStatus; to: OrderStatus }[] = ORDER_STATUSES.flatMap((from) =>
  EDGES[from].map((to) => ({ from, to })),
);
