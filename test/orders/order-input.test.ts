import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { checkOrderInput } from "../../src/orders/order-input.ts";

const ITEM = { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" };
const ORDER = { external_order_id: "EXT-42", callback_url: "https://p.example/cb", items: [ITEM] };

/** The pointers that are complained of; none: taken. */
function pointers(value: unknown, notPlain: readonly string[] = []): string[] {
  const checked = checkOrderInput(value, notPlain);
  return checked.ok ? [] : checked.problems.map(({ pointer }) => pointer);
}
const withItem = (more: Record<string, unknown>) => ({ ...ORDER, items: [{ ...ITEM, ...more }] });

test("an order is taken as it is, with unknown fields at every level", () => {
  const order = {
    ...ORDER,
    items: [{ ...ITEM, seat: { row: 1 }, visit_date: "2028-02-29", visit_time: "23:59" }],
    buyer: { name: null, deep: [1] },
    loyalty: "gold",
  };
  const before = structuredClone(order);
  const checked = checkOrderInput(order, []);
  assert.ok(checked.ok);
  assert.equal(checked.order, order);
  assert.deepEqual(order, before);
});

test("what is missing is named, each once", () => {
  assert.deepEqual(pointers({}).toSorted(), ["/callback_url", "/external_order_id", "/items"]);
  assert.deepEqual(pointers({ ...ORDER, items: [{}] }).toSorted(), [
    "/items/0/currency",
    "/items/0/qty",
    "/items/0/sku",
    "/items/0/unit_price_minor",
  ]);
  for (const value of [null, [], "x", 1, true]) assert.deepEqual(pointers(value), [""]);
});

const REFUSED: Record<string, readonly unknown[]> = {
  sku: ["", "x".repeat(257), "a\u0000b", 7, null],
  qty: [0, -1, 10_001, 1.5, "2", null, true],
  unit_price_minor: [-1, 2 ** 53, 0.5, "100", null],
  currency: ["thb", "TH", "THBX", "", " THB", 764],
  visit_date: [
    "2027-02-29",
    "2026-13-01",
    "2026-00-10",
    "2026-04-31",
    "2026-1-01",
    "20260101",
    "1900-02-29",
    1,
  ],
  visit_time: ["24:00", "9:30", "09:60", "0930", "09:30:00", 930],
};
const TAKEN: Record<string, readonly unknown[]> = {
  sku: ["x", "บัตร 🎟️", "x".repeat(256)],
  qty: [1, 10_000],
  unit_price_minor: [0, Number.MAX_SAFE_INTEGER],
  currency: ["THB", "EUR"],
  visit_date: ["2028-02-29", "2000-02-29", "2026-12-31"],
  visit_time: ["00:00", "23:59"],
};

test("an item's fields, at their limits and beyond", () => {
  for (const [name, values] of Object.entries(REFUSED)) {
    for (const value of values) {
      assert.deepEqual(
        pointers(withItem({ [name]: value })),
        [`/items/0/${name}`],
        `${name} ${String(value)}`,
      );
    }
  }
  for (const [name, values] of Object.entries(TAKEN)) {
    for (const value of values) assert.deepEqual(pointers(withItem({ [name]: value })), []);
  }
});

test("the external order id is 1 to 128 visible ASCII characters, as it travels in a header", () => {
  for (const id of ["x", "~!", "x".repeat(128)]) {
    assert.deepEqual(pointers({ ...ORDER, external_order_id: id }), []);
  }
  for (const id of ["", "x".repeat(129), "a b", "é", "a\nb", "a\u007Fb", "x\n", 42, null]) {
    assert.deepEqual(
      pointers({ ...ORDER, external_order_id: id }),
      ["/external_order_id"],
      JSON.stringify(id),
    );
  }
});

test("the number of items is checked before the items", () => {
  const many = (count: number, item: unknown = ITEM) => ({ ...ORDER, items: Array(count).fill(item) });
  assert.deepEqual(pointers(many(500)), []);
  assert.deepEqual(pointers(many(501, {})), ["/items"]);
  assert.deepEqual(pointers(many(0)), ["/items"]);
  assert.deepEqual(pointers({ ...ORDER, items: "many" }), ["/items"]);
});

test("integers have to be written as integers, where they count", () => {
  const plain = ["/items/0/qty", "/items/0/unit_price_minor", "/items/0/weight", "/qty"];
  assert.deepEqual(pointers(ORDER, plain), ["/items/0/qty", "/items/0/unit_price_minor"]);
});

test("buyer is an object, whatever it holds", () => {
  for (const buyer of ["Alex", 1, null, true]) assert.deepEqual(pointers({ ...ORDER, buyer }), ["/buyer"]);
  assert.deepEqual(pointers({ ...ORDER, buyer: {} }), []);
});

test("at most 20 problems, each a pointer and a clause, for any JSON at all", () => {
  const bad = { ...ORDER, items: Array.from({ length: 100 }, () => ({ ...ITEM, qty: 0 })) };
  assert.equal(pointers(bad).length, 20);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (value, items) => {
      for (const each of [value, { ...ORDER, items }, { ...ORDER, items: [items] }]) {
        const checked = checkOrderInput(each, []);
        if (checked.ok) continue;
        assert.ok(checked.problems.length >= 1 && checked.problems.length <= 20);
        for (const { pointer, detail } of checked.problems) {
          assert.match(pointer, /^(\/|$)/);
          assert.match(detail, /^(must be|is required)/);
        }
      }
    }),
    { numRuns: 300 },
  );
});
