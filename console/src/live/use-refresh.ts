import { useRef } from "react";
import type { Look } from "../api/types.ts";
import { useLook } from "./use-live.ts";

interface Shown {
  readonly refetch: () => Promise<unknown>;
  readonly isFetching: boolean;
  readonly dataUpdatedAt: number;
  readonly errorUpdatedAt: number;
}

/**
 * Reads anew what is dear to read: at most every `restMs` while orders move, and every `longestMs` for what looks don't tell, as
 * a circuit. The looks are the clock, so that nothing is asked for while live updates are paused or away.
 *
 * @param isOfIt whether a look's order is one that is shown; left out: all are
 */
export function useRefresh(
  shown: Shown,
  restMs: number,
  longestMs = restMs,
  isOfIt: (order: Look["orders"][number]) => boolean = () => true,
): void {
  const hasMoved = useRef(false);
  useLook((look) => {
    if (look === null || look.more || look.orders.some(isOfIt)) hasMoved.current = true;
    const ageMs = Date.now() - Math.max(shown.dataUpdatedAt, shown.errorUpdatedAt);
    const isOld = ageMs >= (hasMoved.current ? restMs : longestMs);
    // That nothing ever came the reader was told: it is asked for by hand, or when the connection is back.
    const isDue = shown.dataUpdatedAt === 0 ? look === null : isOld;
    if (shown.isFetching || !isDue) return;
    hasMoved.current = false;
    void shown.refetch();
  });
}
