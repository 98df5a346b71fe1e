/** What an order's page shows one of at a time; the first of them unless its address names another. */
export const ORDER_TABS = [
  "timeline",
  "payload",
  "request",
  "answers",
  "tickets",
  "callback",
  "audit",
] as const;
export type OrderTab = (typeof ORDER_TABS)[number];
