import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dayOf, isTimeZone, startOfDay } from "../../src/lib/zoned-day.ts";

test("a day begins at its zone's midnight", () => {
  assert.equal(startOfDay("2026-08-25", "UTC"), Date.UTC(2026, 7, 25));
  assert.equal(startOfDay("2026-08-25", "Asia/Bangkok"), Date.UTC(2026, 7, 24, 17));
  assert.equal(startOfDay("2026-03-08", "America/New_York"), Date.UTC(2026, 2, 8, 5));
  // The clock is put on at midnight: the day begins at one.
  assert.equal(startOfDay("2026-04-24", "Africa/Cairo"), Date.UTC(2026, 3, 23, 22));
  assert.equal(dayOf(Date.UTC(2026, 7, 24, 17), "Asia/Bangkok"), "2026-08-25");
  assert.deepEqual(["UTC", "Europe/Berlin", "Moon/Base", ""].map(isTimeZone), [true, true, false, false]);
});

test("the moment before the start is of the day before", () => {
  const zones = fc.constantFrom(
    "UTC",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Kiritimati",
    "Pacific/Niue",
    "Africa/Cairo",
  );
  const days = fc
    .integer({ min: 0, max: 20_000 })
    .map((n) => new Date(n * 86_400_000).toISOString().slice(0, 10));
  fc.assert(
    fc.property(zones, days, (zone, day) => {
      const start = startOfDay(day, zone);
      assert.ok(dayOf(start, zone) >= day);
      assert.ok(dayOf(start - 1000, zone) < day);
    }),
  );
});
