import { Link } from "@tanstack/react-router";
import type { BulkJob } from "../api/types.ts";
import { visible } from "../format/visible.ts";
import { count, counted } from "../format/words.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Time } from "../ui/time.tsx";
import { BULK_WORDS } from "./bulk-words.ts";

interface Props {
  readonly jobs: readonly BulkJob[];
  readonly onClose: () => void;
}

/** Bulk acts, the newest first; each opens with its results. */
export function BulkList({ jobs, onClose }: Props) {
  return (
    <Dialog open wide onClose={onClose} title="Bulk acts of the last day">
      <ul className="divide-y divide-line">
        {jobs.map((job) => (
          <li key={job.id}>
            <Link
              to="."
              search={(before) => ({ ...before, bulk: job.id })}
              onClick={onClose}
              className="num flex flex-wrap items-baseline gap-x-3 px-1 py-2 hover:bg-hover"
            >
              <span className="font-medium text-accent">
                {BULK_WORDS[job.action].verb} {counted(job.total, "order")}
              </span>
              <span className="text-ink-2">{outcomeOf(job)}</span>
              <span className="ms-auto text-ink-3">
                {job.actor}, <Time at={job.created_at} />
              </span>
              <span className="w-full truncate text-ink-2">“{visible(job.reason)}”</span>
            </Link>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function outcomeOf({ action, status, acted, refused }: BulkJob): string {
  const done = `${count(acted)} ${BULK_WORDS[action].done}${refused > 0 ? `, ${count(refused)} refused` : ""}`;
  return status === "running" ? `${done} so far` : status === "cancelled" ? `${done}, then stopped` : done;
}
