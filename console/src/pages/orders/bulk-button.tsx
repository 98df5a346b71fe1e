import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { bulkJobsQuery } from "../../api/bulk-queries.ts";
import { gatewayTime } from "../../api/gateway-clock.ts";
import { Button } from "../../ui/button.tsx";

const BulkList = lazy(() =>
  import("../../acts/bulk-list.tsx").then(({ BulkList }) => ({ default: BulkList })),
);

const DAY_MS = 86_400_000;

/** Opens the bulk acts of the last day. Where there are none, there is no button. */
export function BulkButton() {
  const [isOpen, setOpen] = useState(false);
  const { data: jobs = [], dataUpdatedAt } = useQuery(bulkJobsQuery);
  const recent = jobs.filter(
    (job) => job.ended_at === null || Date.parse(job.ended_at) > gatewayTime(dataUpdatedAt) - DAY_MS,
  );
  if (recent.length === 0) return null;
  return (
    <>
      <Button kind="quiet" onClick={() => setOpen(true)}>
        Bulk acts <span className="num text-ink-3">{recent.length}</span>
      </Button>
      <Suspense>{isOpen && <BulkList jobs={recent} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
