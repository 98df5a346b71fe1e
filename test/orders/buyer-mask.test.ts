import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBuyerMask } from "../../src/orders/buyer-mask.ts";

const payloadOf = (buyer: unknown): string =>
  `{"external_order_id":"E-1","big":12345678901234567890,"buyer":${JSON.stringify(buyer)}}`;

test("a buyer's values are hidden in whatever form others repeat them", () => {
  const { payload, text } = createBuyerMask(
    payloadOf({ name: "อเล็กซ์ O'Neil (VIP+)", phone: 66812345678, at: 'a/b"c' }),
  );
  assert.equal(
    payload,
    '{"external_order_id":"E-1","big":12345678901234567890,"buyer":{"name":"***","phone":"***","at":"***"}}',
  );
  assert.equal(text("no seat for o'neil, อเล็กซ์: 66812345678"), "no seat for ***, ***: ***");
  assert.equal(
    text(String.raw`{"guest":"\u0e2d\u0e40\u0e25\u0e47\u0e01\u0e0b\u0e4c","at":"a/b\"c"}`),
    '{"guest":"***","at":"***"}',
  );
});

test("what is no JSON hides all of itself, and an order without a buyer nothing", () => {
  assert.equal(createBuyerMask("{").text("anything"), "***");
  const none = createBuyerMask('{"items":[]}');
  assert.deepEqual(
    [none.payload, none.text("Alex"), none.value(["Alex", 1])],
    ['{"items":[]}', "Alex", ["Alex", 1]],
  );
});

test("no value of three characters or more gets through, whatever it holds", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", minLength: 3, maxLength: 40 }), { maxLength: 8 }),
      (values) => {
        const { payload, text } = createBuyerMask(payloadOf({ values }));
        const { buyer } = JSON.parse(payload) as { buyer: unknown };
        assert.deepEqual(buyer, { values: values.map(() => "***") });
        for (const value of values.filter((each) => each.trim().length >= 3 && !each.includes("*"))) {
          assert.ok(!text(`<<${value}>>`).includes(value.trim()), value);
        }
      },
    ),
  );
});
