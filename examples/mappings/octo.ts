// A ticketing system that speaks OCTO (https://docs.octo.travel): `POST /bookings`, with the booking confirmed in its answer.
//
// OCTO knows two steps, reserve (`POST /bookings`) and confirm (`POST /bookings/{uuid}/confirm`). This mapping makes one call,
// for suppliers who confirm with it and take there what OCTO has in the second (`resellerReference`, `contact`). A
// booking that comes back ON_HOLD or PENDING is no ticket: it is blocked, for a person to look at.
//
//   TICKETING_URL=https://supplier.example.com/octo/bookings
//   TICKETING_AUTHORIZATION="Bearer ..."
//   TICKETING_MAPPING=examples/mappings/octo.ts
import type { Mapping, MappingItem } from "wavegate/mapping";

/** Our SKUs in the supplier's catalogue (`GET /products`). */
const CATALOGUE = new Map([
  ["ADULT-DAY", { productId: "day-pass", optionId: "DEFAULT", unitId: "adult" }],
  ["CHILD-DAY", { productId: "day-pass", optionId: "DEFAULT", unitId: "child" }],
  ["ADULT-NIGHT", { productId: "night-safari", optionId: "DEFAULT", unitId: "adult" }],
]);

/** Each unit is an item of its own in OCTO, and each becomes a ticket. */
const MAX_UNITS = 1000;

export const sample = {
  external_order_id: "SAMPLE-1",
  items: [
    { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB", visit_date: "2030-01-31" },
    { sku: "CHILD-DAY", qty: 1, unit_price_minor: 89900, currency: "THB", visit_date: "2030-01-31" },
  ],
  buyer: { name: "Sample Buyer", email: "buyer@example.com" },
};

export const request: Mapping["request"] = (order) => {
  const entries = order.items.map((item) => ({ item, entry: entryOf(item) }));
  const { productId, optionId } = entries[0]!.entry;
  // This supplier's slots are whole days, and their ids the dates.
  const availabilityId = order.items[0]!.visit_date;
  // A booking in OCTO is for one option at one time.
  for (const { item, entry } of entries) {
    const isSame = entry.productId === productId && entry.optionId === optionId;
    if (!isSame || item.visit_date !== availabilityId) throw new Error("more than one product or visit date");
  }
  if (order.items.reduce((units, { qty }) => units + qty, 0) > MAX_UNITS) throw new Error("too many units");
  return {
    headers: { "Octo-Capabilities": "" },
    body: {
      // OCTO's own idempotency key.
      uuid: order.trace_id,
      resellerReference: order.external_order_id,
      productId,
      optionId,
      availabilityId,
      unitItems: entries.flatMap(({ item, entry }) =>
        Array.from({ length: item.qty }, () => ({ unitId: entry.unitId })),
      ),
      contact: { fullName: order.buyer?.["name"], emailAddress: order.buyer?.["email"] },
    },
  };
};

function entryOf({ sku }: MappingItem) {
  const entry = CATALOGUE.get(sku);
  if (entry === undefined) throw new Error(`the SKU ${sku} is not in the catalogue`);
  return entry;
}

interface Ticket {
  readonly deliveryOptions?: readonly { readonly deliveryFormat: string; readonly deliveryValue: string }[];
}

interface Booking {
  readonly uuid: string;
  readonly status: string;
  readonly supplierReference: string | null;
  readonly voucher?: Ticket | null;
  readonly unitItems: readonly {
    readonly unitId: string;
    readonly supplierReference: string | null;
    readonly ticket: Ticket | null;
  }[];
}

export const response: NonNullable<Mapping["response"]> = (status, body) => {
  if (status >= 200 && status < 300) return ofBooking(body as Booking);
  const { error, errorMessage } = (body ?? {}) as { error?: string; errorMessage?: string };
  if (error === "INVALID_BOOKING_UUID") {
    // "Already used, missing or invalid", and ours is neither of the latter: an earlier attempt has made the booking. Whether it
    // is confirmed, and its tickets, only the supplier can tell.
    return {
      outcome: "blocked",
      reason: "a booking with this uuid exists: GET /bookings/{uuid} shows its tickets",
    };
  }
  if (status === 429 || status >= 500) return { outcome: "retry", reason: errorMessage ?? error };
  return { outcome: "blocked", reason: [error, errorMessage].filter(Boolean).join(": ") };
};

function ofBooking({ status, supplierReference, voucher, unitItems }: Booking) {
  if (status !== "CONFIRMED") return { outcome: "blocked", reason: `the booking is ${status}` } as const;
  const perUnit = unitItems.flatMap(({ unitId, supplierReference: unitReference, ticket }) =>
    codesOf(ticket).map((code) => ({ unitId, reference: unitReference, ...code })),
  );
  // Suppliers deliver a ticket for each unit, or one voucher for all.
  const tickets = perUnit.length > 0 ? perUnit : codesOf(voucher);
  return { outcome: "done", reference: supplierReference, tickets } as const;
}

/** The first option is the supplier's preference. */
function codesOf(ticket: Ticket | null | undefined) {
  const [option] = ticket?.deliveryOptions ?? [];
  return option === undefined ? [] : [{ format: option.deliveryFormat, code: option.deliveryValue }];
}
