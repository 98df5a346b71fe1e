import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codesOfTicket } from "../../src/orders/ticket-codes.ts";

test("codes of tickets in the shapes that ticketing systems give", () => {
  const cases: [unknown, string[]][] = [
    ["8812-1", ["8812-1"]],
    [{ code: "TC-1", sku: "ADULT", visit_date: "2026-02-01" }, ["TC-1"]],
    [{ id: 4711, barcode: "88120001", type: "adult" }, ["4711", "88120001"]],
    [{ "Ticket-Number": "N-1", ticket_code: "N-2" }, ["N-1", "N-2"]],
    [{ deliveryOptions: [{ deliveryFormat: "QRCODE", deliveryValue: "Q-1" }] }, ["Q-1"]],
    [{ code: "Alex Smith", holder: "Alex", number: "" }, []],
    [{ code: { value: "NOT-BY-THIS-NAME" } }, []],
    [{ code: ["a", "b"] }, ["a", "b"]],
    [{ id: "1", code: "2", qr: "3", serial: "4", barcode: "5" }, ["1", "2", "3", "4"]],
    [{ code: "x".repeat(129) }, []],
    [null, []],
  ];
  for (const [ticket, codes] of cases)
    assert.deepEqual(codesOfTicket(JSON.stringify(ticket)), codes, JSON.stringify(ticket));
  assert.deepEqual(codesOfTicket("no JSON"), []);
});

test("whatever a ticket is, its codes are few and of one word", () => {
  fc.assert(
    fc.property(fc.json(), (body) => {
      const codes = codesOfTicket(body);
      assert.ok(codes.length <= 4 && codes.every((code) => /^[!-~]{1,128}$/.test(code)));
    }),
  );
});
