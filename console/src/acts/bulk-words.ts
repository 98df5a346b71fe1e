import type { BulkJob } from "../api/types.ts";
import type { BulkAction, BulkResult } from "../../../src/orders/bulk.ts";

interface Words {
  readonly verb: string;
  /** As in "300 can be retried". */
  readonly done: string;
  /** What it means, before anybody does it. */
  readonly meaning: string;
  /** True: there is no way back. */
  readonly isFinal: boolean;
}

export const BULK_WORDS: Record<BulkAction, Words> = {
  retry: {
    verb: "Retry",
    done: "retried",
    meaning:
      "Each begins a new run of attempts. Ticketing is asked with the same Idempotency-Key, partners are told the same bytes.",
    isFinal: false,
  },
  resend: {
    verb: "Resend",
    done: "resent",
    meaning: "Each partner is told once more of what it was told already, with the same bytes.",
    isFinal: false,
  },
  cancel: {
    verb: "Cancel",
    done: "cancelled",
    meaning: "No tickets are bought for them any more. What is cancelled stays cancelled.",
    isFinal: true,
  },
  close: {
    verb: "Close",
    done: "closed",
    meaning: "They were settled outside of the gateway: nothing more is done. What is closed stays closed.",
    isFinal: true,
  },
};

/** What became of an order, beside where it stands. */
export const RESULT_WORDS: Record<BulkResult, string> = {
  done: "Done",
  requested: "Asked for: the attempt in flight decides",
  refused: "Refused: it had moved",
  locked: "Passed over: somebody was at it",
};

export const RESULT_FILTERS: Record<BulkResult, string> = {
  done: "Done",
  requested: "Asked for",
  refused: "Refused",
  locked: "Passed over",
};

/** How many orders have had their turn. */
export const turnsOf = ({ acted, refused }: Pick<BulkJob, "acted" | "refused">): number => acted + refused;

/** A rate over less than this tells nothing. */
const MIN_ELAPSED_SECS = 3;

/**
 * Seconds until all have had their turn, at the slower of the job's pace and what it has really done so far. It may end sooner:
 * orders that move by themselves meanwhile have no turn.
 */
export function secondsLeft(job: BulkJob): number {
  const elapsedSecs = (Date.parse(job.updated_at) - Date.parse(job.created_at)) / 1000;
  const seen = elapsedSecs >= MIN_ELAPSED_SECS ? turnsOf(job) / elapsedSecs : job.pace_per_sec;
  const rate = seen > 0 ? Math.min(seen, job.pace_per_sec) : job.pace_per_sec;
  return Math.max(0, job.total - turnsOf(job)) / rate;
}
