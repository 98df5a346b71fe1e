import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addDecimals, decimalText, equalDecimals, readDecimal } from "../../src/lib/decimal.ts";

const read = (text: string, mark: "." | "," = "."): string | null => {
  const decimal = readDecimal(text, mark);
  return decimal === null ? null : decimalText(decimal);
};

test("numbers as people and spreadsheets write them", () => {
  const cases: [text: string, mark: "." | ",", expected: string | null][] = [
    ["1299.00", ".", "1299.00"],
    ["1,299.00", ".", "1299.00"],
    ["THB 1,299.5", ".", "1299.5"],
    ["12.50 €", ".", "12.50"],
    ["-€ 12.50", ".", "-12.50"],
    ["€ -12.50", ".", "-12.50"],
    ["(12.50)", ".", "-12.50"],
    ["12.50-", ".", "-12.50"],
    ["+7", ".", "7"],
    [".5", ".", "0.5"],
    ["1'299.00", ".", "1299.00"],
    ["1.299,00", ",", "1299.00"],
    ["1 299,00", ",", "1299.00"],
    ["1\u202f299,00 EUR", ",", "1299.00"],
    // Two readings, or none.
    ["12,50", ".", null],
    ["1.5", ",", null],
    ["1,29,900", ".", null],
    ["1.2.3", ".", null],
    ["--1", ".", null],
    ["(-1)", ".", null],
    ["", ".", null],
    ["abc", ".", null],
    ["1e3", ".", null],
    ["9".repeat(50), ".", null],
  ];
  for (const [text, mark, expected] of cases)
    assert.equal(read(text, mark), expected, `${text} with ${mark}`);
});

test("sums are exact, zeros at the end don't count, and what is written is read again", () => {
  const decimal = fc.record({ digits: fc.bigInt(-(10n ** 20n), 10n ** 20n), scale: fc.nat(6) });
  fc.assert(
    fc.property(decimal, decimal, (one, other) => {
      assert.ok(equalDecimals(readDecimal(decimalText(one), ".")!, one));
      assert.ok(equalDecimals(one, { digits: one.digits * 100n, scale: one.scale + 2 }));
      const back = { digits: -other.digits, scale: other.scale };
      assert.ok(equalDecimals(addDecimals(addDecimals(one, other), back), one));
      assert.equal(
        equalDecimals(one, other),
        one.digits * 10n ** BigInt(other.scale) === other.digits * 10n ** BigInt(one.scale),
      );
    }),
  );
});
