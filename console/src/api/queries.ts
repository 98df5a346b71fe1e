import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ApiProblem, call } from "./client.ts";
import type { Query } from "../search/query-string.ts";
import type { Counts, ListedOrder, Session } from "./types.ts";

/** Rows of a page of a list. */
export const PAGE = 50;

/** Null: nobody is. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return (await call<Session | undefined>("admin/session", { signal, background: true })) ?? null;
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
