import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { readErrorsSearch, startOfErrors } from "../../console/src/search/errors-search.ts";

test("a link to the last 24 hours means those before it is opened; one to a time stays", () => {
  const day = 86_400_000;
  for (const now of [Date.UTC(2026, 10, 23, 3), Date.UTC(2026, 10, 24, 3)]) {
    equal(startOfErrors("24h", now), now - day);
    equal(startOfErrors("2026-11-20T07:00:00+07:00", now), Date.UTC(2026, 10, 20));
  }
});

test("what a link to errors mistypes is left out: it opens, and never asks for a time that is none", () => {
  const whole = { since: "2026-11-20", leg: "callback", partner: "demo" };
  deepEqual(readErrorsSearch({ ...whole, bulk: "4" }), whole);
  deepEqual(readErrorsSearch({ since: "8h", leg: "both", partner: ["demo", "ota-one"] }), {
    partner: "demo",
  });
  deepEqual(readErrorsSearch({ since: "2026-13-45", partner: " " }), {});
  deepEqual(readErrorsSearch({ since: "+275760-09-13" }), {});
});
