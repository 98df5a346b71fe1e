import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BulkProgress } from "../../acts/bulk-progress.tsx";
import { BULK_WORDS, turnsOf } from "../../acts/bulk-words.ts";
import { bulkJobsQuery } from "../../api/bulk-queries.ts";
import { count, counted } from "../../format/words.ts";

const MOST = 3;

/** Bulk acts that run now, whoever began them. At the foot of the window: nothing moves when one begins or ends. */
export function BulkStrip() {
  const { data: jobs = [] } = useQuery(bulkJobsQuery);
  const running = jobs.filter(({ status }) => status === "running");
  if (running.length === 0) return null;
  return (
    <ul aria-label="Bulk acts that run" className="fixed inset-x-0 bottom-0 z-20 bg-panel">
      {running.slice(0, MOST).map((job) => (
        <li key={job.id}>
          <Link
            to="."
            search={(before) => ({ ...before, bulk: job.id })}
            className="num flex min-h-8 items-center gap-3 border-t border-line bg-work-soft px-3 text-work -outline-offset-2 hover:underline sm:px-5"
          >
            <span className="truncate">
              {BULK_WORDS[job.action].verb} {counted(job.total, "order")}, by {job.actor}
            </span>
            <BulkProgress job={job} className="min-w-16 flex-1" />
            <span className="whitespace-nowrap">
              {count(turnsOf(job))} of {count(job.total)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
