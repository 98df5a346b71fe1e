import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ExportedItem, ExportedOrder } from "../../src/orders/order-export.ts";
import {
  compareKey,
  compareOursOnly,
  ourKey,
  type ReconciliationRules,
  theirKey,
} from "../../src/orders/reconciliation.ts";
import { ORDER_STATUSES, type OrderStatus } from "../../src/orders/states.ts";
import {
  type FieldName,
  normalKey,
  readDate,
  readStanding,
  type Reading,
  type TheirRow,
} from "../../src/orders/their-row.ts";

const READING: Reading = { decimalMark: ".", dateOrder: null, timeZone: "Asia/Bangkok", words: new Map() };

function rules(more: Partial<ReconciliationRules> = {}): ReconciliationRules {
  return {
    side: "partner",
    key: "external_order_id",
    fields: [],
    rowsAre: "orders",
    reading: READING,
    ...more,
  };
}

const ITEM: ExportedItem = {
  no: 1,
  sku: "ADULT-DAY",
  qty: 2,
  unitPriceMinor: 129_900,
  currency: "THB",
  visitDate: "2026-08-25",
  visitTime: null,
};

function order(more: Partial<ExportedOrder> = {}): ExportedOrder {
  return {
    id: 1,
    partnerId: "demo",
    externalOrderId: "EXT-1",
    reference: "TK-1",
    traceId: "0b8f3a52-0000-7000-8000-000000000001",
    status: "ota_callback_delivered",
    createdAt: 0,
    ticketedAt: 1,
    deliveredAt: 2,
    items: [ITEM],
    tickets: 2,
    codes: null,
    ...more,
  };
}

let line = 1;
function row(texts: TheirRow["texts"]): TheirRow {
  line += 1;
  return { line, texts: { external_order_id: "EXT-1", ...texts } };
}

const fieldsOf = (texts: TheirRow["texts"]) =>
  Object.keys(texts).filter((name) => name !== "external_order_id") as FieldName[];

/** One row against one order, as `kind field=ours/theirs`. */
function compare(
  texts: TheirRow["texts"],
  ours: ExportedOrder,
  more: Partial<ReconciliationRules> = {},
): string[] {
  return compareKey([row(texts)], [ours], rules({ fields: fieldsOf(texts), ...more })).map(
    ({ kind, fields }) =>
      `${kind} ${fields.map((each) => `${each.field}=${each.ours}/${each.theirs}`).join(" ")}`,
  );
}

suite("fields", () => {
  test("what agrees, however it is written", () => {
    const same: TheirRow["texts"][] = [
      { qty: "2", amount: "2,598.00", currency: "thb", status: "CONFIRMED", visit_date: "2026-08-25" },
      { qty: "2.0", amount: "THB 2598", visit_date: "25.08.2026", reference: " tk-1 ", ticket_count: "2" },
      { amount_minor: "259800", visit_date: "2026-08-24T18:00:00Z", status: "on-the-way" },
      { visit_date: "2026-08-25T23:59:00", status: "", amount: "" },
      { visit_date: "20260825", order_id: "1", trace_id: order().traceId.toUpperCase(), partner_id: "x" },
    ];
    const reading = { ...READING, words: new Map([["on the way", "confirmed"]] as const) };
    for (const texts of same)
      assert.deepEqual(compare(texts, order(), { reading }), [], JSON.stringify(texts));
  });

  test("what differs, and what can't be read", () => {
    assert.deepEqual(
      compare({ qty: "3", amount: "2598.01", currency: "USD", visit_date: "2026-08-26" }, order()),
      ["mismatch qty=2/3 amount=-/2598.01 currency=THB/USD visit_date=2026-08-25/2026-08-26"],
    );
    assert.deepEqual(compare({ amount: "2598.01", reference: "TK-2", ticket_count: "1" }, order()), [
      "mismatch amount=2598.00/2598.01 reference=TK-1/TK-2 ticket_count=2/1",
    ]);
    assert.deepEqual(
      compare({ amount: "2598,00", visit_date: "08/25/2026", status: "weird", qty: "1" }, order()),
      ["mismatch qty=2/1", "unreadable amount=-/2598,00 visit_date=2026-08-25/08/25/2026 status=-/weird"],
    );
  });

  test("a currency's minor unit decides, and several currencies are told apart by theirs", () => {
    const yen = order({ items: [{ ...ITEM, currency: "JPY", unitPriceMinor: 500 }] });
    assert.deepEqual(compare({ amount: "1000" }, yen), []);
    const mixed = order({ items: [ITEM, { ...ITEM, no: 2, currency: "USD", unitPriceMinor: 100 }] });
    assert.deepEqual(compare({ amount: "2", currency: "USD" }, mixed), []);
    assert.deepEqual(compare({ amount: "2" }, mixed), ["mismatch amount=-/2"]);
    const gold = order({ items: [{ ...ITEM, currency: "XAU" }] });
    assert.deepEqual(compare({ amount: "2" }, gold), ["mismatch amount=-/2"]);
  });

  test("rows of items are added up", () => {
    const twice = order({ items: [ITEM, { ...ITEM, no: 2, visitDate: "2026-08-26", qty: 1 }] });
    const rows = [
      row({ qty: "2", amount: "2598.00", visit_date: "2026-08-25", status: "ok" }),
      row({ qty: "1", amount: "1299", visit_date: "2026-08-26", status: "ok" }),
      row({ qty: "4", amount: "1", visit_date: "2026-08-26", status: "cancelled" }),
    ] as const;
    const fields: FieldName[] = ["qty", "amount", "visit_date", "status"];
    assert.deepEqual(compareKey(rows, [twice], rules({ fields, rowsAre: "items" })), []);
    const [difference] = compareKey([rows[0], rows[1]], [order()], rules({ fields, rowsAre: "items" }));
    assert.deepEqual(difference?.lines, [rows[0].line, rows[1].line]);
    assert.deepEqual(
      difference?.fields.map((each) => each.field),
      ["qty", "amount", "visit_date"],
    );
  });
});

suite("standing", () => {
  const IN_SALE: OrderStatus[] = [
    "ticketed",
    "ota_callback_pending",
    "ota_callback_delivered",
    "ota_callback_blocked",
    "ota_callback_exhausted",
  ];
  const agreeing = (side: "partner" | "ticketing", status: string | null) =>
    ORDER_STATUSES.filter(
      (ours) => compare(status === null ? {} : { status }, order({ status: ours }), { side }).length === 0,
    );

  test("which statuses agree with a word of theirs, or with being listed", () => {
    assert.deepEqual(agreeing("partner", "Booked"), [...IN_SALE, "closed"]);
    assert.deepEqual(agreeing("partner", "on hold"), ["accepted", "ticketing_processing", "closed"]);
    assert.deepEqual(agreeing("partner", "Refunded"), [
      "ticketing_blocked",
      "ticketing_exhausted",
      "cancelled",
      "closed",
    ]);
    assert.deepEqual(agreeing("partner", null), ["accepted", "ticketing_processing", ...IN_SALE, "closed"]);
    assert.deepEqual(agreeing("ticketing", null), [...IN_SALE, "closed"]);
    assert.equal(readStanding("ota_callback_delivered", READING), "confirmed");
  });

  test("each difference says what to do, as a command where there is one", () => {
    const advice = (side: "partner" | "ticketing", status: string | null, ours: OrderStatus) =>
      compareKey(
        [row(status === null ? {} : { status })],
        [order({ status: ours })],
        rules({ side, fields: status === null ? [] : ["status"] }),
      )[0]?.command ?? null;
    const reason = "--reason 'reconciliation'";
    assert.equal(advice("partner", "cancelled", "ticketing_processing"), `order cancel 1 ${reason}`);
    assert.equal(advice("partner", "cancelled", "ota_callback_delivered"), "order show 1");
    assert.equal(advice("partner", "sold", "ticketing_blocked"), `order retry 1 ${reason}`);
    assert.equal(advice("partner", "pending", "ota_callback_delivered"), `order resend 1 ${reason}`);
    assert.equal(advice("partner", "pending", "ota_callback_exhausted"), `order retry 1 ${reason}`);
    assert.equal(
      advice("ticketing", null, "ticketing_unknown"),
      `order resolve 1 --ticketed --code ... ${reason}`,
    );
    assert.equal(advice("ticketing", null, "cancelled"), "order show 1");
    const only = (side: "partner" | "ticketing", status: OrderStatus) =>
      compareOursOnly(order({ status }), rules({ side }))?.command ?? null;
    assert.equal(only("partner", "ota_callback_delivered"), `order resend 1 ${reason}`);
    assert.equal(only("partner", "ticketing_exhausted"), `order cancel 1 ${reason}`);
    assert.equal(only("ticketing", "ticketing_unknown"), `order resolve 1 --not-ticketed ${reason}`);
    assert.equal(only("ticketing", "ticketing_blocked"), null);
    for (const side of ["partner", "ticketing"] as const) {
      assert.equal(compareOursOnly(order({ status: "cancelled" }), rules({ side })), null);
      assert.equal(compareOursOnly(order({ status: "closed" }), rules({ side })), null);
    }
  });

  test("a row of theirs alone is a difference unless it is cancelled", () => {
    const of = (status: string) =>
      compareKey([row({ status })], [], rules({ fields: ["status"] })).map((each) => each.kind);
    assert.deepEqual([of("ok"), of("cancelled"), of("failed")], [["theirs_only"], [], []]);
  });
});

suite("repeats", () => {
  const kinds = (rows: number, ...orders: ExportedOrder[]) => {
    const [first, ...rest] = Array.from({ length: rows }, () => row({}));
    return compareKey([first!, ...rest], orders, rules()).map(({ kind, orderIds, lines }) => [
      kind,
      orderIds,
      lines.length,
    ]);
  };
  const second = order({ id: 2 });

  test("as many on both sides agree; cancelled ones of ours don't count", () => {
    assert.deepEqual(kinds(2, order(), second), []);
    assert.deepEqual(kinds(1, order({ status: "cancelled" }), second), []);
    assert.deepEqual(kinds(1, order(), second), [["repeated_ours", [1, 2], 1]]);
    assert.deepEqual(kinds(2, order()), [["repeated_theirs", [1], 2]]);
    assert.deepEqual(kinds(1, order({ status: "cancelled" }), order({ id: 2, status: "cancelled" })), [
      ["mismatch", [2], 1],
    ]);
  });

  test("a row that cancels ends what the rows before it say", () => {
    const rows = [row({ status: "ok", qty: "2" }), row({ status: "cancelled", qty: "-2" })] as const;
    const fields: FieldName[] = ["status"];
    assert.deepEqual(compareKey(rows, [order({ status: "cancelled" })], rules({ fields })), []);
    assert.equal(compareKey(rows, [order()], rules({ fields }))[0]?.kind, "mismatch");
  });
});

suite("keys and dates", () => {
  test("keys are the same whatever is around them, and of their partner", () => {
    assert.deepEqual(['="00123"', " ext-1\t", ""].map(normalKey), ["00123", "EXT-1", ""]);
    const both = rules({ fields: ["partner_id"] });
    assert.equal(theirKey(row({ partner_id: " demo " }), both), ourKey(order(), both));
    assert.notEqual(theirKey(row({ partner_id: "other" }), both), ourKey(order(), both));
    assert.equal(ourKey(order({ reference: null }), rules({ key: "reference", fields: ["partner_id"] })), "");
  });

  test("dates", () => {
    const cases: [string, string | null][] = [
      ["2026/4/3", "2026-04-03"],
      ["03-Apr-2026", "2026-04-03"],
      ["Apr 3, 2026 10:30 AM", "2026-04-03"],
      ["3.4.2026", "2026-04-03"],
      ["2026-04-03 22:00:00+00:00", "2026-04-04"],
      ["03/04/2026", null],
      ["2026-02-30", null],
      ["30-Foo-2026", null],
      ["soon", null],
      ["", null],
    ];
    for (const [text, expected] of cases) assert.equal(readDate(text, READING), expected, text);
    assert.equal(readDate("03/04/2026", { ...READING, dateOrder: "dmy" }), "2026-04-03");
    assert.equal(readDate("03/04/2026", { ...READING, dateOrder: "mdy" }), "2026-03-04");
  });
});
