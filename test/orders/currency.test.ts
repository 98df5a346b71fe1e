import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { toDecimal } from "../../src/orders/currency.ts";

test("minor units become decimals by ISO 4217's exponents, which are not those of Intl", () => {
  for (const [minor, currency, expected] of [
    [129_900, "THB", "1299.00"],
    [5, "EUR", "0.05"],
    [0, "USD", "0.00"],
    [500, "JPY", "500"],
    [0, "JPY", "0"],
    [50_000, "UGX", "50000"],
    [1_500, "KWD", "1.500"],
    [1, "TND", "0.001"],
    [12_345, "CLF", "1.2345"],
    [100_000, "IDR", "1000.00"],
    [100_000, "HUF", "1000.00"],
    [100_000, "IQD", "100.000"],
    [-5, "EUR", "-0.05"],
    ["-0", "EUR", "0.00"],
    ["-0", "JPY", "0"],
    [Number.MAX_SAFE_INTEGER, "THB", "90071992547409.91"],
    [90_071_992_547_409_910_000n, "THB", "900719925474099100.00"],
    ["90071992547409910001", "THB", "900719925474099100.01"],
  ] as const) {
    assert.equal(toDecimal(minor, currency), expected, `${minor} ${currency}`);
  }
});

test("no amount is guessed", () => {
  for (const minor of [
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53,
    "",
    "1.5",
    "1e3",
    "007",
    " 1",
    "+1",
    "9".repeat(41),
  ]) {
    assert.throws(() => toDecimal(minor, "THB"), RangeError, String(minor));
  }
  for (const currency of ["XAU", "XXX", "XDR", "thb", "TH", ""]) {
    assert.throws(() => toDecimal(1, currency), RangeError, currency);
  }
});

test("any amount: the digits are all there, and always as many decimals", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (minor) => {
      const decimal = toDecimal(minor, "KWD");
      assert.match(decimal, /^-?(0|[1-9]\d*)\.\d{3}$/);
      assert.equal(BigInt(decimal.replace(".", "")), minor);
    }),
  );
});
