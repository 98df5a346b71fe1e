import type { Clock } from "../lib/clock.ts";

/**
 * A lower bound for the due times that a claim looks at (SPEC section 5). Settled jobs leave dead entries behind in the index
 * of due jobs, and somebody's long snapshot (a backup) keeps them there; a claim that begins behind them doesn't pay for them.
 *
 * Whatever the bound hides, because it was committed late or belongs to a partner who had no slot free, is found
 * by a full look every few seconds.
 */
export interface Watermark {
  begin(): Look;
}

export interface Look {
  /** Epoch milliseconds; 0: a full look. */
  readonly since: number;
  /** @param sawAll everything that was due has been taken */
  end(result: { sawAll: boolean; jobs: readonly { readonly startedAt: number }[] }): void;
}

const FULL_LOOK_EVERY_MS = 2_000;
/** Clocks differ, and a row may be committed a moment after its due time was written. */
const SLACK_MS = 5_000;

export function createWatermark(clock: Clock): Watermark {
  let since = 0;
  let lastFullLook = Number.NEGATIVE_INFINITY;
  return {
    begin() {
      const begunAt = clock.monotonicMs();
      const isFull = begunAt - lastFullLook >= FULL_LOOK_EVERY_MS;
      if (isFull) lastFullLook = begunAt;
      return {
        since: isFull ? 0 : since,
        end({ sawAll, jobs }) {
          const claimedAt = jobs[0]?.startedAt;
          if (sawAll && claimedAt !== undefined) since = Math.max(since, claimedAt - SLACK_MS);
        },
      };
    },
  };
}
