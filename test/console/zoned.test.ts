import { test } from "node:test";
import assert from "node:assert/strict";
import { dayAfter, daysBetween, epochOf, wallIn } from "../../console/src/format/zoned.ts";

const utc = (epochMs: number): string => new Date(epochMs).toISOString();

test("what a field says by the venue's clocks, and back", () => {
  for (const [wall, zone, at] of [
    ["2026-08-25T14:30", "Asia/Bangkok", "2026-08-25T07:30:00.000Z"],
    ["2026-08-25T14:30", "UTC", "2026-08-25T14:30:00.000Z"],
    ["2026-08-25T00:05", "America/St_Johns", "2026-08-25T02:35:00.000Z"],
    // The clocks of that day go back at 4:00, and on at 3:00: before and after.
    ["2026-10-25T02:59", "Europe/Athens", "2026-10-24T23:59:00.000Z"],
    ["2026-10-25T04:00", "Europe/Athens", "2026-10-25T02:00:00.000Z"],
    ["2026-03-29T02:59", "Europe/Athens", "2026-03-29T00:59:00.000Z"],
    ["2026-03-29T04:00", "Europe/Athens", "2026-03-29T01:00:00.000Z"],
  ] as const) {
    assert.equal(utc(epochOf(wall, zone)), at, `${wall} ${zone}`);
    assert.equal(wallIn(Date.parse(at), zone), wall);
  }
});

test("a day begins at its midnight", () => {
  assert.equal(utc(epochOf("2026-08-25", "Asia/Bangkok")), "2026-08-24T17:00:00.000Z");
  assert.equal(utc(epochOf("2026-03-29", "Europe/Athens")), "2026-03-28T22:00:00.000Z");
});

test("days follow each other", () => {
  assert.equal(dayAfter("2026-12-31"), "2027-01-01");
  assert.equal(dayAfter("2028-02-28"), "2028-02-29");
  assert.equal(daysBetween("2026-02-27", "2026-03-02"), 3);
});
