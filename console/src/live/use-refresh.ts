import { useRef } from "react";
import { useLook } from "./use-live.ts";

interface Counted {
  readonly refetch: () => Promise<unknown>;
  readonly isFetching: boolean;
  readonly dataUpdatedAt: number;
  readonly errorUpdatedAt: number;
}

/**
 * Counts anew what is dear to count: at most every `restMs` while orders move, and every `longestMs` for what looks don't tell, as
 * a circuit. The looks are the clock, so that nothing is asked for while live updates are paused or away.
 */
export function useRefresh(counted: Counted, restMs: number, longestMs = restMs): void {
  const hasMoved = useRef(false);
  useLook((look) => {
    if (look === null || look.more || look.orders.length > 0) hasMoved.current = true;
    const ageMs = Date.now() - Math.max(counted.dataUpdatedAt, counted.errorUpdatedAt);
    const isOld = ageMs >= (hasMoved.current ? restMs : longestMs);
    // That nothing ever came the reader was told: it is asked for by hand, or when the connection is back.
    const isDue = counted.dataUpdatedAt === 0 ? look === null : isOld;
    if (counted.isFetching || !isDue) return;
    hasMoved.current = false;
    void counted.refetch();
  });
}
