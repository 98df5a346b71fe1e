import type { Clock } from "../../src/lib/clock.ts";

/** A clock that stands until it is moved: the database is told its time with every statement. */
export interface FakeClock extends Clock {
  nowMs: number;
  advance(ms: number): void;
}

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  const clock: FakeClock = {
    nowMs: startMs,
    advance(ms) {
      clock.nowMs += ms;
    },
    statementNow: () => clock.nowMs,
    wallMs: () => clock.nowMs,
    monotonicMs: () => clock.nowMs,
  };
  return clock;
}
