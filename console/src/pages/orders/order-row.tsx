import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { ListedOrder } from "../../api/types.ts";
import { CELLS } from "./columns.ts";
import { Age, Attempt, LastError, Next, Status, Tickets, Total, Visit } from "./order-cells.tsx";
import { MarkBox } from "./mark-box.tsx";
import type { Marks } from "./use-marks.ts";

export interface OrderRowProps {
  readonly order: ListedOrder;
  readonly isTouched: boolean;
  readonly isGone: boolean;
  readonly marks: Marks | null;
  /** True: it has no mark, but the place of one. */
  readonly isIndented?: boolean;
}

const CELL = "h-9 truncate px-2";

/** How a row looks that has just changed, or doesn't belong here any more. */
export const rowClass = (isTouched: boolean, isGone: boolean): string =>
  `relative transition-colors duration-700 ${isTouched ? "bg-accent-soft" : "hover:bg-hover"} ${isGone ? "text-ink-3" : ""}`;

export function OrderRow({ order, isTouched, isGone, marks, isIndented = false }: OrderRowProps) {
  return (
    <tr className={rowClass(isTouched, isGone)}>
      {isIndented && <td aria-hidden="true" className={CELLS.mark} />}
      {marks && (
        <td className={CELLS.mark}>
          <MarkBox order={order} marks={marks} />
        </td>
      )}
      <OrderCells order={order} isGone={isGone} />
    </tr>
  );
}

const OrderCells = memo(function OrderCells({ order, isGone }: Pick<OrderRowProps, "order" | "isGone">) {
  return (
    <>
      <td className={`${CELL} ${CELLS.status}`}>
        <div className="flex">
          <Status order={order} />
        </div>
      </td>
      <td className={`${CELL} ${CELLS.partner}`} title={order.partner_id}>
        {order.partner_id}
      </td>
      <td className={CELL}>
        <OrderLink order={order} />
        {isGone && <span className="sr-only"> (doesn’t match any more)</span>}
      </td>
      <td className={`${CELL} ${CELLS.visit}`}>
        <Visit order={order} />
      </td>
      <td className={`${CELL} num ${CELLS.items}`}>{order.items}</td>
      <td className={`${CELL} ${CELLS.total}`}>
        <Total order={order} />
      </td>
      <td className={`${CELL} ${CELLS.tickets}`}>
        <Tickets order={order} />
      </td>
      <td className={`${CELL} ${CELLS.attempt}`}>
        <Attempt order={order} />
      </td>
      <td className={`${CELL} ${CELLS.next}`}>
        <Next order={order} />
      </td>
      <td className={`${CELL} ${CELLS.error}`}>
        <LastError order={order} />
      </td>
      <td className={`${CELL} ${CELLS.age}`}>
        <Age order={order} />
      </td>
    </>
  );
});

/** The whole row is this link. */
export function OrderLink({ order }: Pick<OrderRowProps, "order">) {
  return (
    <Link
      data-row
      to="/orders/$id"
      params={{ id: String(order.id) }}
      title={order.external_order_id}
      className="font-mono text-xs outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
    >
      {order.external_order_id}
    </Link>
  );
}
