import { useSyncExternalStore } from "react";
import { gatewayTime } from "../api/gateway-clock.ts";

/** One clock for the whole page: all relative times move together. */
function ticking(everyMs: number) {
  const listeners = new Set<() => void>();
  let now = gatewayTime();
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    get: () => now,
    onChange(listener: () => void) {
      if (listeners.size === 0) {
        now = gatewayTime();
        timer = setInterval(() => {
          now = gatewayTime();
          for (const each of listeners) each();
        }, everyMs);
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) clearInterval(timer);
      };
    },
  };
}

export const seconds = ticking(1000);

/** Epoch milliseconds by the gateway's clock, anew each second. */
export function useNow(): number {
  return useSyncExternalStore(seconds.onChange, seconds.get);
}
