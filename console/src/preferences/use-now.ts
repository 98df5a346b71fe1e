import { useSyncExternalStore } from "react";

/** One clock for the whole page: all relative times move together. */
function ticking(everyMs: number) {
  const listeners = new Set<() => void>();
  let now = Date.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    get: () => now,
    onChange(listener: () => void) {
      if (listeners.size === 0) {
        now = Date.now();
        timer = setInterval(() => {
          now = Date.now();
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

/** Epoch milliseconds, anew each second. */
export function useNow(): number {
  return useSyncExternalStore(seconds.onChange, seconds.get);
}
