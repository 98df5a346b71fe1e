import assert from "node:assert/strict";
import { test } from "node:test";
import type { Moment } from "../../console/src/api/types.ts";
import { timelineRows } from "../../console/src/pages/order/timeline/timeline-rows.ts";

const AT = Date.parse("2026-08-25T07:09:55.000Z");

/** The n-th thing that happens, a second after the one before. */
function moments(...told: readonly Partial<Moment>[]): Moment[] {
  return told.map((each, n) => ({
    at: new Date(AT + n * 1000).toISOString(),
    what: "attempt",
    leg: null,
    event: null,
    no: null,
    code: null,
    error: null,
    duration_ms: null,
    note: null,
    actor: null,
    action: null,
    answer: null,
    ...each,
  }));
}
const failed = (count: number, code = 503): Partial<Moment>[] =>
  Array.from({ length: count }, (_, n) => ({ leg: "ticketing", no: n + 1, code }));
const shape = (timeline: readonly Moment[]): string[] =>
  timelineRows(timeline).map((row) => {
    if (row.kind === "heading") return `${row.lane}:`;
    return row.kind === "run" ? `run of ${row.entries.length}` : row.entry.moment.what;
  });

test("many attempts alike are one line, but for the last; few are shown one by one", () => {
  const received = { what: "received" } as const;
  assert.deepEqual(shape(moments(received, ...failed(3))), [
    "ticketing:",
    "received",
    ...Array(3).fill("attempt"),
  ]);
  assert.deepEqual(shape(moments(received, ...failed(14))), [
    "ticketing:",
    "received",
    "run of 13",
    "attempt",
  ]);
  const mixed = moments(received, ...failed(5), ...failed(1, 502), ...failed(4));
  assert.deepEqual(shape(mixed), [
    "ticketing:",
    "received",
    "run of 4",
    "attempt",
    "attempt",
    "run of 3",
    "attempt",
  ]);
});

test("a run keeps its name while it grows, so that one that is open stays open", () => {
  const keyOf = (count: number): string[] =>
    timelineRows(moments(...failed(count))).flatMap((row) => (row.kind === "run" ? [row.key] : []));
  assert.deepEqual(keyOf(5), keyOf(12));
});

test("every line stands in its leg's lane, and a heading tells where it changes", () => {
  const told = { leg: "callback", event: "order.ticketed", code: 200, no: 1 } as const;
  const timeline = moments(
    { what: "received" },
    { leg: "ticketing", no: 1, code: 503 },
    { what: "action", actor: "olga", action: "reveal" },
    { what: "event", event: "order.exhausted" },
    { leg: "callback", event: "order.exhausted", no: 1, code: 200 },
    { what: "action", actor: "olga", action: "retry ticketing" },
    { leg: "ticketing", no: 2, code: 200 },
    { what: "ticketed" },
    told,
    { what: "delivered" },
    { what: "action", actor: "olga", action: "resend callback" },
    { ...told, no: 2 },
  );
  const lanes = timelineRows(timeline).map(({ kind, lane }) =>
    kind === "heading" ? lane.toUpperCase() : lane,
  );
  const [t, c] = ["ticketing", "callback"];
  assert.deepEqual(lanes, [
    "TICKETING",
    t,
    t,
    t,
    "CALLBACK",
    c,
    c,
    "TICKETING",
    t,
    t,
    t,
    "CALLBACK",
    c,
    c,
    c,
    c,
  ]);
  const keys = timelineRows([...timeline, timeline[1]!]).map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length);
});
