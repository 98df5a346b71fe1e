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

/** Who may move an order along an edge. */
type Mover = "engine" | "operator" | "circuit";

const EDGES: readonly (readonly [from: OrderStatus, to: OrderStatus, by: Mover])[] = [
  ["accepted", "ticketing_processing", "engine"],
  ["ticketing_processing", "ticketed", "engine"],
  ["ticketing_processing", "ticketing_blocked", "engine"],
  ["ticketing_processing", "ticketing_exhausted", "engine"],
  ["ticketing_processing", "ticketing_unknown", "engine"],
  ["ticketed", "ota_callback_pending", "engine"],
  ["ota_callback_pending", "ota_callback_delivered", "engine"],
  ["ota_callback_pending", "ota_callback_blocked", "engine"],
  ["ota_callback_pending", "ota_callback_exhausted", "engine"],
  ...(["ticketing_blocked", "ticketing_exhausted", "ticketing_unknown"] as const).flatMap(
    (from) =>
      [
        [from, "ticketing_processing", "operator"],
        // By hand, or by a late 2xx: a result that arrives after its claim ended (SPEC section 4).
        [from, "ticketed", "operator"],
        [from, "closed", "operator"],
      ] as const,
  ),
  ...(["ota_callback_blocked", "ota_callback_exhausted"] as const).flatMap(
    (from) =>
      [
        [from, "ota_callback_pending", "operator"],
        [from, "closed", "operator"],
      ] as const,
  ),
  ["ota_callback_delivered", "ota_callback_pending", "operator"],
  ...(
    [
      "accepted",
      "ticketing_processing",
      "ticketing_blocked",
      "ticketing_exhausted",
      "ticketing_unknown",
    ] as const
  ).map((from) => [from, "cancelled", "operator"] as const),
  ["ticketing_blocked", "ticketing_processing", "circuit"],
];

/** True if an order may go from one status to the other (SPEC section 7, invariant 7). */
export function isEdge(from: OrderStatus, to: OrderStatus): boolean {
  return EDGES.some((edge) => edge[0] === from && edge[1] === to);
}

/** Every edge, for the statements that move orders: none of them can leave the map. */
export const ORDER_EDGES: readonly { from: OrderStatus; to: OrderStatus }[] = EDGES.map(([from, to]) => ({
  from,
  to,
}));
