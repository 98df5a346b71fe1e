import type { BulkJob } from "../api/types.ts";
import { BULK_WORDS, turnsOf } from "./bulk-words.ts";

const FILLS = { running: "bg-work", done: "bg-good", cancelled: "bg-rest" } as const;

/** How many of its orders have had their turn, as a bar. */
export function BulkProgress({
  job,
  className = "",
}: {
  readonly job: BulkJob;
  readonly className?: string;
}) {
  const turns = turnsOf(job);
  const share = job.status === "done" ? 1 : job.total === 0 ? 0 : Math.min(1, turns / job.total);
  return (
    <div
      role="progressbar"
      aria-label={`${BULK_WORDS[job.action].verb}: orders that had their turn`}
      aria-valuemin={0}
      aria-valuemax={Math.max(job.total, turns)}
      aria-valuenow={turns}
      className={`h-1.5 overflow-hidden rounded-full bg-rest-soft ${className}`}
    >
      <div
        className={`h-full origin-left transition-transform duration-500 ${FILLS[job.status]}`}
        style={{ transform: `scaleX(${share})` }}
      />
    </div>
  );
}
