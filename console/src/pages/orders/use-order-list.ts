import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { call } from "../../api/client.ts";
import { ordersNow, ordersQuery } from "../../api/queries.ts";
import type { ListedOrder } from "../../api/types.ts";
import { useCalmly } from "../../live/use-calmly.ts";
import { useLook } from "../../live/use-live.ts";
import type { OrderFilter } from "../../search/orders-search.ts";
import { changesIn, NO_NEWS, note, type Pages, withNews, withoutThose, withRows } from "./moves.ts";

const LOOK_EVERY_MS = 1_500;
const HIGHLIGHT_MS = 1_600;
/** As many as one request takes. */
const MOST_IDS = 200;

const NONE: ReadonlySet<number> = new Set();

/**
 * The orders of a filter, which stay where they are: what moves is changed in its row, what came is counted, and what doesn't match
 * any more is marked, until somebody loads the list anew.
 */
export function useOrderList(filter: OrderFilter) {
  const queries = useQueryClient();
  const options = ordersQuery({ ...filter });
  const { queryKey } = options;
  const query = useInfiniteQuery({
    ...options,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const [touched, setTouched] = useState(NONE);
  const [gone, setGone] = useState(NONE);
  const [news, setNews] = useState(NO_NEWS);
  const orders = query.data?.pages.flatMap((page) => page.orders) ?? [];
  const listed = new Set(orders.map(({ id }) => id));
  const lastId = query.hasNextPage ? Math.min(...listed) : 0;
  /** What looks have named, and hasn't been asked for yet. */
  const named = useRef({ rows: new Set<number>(), others: new Set<number>(), anything: false });

  const follow = useCalmly(async () => {
    if (!query.data) return;
    const { anything } = named.current;
    const allRows = anything ? [...listed] : [...named.current.rows];
    const rows = allRows.slice(0, MOST_IDS);
    const others = [...named.current.others].slice(0, MOST_IDS - rows.length);
    // What one request doesn't take has its turn with the next look.
    named.current = { rows: new Set(allRows.slice(MOST_IDS)), others: new Set(), anything: false };
    const [now, match] = await Promise.all([
      rows.length > 0 ? ordersNow(rows).then((answer) => answer.orders) : [],
      anything ? matching(filter) : isByStatus(filter) ? null : matching(filter, [...rows, ...others]),
    ]).catch((error: unknown) => {
      named.current.anything = true;
      throw error;
    });
    if (now.length > 0) {
      const moved = changesIn(orders, now);
      queries.setQueryData<Pages>(queryKey, (data) => data && withRows(data, now));
      if (moved.size > 0) setTouched(moved);
    }
    if (match !== null && !anything)
      setGone((before) => new Set([...before, ...rows].filter((id) => !match.has(id))));
    const came = [...(match ?? others)].filter((id) => !listed.has(id) && id > lastId);
    setNews((before) =>
      withNews(before, came, anything && match!.size === MOST_IDS && came.length === MOST_IDS),
    );
  }, LOOK_EVERY_MS);

  useLook((look) => {
    note(look, { listed, lastId, status: filter.status, named: named.current });
    if (look !== null && filter.status) setNews((before) => withoutThose(before, look, filter.status!));
    const { rows, others, anything } = named.current;
    if (anything || rows.size > 0 || others.size > 0) follow();
  });

  // Shown from the cache, as on the way back from an order: it may have grown old there.
  const catchUp = useEffectEvent(() => {
    if (!query.data || query.isFetching) return;
    named.current.anything = true;
    follow();
  });
  useEffect(() => catchUp(), []);

  useEffect(() => {
    if (touched.size === 0) return;
    const timer = setTimeout(() => setTouched(NONE), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [touched]);

  return {
    query,
    orders,
    touched,
    news,
    isGone: ({ id, status }: ListedOrder) =>
      gone.has(id) || (filter.status !== undefined && !filter.status.includes(status)),
    /** From the top, with what is new. */
    async reload() {
      await queries.fetchInfiniteQuery({ ...options, pages: 1, staleTime: 0 });
      named.current = { rows: new Set(), others: new Set(), anything: false };
      setGone(NONE);
      setNews(NO_NEWS);
    },
  };
}

/** True: where an order stands says whether it matches. */
const isByStatus = (filter: OrderFilter): boolean => Object.keys(filter).every((name) => name === "status");

/** Which orders match, of these or of the newest. */
async function matching(filter: OrderFilter, ids?: readonly number[]): Promise<ReadonlySet<number>> {
  if (ids?.length === 0) return NONE;
  const { orders } = await call<{ orders: ListedOrder[] }>("admin/orders", {
    query: { ...filter, id: ids, limit: MOST_IDS },
    background: true,
  });
  return new Set(orders.map(({ id }) => id));
}
