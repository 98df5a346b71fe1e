import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { nextDueAt, type RetrySchedule, type RunPosition } from "../../src/orders/schedule.ts";
import { SEED_OFFSETS_SECS } from "../support/way.ts";

const SEED: RetrySchedule = { offsetsMs: SEED_OFFSETS_SECS.map((secs) => secs * 1000), jitterMs: 1_000 };
const START = 1_700_000_000_000;

function at(attemptInRun: number, more: Partial<RunPosition> = {}): RunPosition {
  const startedAt = START + SEED.offsetsMs[attemptInRun - 1]!;
  return { attemptInRun, runStartedAt: START, startedAt, endedAt: startedAt, ...more };
}

test("the seed's schedule, without chance: attempt i+1 is due at its offset, and the 15th is the last", () => {
  for (let no = 1; no < 15; no += 1) {
    assert.equal(nextDueAt(SEED, at(no), null, 0), START + SEED.offsetsMs[no]!, `after attempt ${no}`);
  }
  for (const no of [15, 16, 100]) assert.equal(nextDueAt(SEED, at(14, { attemptInRun: no }), null, 0), null);
});

test("jitter is added, up to its bound, never taken away", () => {
  assert.equal(nextDueAt(SEED, at(1), null, 0.5), START + 2_500);
  assert.equal(nextDueAt(SEED, at(1), null, 0.9999), START + 3_000);
});

test("an attempt that outlasts the gap is followed at once, not sooner", () => {
  assert.equal(nextDueAt(SEED, at(1, { endedAt: START + 9_000 }), null, 0.9), START + 9_000);
});

test("downtime shifts the schedule: the gap counts from when the attempt really began", () => {
  const late = START + 3_600_000;
  assert.equal(nextDueAt(SEED, at(3, { startedAt: late, endedAt: late + 5 }), null, 0), late + 6_000);
});

test("Retry-After puts off, at most to the end of the run, and never hurries", () => {
  assert.equal(nextDueAt(SEED, at(1), 40_000, 0), START + 40_000);
  assert.equal(nextDueAt(SEED, at(1, { endedAt: START + 500 }), 40_000, 0), START + 40_500);
  assert.equal(nextDueAt(SEED, at(1), 1, 0), START + 2_000);
  assert.equal(nextDueAt(SEED, at(1), 86_400_000, 0), START + 300_000);
  const late = START + 500_000;
  const position = at(14, { startedAt: late, endedAt: late });
  assert.equal(nextDueAt(SEED, position, 86_400_000, 0), late + 30_000, "past the end the plain gap holds");
  assert.equal(nextDueAt(SEED, at(15), 1_000, 0), null, "no attempt is added");
});

const anySchedule = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 600_000 }), { minLength: 1, maxLength: 100 }), fc.nat(10_000))
  .map(([gaps, jitterMs]): RetrySchedule => {
    let sum = 0;
    return { offsetsMs: gaps.map((gap, index) => (index === 0 ? 0 : (sum += gap))), jitterMs };
  });

test("any schedule, any delays: due within bounds, never before the end, exactly so many attempts", () => {
  fc.assert(
    fc.property(
      anySchedule,
      fc.array(
        fc.record({
          waits: fc.nat(100_000),
          lasts: fc.nat(20_000),
          random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          retryAfter: fc.option(fc.nat(1_000_000)),
        }),
        { minLength: 101, maxLength: 101 },
      ),
      (schedule, attempts) => {
        const { offsetsMs, jitterMs } = schedule;
        let due = START;
        let runStartedAt: number | null = null;
        for (const [index, { waits, lasts, random, retryAfter }] of attempts.entries()) {
          const startedAt = due + waits;
          runStartedAt ??= startedAt;
          const endedAt = startedAt + lasts;
          const position = { attemptInRun: index + 1, runStartedAt, startedAt, endedAt };
          const next = nextDueAt(schedule, position, retryAfter, random);
          assert.equal(next === null, index + 1 >= offsetsMs.length, `attempt ${index + 1}`);
          if (next === null) return;
          const gap = offsetsMs[index + 1]! - offsetsMs[index]!;
          const plain = nextDueAt(schedule, position, null, random)!;
          assert.ok(plain >= endedAt && plain >= startedAt + gap);
          assert.ok(plain <= Math.max(endedAt, startedAt + gap + jitterMs));
          assert.ok(next >= plain && next <= Math.max(plain, runStartedAt + offsetsMs.at(-1)!));
          if (retryAfter !== null) assert.ok(next <= Math.max(plain, endedAt + retryAfter));
          due = next;
        }
      },
    ),
    { numRuns: 300 },
  );
});
