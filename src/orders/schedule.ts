/**
 * When attempts are due. `offsetsMs[i]` is the distance of attempt i+1 from the start of its run; there are
 * as many attempts in a run as offsets (seed: 15 over five minutes).
 */
export interface RetrySchedule {
  readonly offsetsMs: readonly number[];
  /** Additive jitter, uniform in [0, jitterMs]. */
  readonly jitterMs: number;
}

/** One attempt of a run, as far as the schedule cares. Times in epoch milliseconds. */
export interface RunPosition {
  /** 1 for the first attempt since the job was made or last retried by an operator. */
  readonly attemptInRun: number;
  readonly runStartedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * When the next attempt of the run is due, or null when the run is over (SPEC section 4, "Schedule"):
 * start(i) + offset[i+1] - offset[i] + jitter, but not before attempt i ended, so that a stretch of downtime
 * shifts the schedule and never turns it into a burst.
 *
 * `retryAfterMs` (RFC 9110 section 10.2.3, of a 429 or 503, relative to the attempt's end) may put it off
 * further, at most to the end of the run's schedule.
 *
 * @param random uniform in [0, 1)
 */
export function nextDueAt(
  schedule: RetrySchedule,
  position: RunPosition,
  retryAfterMs: number | null,
  random: number,
): number | null {
  const { offsetsMs, jitterMs } = schedule;
  const current = offsetsMs[position.attemptInRun - 1];
  const next = offsetsMs[position.attemptInRun];
  if (current === undefined || next === undefined) return null;
  const due = Math.max(
    position.startedAt + (next - current) + Math.round(random * jitterMs),
    position.endedAt,
  );
  if (retryAfterMs === null) return due;
  const lastPlanned = position.runStartedAt + offsetsMs[offsetsMs.length - 1]!;
  return Math.min(Math.max(due, position.endedAt + retryAfterMs), Math.max(due, lastPlanned));
}
