import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { BulkResult } from "../../../src/orders/bulk.ts";
import { call } from "./client.ts";
import type { BulkJob, BulkOrderResult } from "./types.ts";

type BulkJobWithResults = BulkJob & {
  readonly results: readonly BulkOrderResult[];
  readonly next_after: number | null;
};

/** How often bulk jobs that run are looked at: no look of the live stream tells of them. */
const BULK_EVERY_MS = 2_000;
const BULK_AT_REST_MS = 30_000;
const paceOf = (jobs: readonly BulkJob[]): number =>
  jobs.some(({ status }) => status === "running") ? BULK_EVERY_MS : BULK_AT_REST_MS;

/** The newest ones. */
export const bulkJobsQuery = queryOptions({
  queryKey: ["bulk"],
  queryFn: ({ signal }) => call<BulkJob[]>("admin/bulk", { signal, background: true }),
  refetchInterval: ({ state }) => paceOf(state.data ?? []),
});

/** A bulk job with what became of its orders, page by page; the job as it is now stands in each page. */
export const bulkJobQuery = (id: number, result: BulkResult | null) =>
  infiniteQueryOptions({
    queryKey: ["bulk", id, result],
    queryFn: ({ pageParam, signal }) =>
      call<BulkJobWithResults>(`admin/bulk/${id}`, {
        query: { result, after: pageParam },
        signal,
        background: true,
      }),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next_after,
    refetchInterval: ({ state }) => (state.data?.pages[0]?.status === "running" ? BULK_EVERY_MS : false),
    placeholderData: keepPreviousData,
  });
