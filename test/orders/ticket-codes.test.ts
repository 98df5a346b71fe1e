import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { codeOfTicket } from "../../src/orders/ticket-codes.ts";

test("the code of tickets in the shapes that ticketing systems give", () => {
  const cases: [unknown, string | null][] = [
    ["8812-1", "8812-1"],
    ["Alex Smith", null],
    [{ code: "TC-1", sku: "ADULT", visit_date: "2026-02-01" }, "TC-1"],
    [{ id: 4711, barcode: "88120001", type: "adult" }, "88120001"],
    [{ id: 4711, type: "adult" }, "4711"],
    [{ "Ticket-Number": "N-1", ticket_code: "N-2" }, "N-2"],
    [{ ticketCode: "first", ticket_code: "second" }, "first"],
    [{ deliveryFormat: "QRCODE", deliveryValue: "Q-1", reference: "R-1" }, "Q-1"],
    [{ code: "Alex Smith", holder: "Alex", number: "" }, null],
    [{ code: "Alex Smith", serial: "S-1" }, "S-1"],
    [{ code: { value: "not by this name" }, id: 1.5 }, null],
    [{ code: "x".repeat(128) }, "x".repeat(128)],
    [{ code: "x".repeat(129) }, null],
    [{ ["code".padEnd(64)]: "a name too long to be looked at" }, null],
    [null, null],
  ];
  for (const [ticket, code] of cases)
    assert.equal(codeOfTicket(JSON.stringify(ticket)), code, JSON.stringify(ticket));
  assert.equal(codeOfTicket("no JSON"), null);
});

test("whatever a ticket is, its code is one word", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("code", "QR", "x"), (inner, name) => {
      for (const body of [inner, `{"${name}":${inner}}`]) {
        const code = codeOfTicket(body);
        assert.ok(code === null || /^[!-~]{1,128}$/.test(code));
      }
    }),
  );
});
