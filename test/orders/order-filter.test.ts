import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ANY_ORDER, type OrderFilter } from "../../src/orders/order-filter.ts";
import { orderFilterQuery, readOrderFilter } from "../../src/orders/order-filter-fields.ts";
import { ATTEMPT_ERRORS } from "../../src/orders/outcome.ts";
import { ORDER_STATUSES } from "../../src/orders/states.ts";

const word = fc.stringMatching(/^[!-~]{1,60}$/);
const date = fc.stringMatching(/^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$/);
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });
const filters: fc.Arbitrary<OrderFilter> = fc.record(
  {
    q: orNull(word),
    statuses: fc.uniqueArray(fc.constantFrom(...ORDER_STATUSES)),
    partnerId: orNull(word),
    createdFrom: orNull(time),
    createdBefore: orNull(time),
    visitFrom: orNull(date),
    visitTo: orNull(date),
    code: orNull(fc.integer({ min: 100, max: 999 })),
    error: orNull(fc.constantFrom(...ATTEMPT_ERRORS)),
    pastDue: fc.boolean(),
    errorGroup: orNull(word),
    ids: orNull(
      fc.array(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { minLength: 1, maxLength: 9 }),
    ),
  },
  { noNullPrototype: true },
);

/** As a query string is parsed: a name that comes once is a text, else a list of texts. */
function parsed(query: URLSearchParams): object {
  return Object.fromEntries(
    [...new Set(query.keys())].map((name) => {
      const values = query.getAll(name);
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

test("a filter is the same after its way through a query string", () => {
  fc.assert(
    fc.property(filters, (filter) => {
      const query = new URLSearchParams(orderFilterQuery(filter).toString());
      assert.deepEqual(readOrderFilter(parsed(query)), { ok: true, filter });
    }),
  );
});

test("nothing given is any order; a JSON body may bring numbers, booleans and lists", () => {
  assert.deepEqual(readOrderFilter({}), { ok: true, filter: ANY_ORDER });
  const given = { code: 503, past_due: true, id: [1, "2"], status: ["closed", "closed"] };
  assert.deepEqual(readOrderFilter(given), {
    ok: true,
    filter: { ...ANY_ORDER, code: 503, pastDue: true, ids: [1, 2], statuses: ["closed"] },
  });
});

test("times and dates", () => {
  const from = (text: string) => {
    const read = readOrderFilter({ created_from: text });
    return read.ok ? read.filter.createdFrom : null;
  };
  const at = Date.UTC(2026, 7, 25, 7, 9);
  for (const text of ["2026-08-25T07:09Z", "2026-08-25T09:09:00.000+02:00", "2026-08-25T09:09:00 02:00"])
    assert.equal(from(text), at, text);
  assert.equal(from("2026-08-25"), Date.UTC(2026, 7, 25));
  for (const text of [
    "2026-02-30",
    "2026-08-25T25:00Z",
    "2026-08-25T07:09",
    "yesterday",
    "1787616000000",
    "",
  ])
    assert.equal(from(text), null, text);
});

test("what is wrong is refused as a whole, with each name and what it must be", () => {
  const given = {
    state: "closed",
    status: "nowhere",
    partner: ["a", "b"],
    code: "99",
    error: "odd",
    past_due: "yes",
    q: " ",
    visit_from: "2026-02-30",
    id: { 1: 1 },
    "a/~b": 1,
    visit_to: null,
    error_group: "a\u0000b",
  };
  const read = readOrderFilter(given);
  assert.ok(!read.ok);
  const pointers = Object.keys(given).map((name) => (name === "a/~b" ? "/a~1~0b" : `/${name}`));
  assert.deepEqual(
    read.problems.map(({ pointer }) => pointer),
    pointers,
  );
  assert.match(read.problems[0]!.detail, /^is unknown; known are q, status, /);
  assert.equal(read.problems[2]!.detail, "must be given once");
  assert.match(read.problems[3]!.detail, /^must be an HTTP status/);
  for (const name of ["__proto__", "constructor", "toString"])
    assert.equal(readOrderFilter(JSON.parse(`{"${name}": "x"}`) as object).ok, false, name);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`x${n}`, ""]));
  const lots = readOrderFilter(many);
  assert.equal(lots.ok ? 0 : lots.problems.length, 20);
});
