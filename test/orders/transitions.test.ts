import assert from "node:assert/strict";
import { test } from "node:test";
import { afterAttempt, LOST, outcomeOfLost } from "../../src/orders/transitions.ts";
import type { Leg } from "../../src/orders/states.ts";

const SCHEDULE = { offsetsMs: [0, 2_000], jitterMs: 0 };
const after = (leg: Leg, outcome: Parameters<typeof afterAttempt>[1], attemptInRun = 1) =>
  afterAttempt(leg, outcome, { attemptInRun, runStartedAt: 0, startedAt: 0, endedAt: 10 }, SCHEDULE, null, 0);

test("what an attempt's outcome makes of its job and its order", () => {
  const ended = (job: string, order: string) => ({ job, dueAt: null, order });
  assert.deepEqual(after("ticketing", "done"), ended("succeeded", "ticketed"));
  assert.deepEqual(after("ticketing", "blocked"), ended("blocked", "ticketing_blocked"));
  assert.deepEqual(after("ticketing", "unknown"), ended("unknown", "ticketing_unknown"));
  assert.deepEqual(after("ticketing", "retry", 2), ended("exhausted", "ticketing_exhausted"));
  assert.deepEqual(after("callback", "done"), ended("succeeded", "ota_callback_delivered"));
  assert.deepEqual(after("callback", "blocked"), ended("blocked", "ota_callback_blocked"));
  assert.deepEqual(after("callback", "retry", 2), ended("exhausted", "ota_callback_exhausted"));
  for (const leg of ["ticketing", "callback"] as const) {
    assert.deepEqual(after(leg, "retry"), { job: "pending", dueAt: 2_000, order: null });
  }
});

test("an attempt whose process died: nobody knows, but only ticketing's is held", () => {
  assert.equal(LOST, "lost");
  assert.deepEqual(
    [outcomeOfLost("ticketing", "hold"), outcomeOfLost("ticketing", "retry")],
    ["unknown", "retry"],
  );
  assert.deepEqual(
    [outcomeOfLost("callback", "hold"), outcomeOfLost("callback", "retry")],
    ["retry", "retry"],
  );
});
