import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "../../api/client.ts";
import { countsQuery } from "../../api/queries.ts";
import type { ListedOrder, OrderStatus } from "../../api/types.ts";
import { dayAfter } from "../../format/zoned.ts";
import { count } from "../../format/words.ts";
import { useToday } from "../../preferences/use-today.ts";
import { CheckIcon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/page.tsx";
import { ATTENTION } from "../../search/status-sets.ts";
import { OrdersTable } from "./orders-table.tsx";

/** Those whose tickets aren't bought: the statuses before `ticketed`. */
const NOT_TICKETED: readonly OrderStatus[] = [
  "ticketing_blocked",
  "ticketing_exhausted",
  "ticketing_unknown",
  "accepted",
  "ticketing_processing",
];
const FEW = 5;
/** Among the newest so many, the most urgent are looked for. */
const LOOKED_AT = 100;
export const SOON = "orders-soon";

const filterOf = (today: string) => ({
  visit_from: today,
  visit_to: dayAfter(today),
  status: NOT_TICKETED,
});

/** The most urgent of them, and how many there are. */
export function useSoon(isWanted: boolean) {
  const filter = filterOf(useToday());
  const { data: orders, isLoading } = useQuery({
    queryKey: [SOON, filter],
    enabled: isWanted,
    queryFn: async ({ signal }) => {
      const query = { ...filter, limit: LOOKED_AT };
      const found = await call<{ orders: ListedOrder[] }>("admin/orders", {
        query,
        signal,
        background: true,
      });
      return found.orders.toSorted(byUrgency).slice(0, FEW);
    },
  });
  const counts = useQuery({ ...countsQuery(filter, true), enabled: isWanted });
  return { filter, orders, counts: counts.data, isLoading: isLoading || counts.isLoading };
}

/** Whoever stands at the gate soon and has no ticket. */
export function VisitSoon() {
  const { filter, orders, counts } = useSoon(true);
  if (!orders || !counts || counts.total === 0) {
    return (
      <p className="flex min-h-6 items-center gap-2 text-ink-2">
        {orders && counts && (
          <>
            <CheckIcon className="size-4 text-good" />
            Every order with a visit today or tomorrow has its tickets.
          </>
        )}
      </p>
    );
  }
  return (
    <Panel
      title="Visit today or tomorrow, without tickets"
      aside={
        <Link
          to="/"
          search={filter}
          className="num inline-flex min-h-6 items-center text-accent hover:underline"
        >
          Show all {count(counts.total)}
          {counts.at_least && "+"}
        </Link>
      }
    >
      <OrdersTable caption="Visit today or tomorrow, without tickets" orders={orders} isPlain />
    </Panel>
  );
}

/** What stands still first, then by the day, then what has been tried most. */
function byUrgency(one: ListedOrder, other: ListedOrder): number {
  const still = (order: ListedOrder): number => (ATTENTION.includes(order.status) ? 0 : 1);
  const day = ({ visit_from: from }: ListedOrder): string => from ?? "";
  return (
    still(one) - still(other) ||
    day(one).localeCompare(day(other)) ||
    other.run_attempts - one.run_attempts ||
    one.id - other.id
  );
}
