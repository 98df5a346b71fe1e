import assert from "node:assert/strict";
import { test } from "node:test";
import { timelineOf } from "../../src/orders/order-timeline.ts";

const RESULT = { no: 1, code: 200, error: null, duration_ms: 5, answer: null, note: null };

test("what is of one time stands in the order of the way: the late answer, the tickets, the callback", () => {
  const moments = timelineOf(
    {
      order: { created_at: 1, ticketed_at: 9, delivered_at: 9 },
      ticketing: { attempts: [{ ...RESULT, code: null, error: "lost", at: 2 }] },
      callbacks: [{ job: { event: "order.ticketed", created_at: 9 }, attempts: [{ ...RESULT, at: 9 }] }],
      late: [{ ...RESULT, at: 2, leg: "ticketing", recorded_at: 9 }],
      actions: [],
    },
    [],
  );
  assert.deepEqual(
    moments.map(({ what, leg, at }) => [what, leg, at]),
    [
      ["received", null, 1],
      ["attempt", "ticketing", 2],
      ["late_result", "ticketing", 9],
      ["ticketed", null, 9],
      ["attempt", "callback", 9],
      ["delivered", null, 9],
    ],
  );
});
