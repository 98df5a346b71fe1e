import { setTimeout as sleep } from "node:timers/promises";

/** A bell that a loop sleeps by: rung while nobody sleeps, the next sleep ends at once. */
export interface Bell {
  ring(): void;
  /** Rings in `delayMs`; calls that fall into the same 25 ms share a timer. */
  ringIn(delayMs: number): void;
  /** Resolves when rung, or after `timeoutMs`. */
  sleep(timeoutMs: number): Promise<void>;
  /** Resolves after `timeoutMs`, or when closed: for a loop that must not be hurried. */
  pause(timeoutMs: number): Promise<void>;
  /** Forgets the timers, and rings. */
  close(): void;
}

const TICK_MS = 25;
/** Later ones are left to whoever polls. */
const LONGEST_DELAY_MS = 10 * 60_000;

export function createBell(): Bell {
  const closed = new AbortController();
  let rung = false;
  let wake: (() => void) | null = null;
  const timers = new Map<number, NodeJS.Timeout>();

  function ring(): void {
    rung = true;
    wake?.();
  }

  return {
    ring,
    ringIn(delayMs) {
      if (delayMs > LONGEST_DELAY_MS) return;
      const now = performance.now();
      const tick = Math.ceil((now + delayMs) / TICK_MS);
      if (timers.has(tick)) return;
      const timer = setTimeout(
        () => {
          timers.delete(tick);
          ring();
        },
        tick * TICK_MS - now,
      );
      timers.set(tick, timer.unref());
    },
    sleep: (timeoutMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => wake?.(), timeoutMs);
        wake = () => {
          clearTimeout(timer);
          wake = null;
          rung = false;
          resolve();
        };
        if (rung) wake();
      }),
    pause: (timeoutMs) => sleep(timeoutMs, undefined, { signal: closed.signal }).catch(() => {}),
    close() {
      closed.abort();
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      ring();
    },
  };
}
