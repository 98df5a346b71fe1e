import { useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useRef } from "react";
import { useCalmly } from "../../live/use-calmly.ts";
import { useLook } from "../../live/use-live.ts";
import { isHome, listedFilter } from "../../search/orders-search.ts";
import { Page } from "../../ui/page.tsx";
import { FilterBar } from "./filter-bar.tsx";
import { OrderList } from "./order-list.tsx";
import { useIsAboveComing } from "./use-above.ts";
import { SOON, VisitSoon } from "./visit-soon.tsx";

const BulkActs = lazy(() => import("./bulk-acts.tsx").then(({ BulkActs }) => ({ default: BulkActs })));

const COUNT_EVERY_MS = 10_000;

/** Every order is found here; without being asked for others, those that need somebody. */
export function OrdersPage() {
  const search = useSearch({ from: "/" });
  const lists = useRef<HTMLDivElement>(null);
  const filter = listedFilter(search);
  const isAtHome = isHome(search);
  const isAboveComing = useIsAboveComing(search, isAtHome);
  useCalmCounts();
  return (
    <Page title={isAtHome ? "Orders that need attention" : "Orders"} quiet>
      <div className="flex flex-col gap-2">
        <FilterBar search={search}>
          <Suspense>
            <BulkActs />
          </Suspense>
        </FilterBar>
      </div>
      <div ref={lists} className="flex flex-col gap-4">
        {isAtHome && <VisitSoon />}
        <OrderList
          key={JSON.stringify(filter)}
          filter={filter}
          isHome={isAtHome}
          isAboveComing={isAboveComing}
          lists={lists}
        />
      </div>
    </Page>
  );
}

/** Counts follow what moves, but not at each step: numbers that flicker can't be read. */
function useCalmCounts(): void {
  const queries = useQueryClient();
  const countAnew = useCalmly(
    () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["counts"] }),
        queries.invalidateQueries({ queryKey: [SOON] }),
      ]),
    COUNT_EVERY_MS,
  );
  useLook((look) => {
    if (look === null || look.more || look.orders.length > 0) countAnew();
  });
}
