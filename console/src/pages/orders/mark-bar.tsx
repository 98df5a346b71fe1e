import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { BULK_ACTIONS, type BulkAction, countPossible } from "../../../../src/orders/bulk.ts";
import { BulkDialog } from "../../acts/bulk-dialog.tsx";
import { BULK_WORDS } from "../../acts/bulk-words.ts";
import type { Query } from "../../search/query-string.ts";
import { countsQuery } from "../../api/queries.ts";
import type { ListedOrder, OrderStatus } from "../../api/types.ts";
import { count, counted } from "../../format/words.ts";
import type { OrderFilter } from "../../search/orders-search.ts";
import { Button } from "../../ui/button.tsx";
import { useKeys } from "../../ui/keys.ts";
import type { Marks } from "./use-marks.ts";

interface Props {
  readonly filter: OrderFilter;
  readonly orders: readonly ListedOrder[];
  /** True: not all that match are loaded. */
  readonly hasMore: boolean;
  readonly marks: Marks;
}

/** As many as a filter by ids takes. */
const MOST_IDS = 1_000;

/** What can be done with what is marked. */
export function MarkBar({ filter, orders, hasMore, marks }: Props) {
  const [action, setAction] = useState<BulkAction | null>(null);
  const { data: all } = useQuery({ ...countsQuery({ ...filter }, true), enabled: hasMore });
  const marked = orders.filter(({ id }) => marks.ids.has(id));
  const counts = marks.isAll && all ? all.counts : countsOf(marked);
  const possible = BULK_ACTIONS.map((each) => [each, countPossible(each, counts)] as const).filter(
    ([, n]) => n > 0,
  );
  // Never "all there are": a filter has to be named.
  const mayMarkAll = hasMore && Object.keys(filter).length > 0;
  const isTooMany = !marks.isAll && marked.length > MOST_IDS;
  useKeys({
    r: () => possible.some(([each]) => each === "retry") && setAction("retry"),
    Escape: marks.clear,
  });
  const number = marks.isAll ? (all?.total ?? marked.length) : marked.length;
  const atLeast = marks.isAll && all?.at_least ? "+" : "";
  const meant: Query = marks.isAll ? { ...filter } : { id: marked.map(({ id }) => id) };
  return (
    <div className="sticky bottom-12 z-20 mx-auto flex w-full max-w-3xl flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line-strong bg-raised px-3 py-2 shadow-raised">
      <p role="status" className="num font-medium">
        {count(number)}
        {atLeast} marked
      </p>
      {!marks.isAll && marked.length < orders.length && (
        <Button
          kind="quiet"
          onClick={() =>
            marks.markAll(
              orders.map(({ id }) => id),
              false,
            )
          }
        >
          Mark the {count(orders.length)} shown
        </Button>
      )}
      {!marks.isAll && mayMarkAll && all && (
        <Button
          kind="quiet"
          onClick={() =>
            marks.markAll(
              orders.map(({ id }) => id),
              true,
            )
          }
        >
          Mark all {count(all.total)}
          {all.at_least && "+"} that match
        </Button>
      )}
      <div className="ms-auto flex flex-wrap gap-2">
        {possible.length === 0 && <p className="text-ink-2">Nothing can be done with these now.</p>}
        {possible.map(([each, n]) => (
          <Button
            key={each}
            kind={each === "retry" ? "primary" : "plain"}
            disabled={isTooMany}
            onClick={() => setAction(each)}
            className="num"
          >
            {BULK_WORDS[each].verb} {count(n)}
            {atLeast}
          </Button>
        ))}
        <Button kind="quiet" onClick={marks.clear}>
          Unmark
        </Button>
      </div>
      {isTooMany && (
        <p className="w-full text-xs text-stop">
          At most {count(MOST_IDS)} can be marked one by one. Mark all that match, or fewer.
        </p>
      )}
      {action !== null && (
        <BulkDialog
          action={action}
          filter={meant}
          title={`${BULK_WORDS[action].verb} ${marks.isAll ? "all that match" : counted(marked.length, "marked order")}`}
          onClose={() => setAction(null)}
          onStarted={marks.clear}
        />
      )}
    </div>
  );
}

function countsOf(orders: readonly ListedOrder[]): Partial<Record<OrderStatus, number>> {
  const counts: Partial<Record<OrderStatus, number>> = {};
  for (const { status } of orders) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
