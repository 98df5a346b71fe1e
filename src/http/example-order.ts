/** The order that every example of the API tells of, from request to callback. */
export const EXAMPLE_ORDER = {
  partnerId: "demo",
  orderId: 123,
  externalOrderId: "EXT-42",
  traceId: "01a037c1-1233-7c3e-9a51-0d5f6b1c2a77",
  callbackUrl: "https://partner.example.com/ota/callback",
  items: [
    {
      sku: "ADULT-DAY",
      qty: 2,
      unit_price_minor: 129900,
      currency: "THB",
      visit_date: "2026-12-24",
      visit_time: "09:30",
    },
  ],
} as const;

/** What ticketing made of it. */
export const EXAMPLE_TICKETED = {
  eventId: "evt_01a037c131c07c3e9a510d5f6b1c2a78",
  sequence: 1,
  /** Epoch milliseconds. */
  occurredAt: Date.UTC(2026, 7, 25, 7, 10, 3, 200),
  reference: "TK-9",
  tickets: [{ code: "A1" }, { code: "A2" }],
} as const;

/** The secret that signs the examples; docs/verify-a-callback.md shows the same. */
export const EXAMPLE_SECRET = "whsec_d2F2ZWdhdGUgZXhhbXBsZSBzaWduaW5nIHNlY3JldCE=";
