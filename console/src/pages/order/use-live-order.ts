import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { orderQuery } from "../../api/page-queries.ts";
import { useLook } from "../../live/use-live.ts";

/** What looks don't tell, as a circuit that opens, shows after so long. */
const LONGEST_MS = 15_000;

/** One order, read anew when a look of the gateway names it: the looks, about one a second, are the clock. */
export function useLiveOrder(id: number) {
  const order = useQuery({ ...orderQuery(id), enabled: id > 0 });
  const hasMoved = useRef(false);
  useLook((look) => {
    if (look === null || look.more || look.orders.some((each) => each.id === id)) hasMoved.current = true;
    const ageMs = Date.now() - Math.max(order.dataUpdatedAt, order.errorUpdatedAt);
    if (id <= 0 || order.isFetching || document.hidden || (!hasMoved.current && ageMs < LONGEST_MS)) return;
    hasMoved.current = false;
    void order.refetch();
  });
  return order;
}
