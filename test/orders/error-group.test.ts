import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { errorKindOf, type Failure, fingerprintOf, readFingerprint } from "../../src/orders/error-group.ts";
import { ATTEMPT_ERRORS } from "../../src/orders/outcome.ts";
import { LEGS } from "../../src/orders/states.ts";

const failure: Failure = {
  leg: "ticketing",
  code: 422,
  error: null,
  note: null,
  answer: null,
  callbackUrl: null,
};
const messageOf = (answer: string): string => errorKindOf({ ...failure, answer }).message;

test("what differs from order to order is taken out of what was said", () => {
  for (const [answer, message] of [
    [
      '{"message":"SKU \'ADULT-DAY\' is not on sale on 2026-08-25"}',
      "SKU <value> is not on sale on <n>-<n>-<n>",
    ],
    [
      '{"error":{"code":17,"detail":"no seat for \\"Alex Doe\\" (alex@example.com)"',
      "no seat for <value> <value>",
    ],
    ["order 0198f0c4-0000-7000-8000-000000000000 unknown, see deadbeef01", "order <id> unknown, see <id>"],
    ["<html><body>  Bad\n gateway </body>", "Bad gateway"],
    ["it can't be sold, isn't it", "it can't be sold, isn't it"],
    ["", ""],
  ] as const) {
    assert.equal(messageOf(answer), message);
  }
  assert.equal(
    errorKindOf({ ...failure, note: "connect ECONNREFUSED 10.0.0.5:8443", answer: "x" }).message,
    "connect ECONNREFUSED <n>.<n>.<n>.<n>:<n>",
  );
});

test("a fingerprint differs by leg, host, code, error and message, and by nothing else", () => {
  const of = (more: Partial<Failure>) =>
    fingerprintOf(errorKindOf({ ...failure, answer: "order 12 unknown", ...more }));
  assert.equal(of({}), of({ answer: "order 13 unknown" }));
  const url = "https://a.example/cb?key=1";
  const all = [
    of({}),
    of({ code: 500 }),
    of({ error: "reset" }),
    of({ answer: "no" }),
    of({ leg: "callback", callbackUrl: url }),
    of({ leg: "callback", callbackUrl: "https://b.example/" }),
  ];
  assert.equal(new Set(all).size, all.length);
  assert.equal(
    of({ leg: "callback", callbackUrl: url }),
    of({ leg: "callback", callbackUrl: "https://a.example/other" }),
  );
});

test("of whatever was said there is a fingerprint, which tells where to look", () => {
  const any = fc.record({
    leg: fc.constantFrom(...LEGS),
    code: fc.option(fc.integer({ min: 100, max: 999 }), { nil: null }),
    error: fc.option(fc.constantFrom(...ATTEMPT_ERRORS), { nil: null }),
    note: fc.option(fc.string({ unit: "binary", maxLength: 2000 }), { nil: null }),
    answer: fc.option(fc.string({ unit: "binary", maxLength: 2000 }), { nil: null }),
    callbackUrl: fc.option(fc.webUrl(), { nil: null }),
  });
  fc.assert(
    fc.property(any, (given) => {
      const kind = errorKindOf(given);
      assert.ok(kind.message.length <= 200 && kind.message.isWellFormed());
      const fingerprint = fingerprintOf(kind);
      assert.deepEqual(readFingerprint(fingerprint), {
        leg: given.leg,
        code: given.code,
        error: given.error,
      });
    }),
  );
  for (const text of [
    "",
    "ticketing",
    "ticketing:422:-:zz:-",
    "x:422:-:0123456789ab:-",
    "callback:-:nonsense:0123456789ab:h",
  ]) {
    assert.equal(readFingerprint(text), null, text);
  }
});
