import { Age, Attempt, LastError, Next, Status, Tickets, Visit } from "./order-cells.tsx";
import { MarkBox } from "./mark-box.tsx";
import { OrderLink, type OrderRowProps, rowClass } from "./order-row.tsx";

/** An order where there is no room for a row. */
export function OrderCard({ order, isTouched, isGone, marks }: OrderRowProps) {
  return (
    <li className={`flex gap-1 px-3 py-2.5 ${rowClass(isTouched, isGone)}`}>
      {marks && <MarkBox order={order} marks={marks} />}
      <div className="flex min-w-0 flex-1 flex-col gap-1.5">
        <div className="flex items-center justify-between gap-2">
          <Status order={order} />
          <Age order={order} />
        </div>
        <div className="flex items-baseline gap-2">
          <span className="min-w-0 flex-1 truncate">
            <OrderLink order={order} />
          </span>
          <span className="max-w-[40%] truncate text-ink-2">{order.partner_id}</span>
        </div>
        <dl className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
          {(
            [
              ["Visit", Visit],
              ["Tickets", Tickets],
              ["Attempt", Attempt],
              ["Next try", Next],
              ["Last error", LastError],
            ] as const
          ).map(([name, Cell]) => (
            <div key={name} className="flex max-w-full gap-1 has-data-nothing:hidden">
              <dt className="text-ink-3">{name}</dt>
              <dd className="truncate">
                <Cell order={order} />
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </li>
  );
}
