import { combine } from "../lib/combiner.ts";
import type { Log } from "../observe/log.ts";
import type { OrderStatus } from "../orders/states.ts";
import type { ReadStandings, Standing } from "../storage/standings.ts";

export interface OrderWaitsOptions {
  readonly read: ReadStandings;
  readonly log: Log;
  /** How often the orders that are waited for are looked at: other processes settle too. */
  readonly pollMs?: number;
  /** Who comes when so many wait is answered at once. */
  readonly maxWaiting?: number;
}

/** Requests that wait for their orders' tickets. They hold no connection of the database and no slot of a worker. */
export interface OrderWaits {
  /**
   * Where an order stands as soon as ticketing has done with it, or else when the time is over, or the gateway stops.
   * @param gone whoever waited doesn't any more
   * @returns null when nobody waits any more or the database can't tell: the order is accepted all the same
   */
  standing(orderId: number, timeoutMs: number, gone: AbortSignal): Promise<Standing | null>;
  /** This process has settled an order's ticketing. */
  settled(orderId: number): void;
  /** Answers those who wait, and whoever still comes at once. */
  close(): void;
}

const POLL_MS = 250;
const MAX_WAITING = 1_000;
/** Orders of one look. */
const MAX_BATCH = 100;
/** Ticketing may still bring something by itself. */
const UNDER_WAY: ReadonlySet<OrderStatus> = new Set(["accepted", "ticketing_processing"]);

type Wake = () => void;

/** The settle of this process wakes who waits for its order; for those of other processes one poll looks for all. */
export function createOrderWaits(options: OrderWaitsOptions): OrderWaits {
  const { read, log, pollMs = POLL_MS, maxWaiting = MAX_WAITING } = options;
  const waiting = new Map<number, Set<Wake>>();
  let count = 0;
  let closed = false;
  let timer: NodeJS.Timeout | null = null;

  /** What is asked for at the same time is looked at together. */
  const look = combine<number, Standing | null>({
    run: async (ids) => {
      const found = await read([...new Set(ids)]);
      return ids.map((id) => found.get(id) ?? null);
    },
    maxBatch: MAX_BATCH,
    maxQueue: 10_000,
  });
  const isUnderWay = (standing: Standing | null): boolean =>
    standing !== null && UNDER_WAY.has(standing.status);

  function wake(orderId: number): void {
    for (const one of waiting.get(orderId) ?? []) one();
  }

  async function poll(): Promise<void> {
    try {
      const ids = [...waiting.keys()];
      const standings = await Promise.all(ids.map(look));
      ids.forEach((id, index) => {
        if (!isUnderWay(standings[index]!)) wake(id);
      });
    } catch (error) {
      log.warn({ event: "wait.look_failed", err: error });
    } finally {
      timer = null;
      if (waiting.size > 0) pollSoon();
    }
  }

  function pollSoon(): void {
    timer ??= setTimeout(() => void poll(), pollMs);
  }

  /** Resolves when woken, when the time is over, or when nobody waits any more. */
  function sleep(orderId: number, timeoutMs: number, gone: AbortSignal): { woken: Promise<void>; end: Wake } {
    const { promise: woken, resolve } = Promise.withResolvers<void>();
    const wakers = waiting.get(orderId) ?? new Set();
    const timeout = setTimeout(end, timeoutMs);
    function end(): void {
      if (!wakers.delete(end)) return;
      count -= 1;
      if (wakers.size === 0) waiting.delete(orderId);
      clearTimeout(timeout);
      gone.removeEventListener("abort", end);
      resolve();
    }
    gone.addEventListener("abort", end);
    waiting.set(orderId, wakers.add(end));
    count += 1;
    pollSoon();
    return { woken, end };
  }

  async function standing(orderId: number, timeoutMs: number, gone: AbortSignal): Promise<Standing | null> {
    if (gone.aborted) return null;
    if (closed || timeoutMs === 0 || count >= maxWaiting) return look(orderId);
    // Asleep before the first look, so that no settle falls between.
    const { woken, end } = sleep(orderId, timeoutMs, gone);
    try {
      const first = await look(orderId);
      if (!isUnderWay(first)) return first;
      await woken;
      return gone.aborted ? null : await look(orderId);
    } finally {
      end();
    }
  }

  return {
    standing: async (...asked) => {
      try {
        return await standing(...asked);
      } catch (error) {
        log.warn({ event: "wait.look_failed", err: error });
        return null;
      }
    },
    settled: wake,
    close() {
      closed = true;
      for (const orderId of waiting.keys()) wake(orderId);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
