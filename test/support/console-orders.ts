import type { ServerResponse } from "node:http";
import { dayOf } from "../../src/lib/zoned-day.ts";
import { json, type Recorded, type Reply } from "./recorder.ts";

/** An order that the console is looked at with, and what becomes of it. */
export interface StagedOrder {
  /** By which tests find it. */
  readonly name: string;
  readonly partnerId: string;
  /** Minutes before the world begins. */
  readonly minutesAgo: number;
  readonly externalOrderId: string;
  readonly items: readonly StagedItem[];
  readonly buyer: object;
  /** Ticketing's answers, then the partner's: the last repeats. Left out: all goes well. */
  readonly ticketing?: readonly Reply[];
  readonly partner?: readonly Reply[];
}

export interface StagedItem {
  readonly sku: string;
  readonly qty: number;
  readonly unit_price_minor: number;
  readonly currency: string;
  readonly visit_date?: string;
  readonly visit_time?: string;
}

/** What is said of an order beyond what all have alike. */
type Told = Partial<StagedOrder> & Pick<StagedOrder, "externalOrderId">;

export const VENUE_TIME_ZONE = "Asia/Bangkok";
export const PARTNERS = [
  { id: "demo", name: "Demo Partner", token: "demotoken" },
  { id: "ota-one", name: "OTA One", token: "wgp_of-ota-one" },
  { id: "ota-two", name: "OTA Two", token: "wgp_of-ota-two" },
  { id: "ota-three", name: "OTA Three", token: "wgp_of-ota-three" },
] as const;

/** What each sells, in its currency: a yen has no hundredths. */
const RANGES: Readonly<Record<string, readonly (readonly [string, number, string])[]>> = {
  demo: [
    ["ADULT-DAY", 129_900, "THB"],
    ["CHILD-DAY", 89_900, "THB"],
  ],
  "ota-one": [
    ["ADULT-DAY", 129_900, "THB"],
    ["CHILD-DAY", 89_900, "THB"],
    ["NIGHT-PASS", 159_900, "THB"],
  ],
  "ota-two": [
    ["ADULT-DAY", 3_450, "EUR"],
    ["FAMILY-4", 11_900, "EUR"],
  ],
  "ota-three": [
    ["ADULT-DAY", 5_800, "JPY"],
    ["SENIOR-DAY", 4_200, "JPY"],
  ],
};

/** How many fail alike, by the same answer of ticketing. */
export const GROUP = 300;
/** Enough to open a partner's circuit, and some that it then holds. */
const KEPT_WAITING = 26;

const DAY_MINUTES = 24 * 60;
const SOLD_OUT = json(422, {
  error: "sold_out",
  message: "SKU NIGHT-PASS is sold out for the requested visit date",
});
const NO_ROOM = json(503, { message: "no connection to the inventory available, please try again later" });
const PROXY_PAGE: Reply = (response) =>
  response
    .writeHead(502, { "content-type": "text/html" })
    .end("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>");
const AWAY: Reply = (response) => response.socket?.destroy();

/** The orders of the world, the same on every run but for the times; few: those alone that are one of a kind. */
export function stagedOrders(nowMs: number, few: boolean): StagedOrder[] {
  const day = (from: number): string => dayOf(nowMs + from * DAY_MINUTES * 60_000, VENUE_TIME_ZONE);
  const order = (name: string, minutesAgo: number, partnerId: string, more: Told): StagedOrder => ({
    name,
    minutesAgo,
    partnerId,
    items: [itemOf(partnerId, 0, 2, day(3))],
    buyer: { name: "Alex", email: "alex@example.com", phone: "+66 2 555 0100" },
    ...more,
  });
  const told = [
    order("delivered", 18, "ota-one", {
      externalOrderId: "EXT-42",
      items: [
        { ...itemOf("ota-one", 0, 2, day(0)), visit_time: "13:30" },
        { ...itemOf("ota-one", 1, 1, day(0)), visit_time: "13:30" },
      ],
    }),
    order("retrying", 2, "ota-one", {
      externalOrderId: "EXT-7731",
      items: [itemOf("ota-one", 0, 2, day(0)), itemOf("ota-one", 1, 2, day(0))],
      ticketing: [NO_ROOM, NO_ROOM, PROXY_PAGE, NO_ROOM],
    }),
    order("waiting", 24, "ota-two", {
      externalOrderId: "B2C-2026-000917",
      items: [itemOf("ota-two", 1, 1, day(1))],
      ticketing: [json(429, { message: "daily allotment: too many requests" }, { "retry-after": "7200" })],
    }),
    order("blocked", 55, "ota-one", {
      externalOrderId: "EXT-7719",
      items: [itemOf("ota-one", 2, 4, day(1))],
      ticketing: [SOLD_OUT],
    }),
    order("exhausted", 7 * 60, "ota-three", {
      externalOrderId: "JP-55100",
      items: [itemOf("ota-three", 0, 12, day(6)), itemOf("ota-three", 1, 3, day(6))],
      ticketing: [PROXY_PAGE, PROXY_PAGE, json(500, { error: "ORA-12541: no listener" })],
    }),
    order("unknown", 41, "ota-two", {
      externalOrderId: "B2C-2026-000911",
      items: [itemOf("ota-two", 0, 3, day(0))],
      ticketing: [AWAY],
    }),
    order("callback-blocked", 130, "demo", { externalOrderId: "DEMO-18" }),
    order("callback-exhausted", 9 * 60, "demo", {
      externalOrderId: "DEMO-11",
      partner: [json(500, { error: "bookings database is read-only" })],
    }),
    order("cancelled", 200, "ota-one", { externalOrderId: "EXT-7702", ticketing: [SOLD_OUT] }),
    order("closed", 310, "ota-two", {
      externalOrderId: "B2C-2026-000893",
      ticketing: [json(400, { message: "unknown SKU ADULT-DAY for channel EUR" })],
    }),
    order("resent", 260, "ota-one", { externalOrderId: "EXT-7690", partner: [503, 200] }),
    order("retried", 170, "ota-one", {
      externalOrderId: "EXT-7708",
      ticketing: [json(404, { message: "no such sales channel: 9" }), confirm],
    }),
    order("thirty", 150, "ota-one", {
      externalOrderId: "EXT-GROUP-30",
      items: [{ ...itemOf("ota-one", 1, 30, day(2)), visit_time: "09:00" }],
      buyer: { name: "Sam", note: "school trip, 28 pupils and 2 teachers" },
    }),
    order("long", 33, "ota-three", {
      externalOrderId: `JP-${"0123456789ABCDEF".repeat(7)}-LAST-OF-128`,
      items: [{ ...itemOf("ota-three", 0, 10_000, day(9)), unit_price_minor: 900_719_925_474 }],
    }),
    order("hostile", 62, "demo", {
      externalOrderId: `"><img/src=x/onerror=alert(1)>&{{7*7}}`,
      items: [{ sku: "<script>alert(1)</script>", qty: 1, unit_price_minor: 1, currency: "THB" }],
      buyer: { name: "<b>Sam</b> \u202egnp.exe", note: "</script><script>alert(1)</script>" },
      ticketing: [json(422, { message: "<img src=x onerror=alert(1)> is not on sale" })],
    }),
  ];
  if (few) return told;
  const group = Array.from({ length: GROUP }, (_, n) => {
    const partnerId = ["ota-one", "ota-one", "demo", "ota-two"][n % 4]!;
    // Waves that fall due together, ten minutes apart.
    const minutesAgo = 7 * 60 - 10 * Math.floor((n / GROUP) * 4);
    return order(`group-${n}`, minutesAgo, partnerId, {
      externalOrderId: `EXT-${5000 + n}`,
      items: [itemOf(partnerId, n % 3, 1 + (n % 5), day(2 + (n % 7)))],
      ticketing: [json(503, { message: `no slot left in reservation pool 7 (order EXT-${5000 + n})` })],
    });
  });
  const kept = Array.from({ length: KEPT_WAITING }, (_, n) =>
    order(`kept-${n}`, 14 - n / 4, "ota-three", {
      externalOrderId: `JP-${55200 + n}`,
      items: [itemOf("ota-three", n % 2, 1 + (n % 3), day(1 + (n % 4)))],
      partner: [json(503, { error: "maintenance" })],
    }),
  );
  return [...told, ...group, ...kept, ...ordinary(order, day)];
}

/** What comes and goes well in a day and a half, a few at a time, and more by day than by night. */
function ordinary(
  order: (name: string, minutesAgo: number, partnerId: string, more: Told) => StagedOrder,
  day: (from: number) => string,
): StagedOrder[] {
  const orders: StagedOrder[] = [];
  const next = seeded(8);
  for (let minutesAgo = 1.5 * DAY_MINUTES; minutesAgo > 3; minutesAgo -= 15 + next() * 20) {
    const busy = 1 + Math.sin((minutesAgo / DAY_MINUTES) * 2 * Math.PI);
    const together = 1 + Math.floor(busy * 2 + next() * 4);
    for (let n = orders.length, end = n + together; n < end; n += 1) {
      const partner = PARTNERS[Math.floor(next() ** 1.5 * PARTNERS.length)]!;
      // A success would close the circuit that is to open.
      const { id } = partner.id === "ota-three" && minutesAgo < 30 ? PARTNERS[1] : partner;
      const items = [itemOf(id, n, 1 + Math.floor(next() * 4), day(Math.floor(next() * 12)))];
      const fails = next() < 0.08 ? { ticketing: [NO_ROOM, confirm] } : {};
      const externalOrderId = `${id.toUpperCase()}-${1000 + n}`;
      orders.push(order(`ordinary-${n}`, minutesAgo, id, { externalOrderId, items, ...fails }));
    }
  }
  return orders;
}

function itemOf(partnerId: string, n: number, qty: number, visitDate: string): StagedItem {
  const range = RANGES[partnerId]!;
  const [sku, price, currency] = range[n % range.length]!;
  return { sku, qty, unit_price_minor: price, currency, visit_date: visitDate };
}

/** Ticketing sells what it is asked for: a ticket for each unit, named by the order. */
export function confirm(response: ServerResponse, { body, headers }: Recorded): void {
  const { items } = JSON.parse(body) as { items: StagedItem[] };
  const reference = `TK-${referenceOf(String(headers["x-external-order-id"]))}`;
  const units = items.flatMap((item) => Array.from({ length: Math.min(item.qty, 40) }, () => item));
  const tickets = units.map(({ sku, visit_date, visit_time }, n) => ({
    code: `${reference}-${String(n + 1).padStart(3, "0")}`,
    sku,
    visit_date,
    visit_time,
  }));
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ reference, tickets }));
}

function referenceOf(name: string): string {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_000_007;
  return hash.toString(36).toUpperCase().padStart(6, "0");
}

/** The same chance on every run: uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
