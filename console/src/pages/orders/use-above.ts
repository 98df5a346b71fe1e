import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { OrdersSearch } from "../../search/orders-search.ts";
import { viewCountsQuery } from "./views.tsx";
import { useSoon } from "./visit-soon.tsx";

/** What takes longer doesn't keep the list waiting. */
const PATIENCE_MS = 400;

/** True while what stands above the list is on its way: rows that are there before it would jump when it comes. */
export function useIsAboveComing(search: OrdersSearch, isAtHome: boolean): boolean {
  const [isPatient, setPatient] = useState(true);
  useEffect(() => {
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  const { isLoading: isCounting } = useQuery(viewCountsQuery(search));
  const soon = useSoon(isAtHome);
  return isPatient && (isCounting || soon.isLoading);
}
