// A supplier in the manner of Viator's supplier API: every answer is a 200, and whether the booking was made stands in its
// body, in two places (was the request understood, and was it confirmed).
//
//   TICKETING_URL=https://supplier.example.com/booking
//   TICKETING_MAPPING=examples/mappings/errors-in-200.ts
//   SUPPLIER_API_KEY=...
import type { Mapping, MappingOrder } from "wavegate/mapping";

/** Read once: a mapping must give the same request on each attempt. */
const API_KEY = process.env["SUPPLIER_API_KEY"] ?? "";

/** Errors that pass by themselves. */
const PASSING = new Set(["SYSTEM_BUSY", "INTERNAL_ERROR", "TIMEOUT"]);

const AGE_BANDS = [
  ["ADULT-", "Adult"],
  ["CHILD-", "Child"],
  ["SENIOR-", "Senior"],
] as const;

export const sample = {
  external_order_id: "SAMPLE-1",
  items: [
    { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB", visit_date: "2030-01-31" },
    { sku: "CHILD-DAY", qty: 1, unit_price_minor: 89900, currency: "THB", visit_date: "2030-01-31" },
  ],
  buyer: { name: "Sample Buyer", email: "buyer@example.com" },
};

export const request: Mapping["request"] = (order) => ({
  body: {
    requestType: "BookingRequest",
    data: {
      ApiKey: API_KEY,
      ExternalReference: order.trace_id,
      BookingReference: order.external_order_id,
      // What follows the age band: "ADULT-DAY" is a DAY.
      SupplierProductCode: only(
        order.items.map(({ sku }) => sku.slice(sku.indexOf("-") + 1)),
        "product",
      ),
      TravelDate: only(
        order.items.map(({ visit_date }) => visit_date),
        "visit date",
      ),
      TravellerMix: mixOf(order),
      ContactDetail: { ContactName: order.buyer?.["name"], ContactEmail: order.buyer?.["email"] },
    },
  },
});

/** A booking here is of one product on one day. */
function only<T>(values: readonly T[], what: string): T {
  if (new Set(values).size !== 1 || values[0] === undefined) throw new Error(`none or more than one ${what}`);
  return values[0];
}

function mixOf({ items }: MappingOrder) {
  const mix = { Adult: 0, Child: 0, Senior: 0, Total: 0 };
  for (const { sku, qty } of items) {
    const band = AGE_BANDS.find(([prefix]) => sku.startsWith(prefix));
    if (band === undefined) throw new Error(`the SKU ${sku} names no age band`);
    mix[band[1]] += qty;
    mix.Total += qty;
  }
  return mix;
}

interface BookingResponse {
  readonly data: {
    readonly RequestStatus: {
      readonly Status: "SUCCESS" | "ERROR";
      readonly Error?: { readonly ErrorCode: string; readonly ErrorMessage: string };
    };
    readonly TransactionStatus?: {
      readonly Status: "CONFIRMED" | "REJECTED" | "PENDING";
      readonly RejectionReason?: string;
    };
    readonly SupplierConfirmationNumber?: string;
    readonly Barcodes?: readonly string[];
  };
}

export const response: NonNullable<Mapping["response"]> = (status, body) => {
  // Proxies and gateways before the supplier do use statuses: those mean what they always mean.
  if (status !== 200) return null;
  const { RequestStatus, TransactionStatus, SupplierConfirmationNumber, Barcodes } = (body as BookingResponse)
    .data;
  if (RequestStatus.Status === "ERROR") {
    const { ErrorCode = "", ErrorMessage = "" } = RequestStatus.Error ?? {};
    // An attempt whose answer was lost has booked: done, though this answer may not repeat the tickets.
    if (ErrorCode === "DUPLICATE_BOOKING") {
      return { outcome: "already_done", reference: SupplierConfirmationNumber, tickets: Barcodes ?? [] };
    }
    return { outcome: PASSING.has(ErrorCode) ? "retry" : "blocked", reason: `${ErrorCode}: ${ErrorMessage}` };
  }
  if (TransactionStatus?.Status === "CONFIRMED") {
    return { outcome: "done", reference: SupplierConfirmationNumber, tickets: Barcodes ?? [] };
  }
  const { Status = "without a status", RejectionReason = "no reason given" } = TransactionStatus ?? {};
  return { outcome: "blocked", reason: `the booking is ${Status}: ${RejectionReason}` };
};
