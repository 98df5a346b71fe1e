import type { OrderStatus } from "../orders/states.ts";

/** An order of the demo, and where it should end. */
export interface Scenario {
  readonly story: string;
  readonly expected: OrderStatus;
  /** The body of its POST. */
  order(callbackUrl: string, visitDate: string): object;
}

const adult = { sku: "ADULT-DAY", unit_price_minor: 129900, currency: "THB" };
const child = { sku: "CHILD-DAY", unit_price_minor: 89900, currency: "THB" };

/** `sandbox` is an unknown field, as partners send them: it travels to ticketing, which acts by it. */
export const SCENARIOS: readonly Scenario[] = [
  {
    story: "everything goes well",
    expected: "ota_callback_delivered",
    order: (callbackUrl, visitDate) => ({
      external_order_id: "EXT-42",
      callback_url: callbackUrl,
      items: [
        { ...adult, qty: 2, visit_date: visitDate },
        { ...child, qty: 1, visit_date: visitDate },
      ],
      buyer: { name: "สมหญิง Étienne", language: "th" },
    }),
  },
  {
    story: "ticketing fails twice, then recovers",
    expected: "ota_callback_delivered",
    order: (callbackUrl, visitDate) => ({
      external_order_id: "EXT-43",
      callback_url: callbackUrl,
      items: [{ ...adult, qty: 4, visit_date: visitDate, visit_time: "10:30" }],
      buyer: { name: "Zoë" },
      sandbox: { ticketing: [500, 500, 200] },
    }),
  },
  {
    story: "ticketing refuses it: a person has to look",
    expected: "ticketing_blocked",
    order: (callbackUrl, visitDate) => ({
      external_order_id: "EXT-44",
      callback_url: callbackUrl,
      items: [
        { sku: "NIGHT-PASS", qty: 1, unit_price_minor: 159900, currency: "THB", visit_date: visitDate },
      ],
      buyer: { name: "Alex" },
      // An operator's retry then succeeds.
      sandbox: { ticketing: [422, 200] },
    }),
  },
  {
    story: "the partner is down when it is told",
    expected: "ota_callback_delivered",
    order: (callbackUrl, visitDate) => ({
      external_order_id: "EXT-45",
      callback_url: `${callbackUrl}?answers=503,200`,
      items: [{ ...child, qty: 1, visit_date: visitDate }],
      buyer: { name: "Alex" },
    }),
  },
];
