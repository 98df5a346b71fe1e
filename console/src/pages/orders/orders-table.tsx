import { lazy, Suspense } from "react";
import type { ListedOrder } from "../../api/types.ts";
import { useMayAct } from "../../session/session.ts";
import { useIsNarrow } from "../../ui/use-narrow.ts";
import { CELLS, COLUMNS } from "./columns.ts";
import { OrderRow } from "./order-row.tsx";
import type { Marks } from "./use-marks.ts";

const OrderCard = lazy(() => import("./order-card.tsx").then(({ OrderCard }) => ({ default: OrderCard })));

export interface OrdersTableProps {
  readonly caption: string;
  readonly orders: readonly ListedOrder[];
  /** Orders that have just changed. */
  readonly touched?: ReadonlySet<number>;
  /** True: it doesn't belong here any more, and stays until the list is loaded anew. */
  readonly isGone?: (order: ListedOrder) => boolean;
  /** Null: nothing can be marked. */
  readonly marks?: Marks | null;
  /** True: it stands above another that has its columns and their names, which here are for readers of screens alone. */
  readonly isPlain?: boolean;
}

/** Orders as rows, or as cards where there is no room for rows. */
export function OrdersTable(props: OrdersTableProps) {
  const { caption, orders, touched, isGone, marks = null, isPlain = false } = props;
  // As far as the marks of the one below.
  const isIndented = useMayAct() && isPlain;
  const stateOf = (order: ListedOrder) => ({
    order,
    isTouched: touched?.has(order.id) ?? false,
    isGone: isGone?.(order) ?? false,
    marks,
    isIndented,
  });
  if (useIsNarrow()) {
    return (
      <ul aria-label={caption} className="divide-y divide-line">
        <Suspense fallback={<li className="min-h-dvh" />}>
          {orders.map((order) => (
            <OrderCard key={order.id} {...stateOf(order)} />
          ))}
        </Suspense>
      </ul>
    );
  }
  return (
    <table className="w-full table-fixed border-collapse">
      <caption className="sr-only">{caption}</caption>
      <thead className={isPlain ? "leading-0 text-transparent" : "border-b border-line text-xs text-ink-3"}>
        <tr>
          {isIndented && <td aria-hidden="true" className={CELLS.mark} />}
          {marks && (
            <th scope="col" className={CELLS.mark}>
              <span className="sr-only">Mark</span>
            </th>
          )}
          {Object.entries(COLUMNS).map(([name, word]) => (
            <th
              key={name}
              scope="col"
              className={`${isPlain ? "" : "h-8"} px-2 ${CELLS[name as keyof typeof COLUMNS]}`}
            >
              {isPlain ? <span className="sr-only">{word}</span> : word}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {orders.map((order) => (
          <OrderRow key={order.id} {...stateOf(order)} />
        ))}
      </tbody>
    </table>
  );
}
