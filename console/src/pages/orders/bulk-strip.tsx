import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { BulkProgress } from "../../acts/bulk-progress.tsx";
import { BULK_WORDS, turnsOf } from "../../acts/bulk-words.ts";
import { bulkJobsQuery } from "../../api/queries.ts";
import { count, counted } from "../../format/words.ts";

/** Bulk acts that run now, whoever began them. */
export function BulkStrip() {
  const { data: jobs = [] } = useQuery(bulkJobsQuery);
  const running = jobs.filter(({ status }) => status === "running");
  if (running.length === 0) return null;
  return (
    <ul aria-label="Bulk acts that run" className="flex flex-col gap-1">
      {running.map((job) => (
        <li key={job.id}>
          <Link
            to="."
            search={(before) => ({ ...before, bulk: job.id })}
            className="num flex min-h-8 items-center gap-3 rounded-md bg-work-soft px-3 text-work hover:underline"
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
