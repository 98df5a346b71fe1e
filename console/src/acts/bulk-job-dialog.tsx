import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { BULK_RESULTS, type BulkResult } from "../../../src/orders/bulk.ts";
import { bulkJobQuery } from "../api/bulk-queries.ts";
import type { BulkJob } from "../api/types.ts";
import { span } from "../format/time.ts";
import { visible } from "../format/visible.ts";
import { count, counted } from "../format/words.ts";
import { useHeld } from "../live/use-live.ts";
import { useMayAct } from "../session/session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ProblemNotice } from "../ui/notice.tsx";
import { Skeleton } from "../ui/skeleton.tsx";
import { Time } from "../ui/time.tsx";
import { BulkProgress } from "./bulk-progress.tsx";
import { BulkResults } from "./bulk-results.tsx";
import { BulkStop } from "./bulk-stop.tsx";
import { BULK_WORDS, RESULT_FILTERS, secondsLeft, turnsOf } from "./bulk-words.ts";

interface Props {
  readonly id: number;
  readonly onClose: () => void;
}

/** A bulk job as it goes, and what became of each order. It is the server's: closing this ends nothing. */
export function BulkJobDialog({ id, onClose }: Props) {
  const [result, setResult] = useState<BulkResult | null>(null);
  const query = useInfiniteQuery(bulkJobQuery(id, result));
  const job = query.data?.pages[0];
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={job ? `${BULK_WORDS[job.action].verb} ${counted(job.total, "order")}` : `Bulk act ${id}`}
      description={job && <Begun job={job} />}
    >
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Skeleton rows={4} />}
      {job && (
        <div className="flex flex-col gap-3">
          <BulkProgress job={job} />
          <HowItGoes job={job} />
          <div role="group" aria-label="Results" className="flex flex-wrap gap-1">
            {[null, ...BULK_RESULTS].map((each) => (
              <Choice key={each} isChosen={each === result} onChoose={() => setResult(each)}>
                {each === null ? "All results" : RESULT_FILTERS[each]}
              </Choice>
            ))}
          </div>
          <BulkResults query={query} />
        </div>
      )}
    </Dialog>
  );
}

function Begun({ job }: { readonly job: BulkJob }) {
  return (
    <span className="wrap-anywhere">
      {job.actor}, <Time at={job.created_at} />: “{visible(job.reason)}”
    </span>
  );
}

/** In words, and the way to end it. */
function HowItGoes({ job }: { readonly job: BulkJob }) {
  const isHeld = useHeld();
  const mayAct = useMayAct();
  const isRunning = job.status === "running";
  const left = job.total - turnsOf(job);
  // What is retried may fail once more: nothing is settled yet.
  const isBegun = job.status === "done" && job.acted > 0 && ["retry", "resend"].includes(job.action);
  return (
    <div className="num flex min-h-8 flex-wrap items-start justify-between gap-2 text-ink-2">
      <p role="status">
        {count(job.acted)} {BULK_WORDS[job.action].done}
        {job.refused > 0 && `, ${count(job.refused)} refused`} of {count(job.total)}.{" "}
        {isRunning
          ? isHeld
            ? "The gateway is held: it goes on when that is lifted."
            : `About ${span(Math.ceil(secondsLeft(job)))} left, at most ${job.pace_per_sec} a second.`
          : job.status === "cancelled"
            ? `Stopped; ${counted(Math.max(0, left), "order")} had no turn.`
            : left > 0
              ? `Done; ${counted(left, "order")} had moved before their turn came.`
              : "Done."}
        {isBegun && " What fails again comes back to the orders that need attention."}
      </p>
      {isRunning && mayAct && <BulkStop id={job.id} />}
    </div>
  );
}

interface ChoiceProps {
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly children: ReactNode;
}

function Choice({ isChosen, onChoose, children }: ChoiceProps) {
  return (
    <Button
      kind="quiet"
      aria-pressed={isChosen}
      onClick={onChoose}
      className="aria-pressed:bg-accent-soft aria-pressed:text-accent"
    >
      {children}
    </Button>
  );
}
