import { lazy, type RefObject, Suspense } from "react";
import { counted } from "../../format/words.ts";
import type { OrderFilter } from "../../search/orders-search.ts";
import { useMayAct } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Panel } from "../../ui/page.tsx";
import { useRowKeys } from "../../ui/row-keys.ts";
import { Skeleton } from "../../ui/skeleton.tsx";
import { NewsPill } from "./news-pill.tsx";
import { OrdersTable } from "./orders-table.tsx";
import { useMarks } from "./use-marks.ts";
import { useOrderList } from "./use-order-list.ts";

const MarkBar = lazy(() => import("./mark-bar.tsx").then(({ MarkBar }) => ({ default: MarkBar })));
const EmptyOrders = lazy(() =>
  import("./empty-orders.tsx").then(({ EmptyOrders }) => ({ default: EmptyOrders })),
);

interface Props {
  readonly filter: OrderFilter;
  /** True: what needs attention. */
  readonly isHome: boolean;
  /** True: it isn't shown yet, as it would be moved. */
  readonly isAboveComing: boolean;
  /** All lists of the page: the keys walk through them. */
  readonly lists: RefObject<HTMLElement | null>;
}

/** The orders of a filter, newest first, page by page. For another filter it is another one: give it a key. */
export function OrderList({ filter, isHome, isAboveComing, lists }: Props) {
  const mayAct = useMayAct();
  const list = useOrderList(filter);
  const { query, orders } = list;
  const marks = useMarks(orders.map(({ id }) => id));
  useRowKeys(lists);

  async function reload(): Promise<void> {
    await list.reload();
    marks.clear();
    scrollTo({ top: 0 });
  }

  if (query.isPending || isAboveComing) {
    return (
      <Panel>
        <Skeleton rows={12} label="Loading orders" />
      </Panel>
    );
  }
  const problem = query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return problem;
  return (
    <div className="flex flex-col gap-3">
      {problem}
      <NewsPill news={list.news} onShow={() => void reload()} />
      {orders.length === 0 && !query.hasNextPage ? (
        <Suspense fallback={<div className="min-h-60" />}>
          <EmptyOrders filter={filter} isHome={isHome} />
        </Suspense>
      ) : (
        <Panel>
          <OrdersTable
            caption={isHome ? "Orders that need attention, newest first" : "Orders, newest first"}
            orders={orders}
            touched={list.touched}
            isGone={list.isGone}
            marks={mayAct ? marks : null}
          />
        </Panel>
      )}
      <div className="mb-8 flex min-h-8 items-center justify-center gap-3 text-ink-3">
        {query.hasNextPage ? (
          <Button busy={query.isFetchingNextPage && "Loading"} onClick={() => void query.fetchNextPage()}>
            Show 50 more
          </Button>
        ) : (
          orders.length > 0 && <p className="num">{counted(orders.length, "order")}, the newest first</p>
        )}
      </div>
      <Suspense>
        {marks.ids.size > 0 && (
          <MarkBar filter={filter} orders={orders} hasMore={query.hasNextPage} marks={marks} />
        )}
      </Suspense>
    </div>
  );
}
