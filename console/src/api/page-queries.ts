// What single pages ask for: apart, as the first load of the console is small.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { call } from "./client.ts";
import type { Query } from "../search/query-string.ts";
import { gatewayTime } from "./gateway-clock.ts";
import { startOfErrors } from "../search/errors-search.ts";
import { PAGE } from "./queries.ts";
import type {
  AuthEvent,
  ErrorGroups,
  OrderStory,
  Overview,
  PartnerWithStanding,
  Rejection,
} from "./types.ts";

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
        query: { since: new Date(startOfErrors(since, gatewayTime())).toISOString() },
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
