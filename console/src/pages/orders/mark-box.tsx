import type { ListedOrder } from "../../api/types.ts";
import type { Marks } from "./use-marks.ts";

/** Marks an order; with Shift, all from the one marked before. Lies above the row's link. */
export function MarkBox({ order, marks }: { readonly order: ListedOrder; readonly marks: Marks }) {
  return (
    <label className="relative z-10 grid size-8 place-items-center">
      <span className="sr-only">Mark {order.external_order_id}</span>
      <input
        type="checkbox"
        checked={marks.isAll || marks.ids.has(order.id)}
        onChange={(event) => marks.toggle(order.id, (event.nativeEvent as MouseEvent).shiftKey)}
        className="size-4 accent-accent"
      />
    </label>
  );
}
