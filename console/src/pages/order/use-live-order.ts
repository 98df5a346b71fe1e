import { useQuery } from "@tanstack/react-query";
import { orderQuery } from "../../api/page-queries.ts";
import { useRefresh } from "../../live/use-refresh.ts";

/** What looks don't tell, as a circuit that opens, shows after so long. */
const LONGEST_MS = 15_000;

/** One order, read anew when a look of the gateway names it. */
export function useLiveOrder(id: number) {
  const order = useQuery(orderQuery(id));
  useRefresh(order, 0, LONGEST_MS, (each) => each.id === id);
  return order;
}
