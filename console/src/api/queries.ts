import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { BulkResult } from "../../../src/orders/bulk.ts";
import { startOfErrors } from "../errors-search.ts";
import { ApiProblem, call, type Query } from "./client.ts";
import type {
  AuthEvent,
  BulkJob,
  BulkOrderResult,
  Counts,
  ErrorGroups,
  ListedOrder,
  OrderStory,
  Overview,
  PartnerWithStanding,
  Rejection,
} from "./types.ts";

/** Who is signed in, and what the gateway tells every page. */
export interface Session {
  readonly name: string;
  readonly role: "viewer" | "operator";
  /** True: `serve --dev`. */
  readonly development: boolean;
  /** IANA name: the venue's. */
  readonly time_zone: string;
  /** Of the retry schedule. */
  readonly attempts_per_run: number;
  readonly version: string;
  readonly session: { readonly idle_until: string; readonly ends_at: string } | null;
}

const PAGE = 50;

/** Null: nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await call<Session>("admin/session", { signal, background: true });
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
  gcTime: Infinity,
});

/** Orders of a filter, which is a query of `GET /admin/orders`, page by page. */
export function ordersQuery(filter: Query) {
  return infiniteQueryOptions({
    queryKey: ["orders", filter],
    queryFn: ({ pageParam, signal }) =>
      call<{ orders: ListedOrder[]; next: string | null }>("admin/orders", {
        query: { ...filter, limit: PAGE, cursor: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });
}

/** Orders by their ids, as they are now. For what is on the screen already. */
export function ordersNow(ids: readonly number[], signal?: AbortSignal) {
  return call<{ orders: ListedOrder[] }>("admin/orders", {
    query: { id: ids, limit: 200 },
    background: true,
    signal,
  });
}

export const countsQuery = (filter: Query, background = false) =>
  queryOptions({
    queryKey: ["counts", filter],
    queryFn: ({ signal }) => call<Counts>("admin/orders/counts", { query: filter, signal, background }),
  });

export const orderQuery = (id: number) =>
  queryOptions({
    queryKey: ["order", id],
    queryFn: ({ signal, client, queryKey }) => {
      // Somebody opens it; from then on it keeps itself up to date.
      const background = client.getQueryData(queryKey) !== undefined;
      return call<OrderStory>(`admin/orders/${id}`, { signal, background });
    },
  });

/** @param since a span that ends now, or a time: see {@link startOfErrors} */
export const errorsQuery = (since: string) =>
  queryOptions({
    queryKey: ["errors", since],
    queryFn: ({ signal }) =>
      call<ErrorGroups>("admin/errors", {
        query: { since: new Date(startOfErrors(since, Date.now())).toISOString() },
        signal,
        background: true,
      }),
  });

export const overviewQuery = (hours: number) =>
  queryOptions({
    queryKey: ["overview", hours],
    queryFn: ({ signal }) => call<Overview>("admin/overview", { query: { hours }, signal, background: true }),
  });

export const partnersQuery = infiniteQueryOptions({
  queryKey: ["partners"],
  queryFn: ({ pageParam, signal }) =>
    call<PartnerWithStanding[]>("admin/partners", { query: { after: pageParam }, signal, background: true }),
  initialPageParam: null as string | null,
  // A page holds a hundred of them.
  getNextPageParam: (page) => (page.length < 100 ? null : page.at(-1)!.partner_id),
});

export const partnerQuery = (id: string) =>
  queryOptions({
    queryKey: ["partner", id],
    queryFn: ({ signal }) =>
      call<PartnerWithStanding>(`admin/partners/${encodeURIComponent(id)}`, { signal, background: true }),
  });

export const rejectionsQuery = (filter: Query) =>
  infiniteQueryOptions({
    queryKey: ["rejections", filter],
    queryFn: ({ pageParam, signal }) =>
      call<{ rejections: Rejection[]; next: string | null }>("admin/rejections", {
        query: { ...filter, limit: PAGE, cursor: pageParam },
        background: true,
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

export const authEventsQuery = (filter: Query) =>
  infiniteQueryOptions({
    queryKey: ["auth-events", filter],
    queryFn: ({ pageParam, signal }) =>
      call<{ auth_events: AuthEvent[]; next: string | null }>("admin/auth-events", {
        query: { ...filter, limit: PAGE, cursor: pageParam },
        background: true,
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
  });

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
