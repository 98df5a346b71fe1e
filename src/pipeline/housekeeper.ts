import type { Clock } from "../lib/clock.ts";
import { repeat } from "../lib/repeat.ts";
import { unhurried } from "../lib/unhurried.ts";
import type { Log } from "../observe/log.ts";
import type { Storage } from "../storage/open.ts";

export interface HousekeeperOptions {
  readonly storage: Pick<Storage, "authEvents" | "rejections" | "retention">;
  /** Ages in milliseconds; of orders null: they are kept. What was refused is kept as long as failures at the door. */
  readonly keep: { readonly ordersMs: number | null; readonly authEventsMs: number };
  readonly clock: Clock;
  readonly log: Log;
}

/** Deletes what has been kept for long enough, quietly beside the engine. */
export interface Housekeeper {
  start(): void;
  /** May be started again. */
  stop(): Promise<void>;
  /** Once through: all that is too old now. */
  round(): Promise<{ readonly orders: number; readonly authEvents: number; readonly rejections: number }>;
}

const PAUSE_MS = 60_000;
/** Rows of one transaction. */
const BATCH = { orders: 500, records: 1000 };

export function createHousekeeper(options: HousekeeperOptions): Housekeeper {
  const { storage, keep, clock, log } = options;
  let stopping = false;

  async function prune(records: Pick<Storage["authEvents"], "prune">, before: number): Promise<number> {
    let pruned = 0;
    for (let last = BATCH.records; last === BATCH.records && !stopping; pruned += last) {
      last = await unhurried(() => records.prune(before, BATCH.records));
    }
    return pruned;
  }

  async function deleteOrders(before: number): Promise<number> {
    let deleted = 0;
    for (let from: number | null = 0; from !== null && !stopping;) {
      const afterId: number = from;
      const page = await unhurried(() => storage.retention.deleteOrders(before, afterId, BATCH.orders));
      deleted += page.orders;
      from = page.next;
    }
    return deleted;
  }

  async function round() {
    const now = clock.wallMs();
    const authEvents = await prune(storage.authEvents, now - keep.authEventsMs);
    const rejections = await prune(storage.rejections, now - keep.authEventsMs);
    const orders = keep.ordersMs === null ? 0 : await deleteOrders(now - keep.ordersMs);
    if (orders + authEvents + rejections > 0) {
      log.info({ event: "housekeeping.deleted", orders, auth_events: authEvents, rejections });
    }
    return { orders, authEvents, rejections };
  }

  const rounds = repeat(round, PAUSE_MS, (error) => log.warn({ event: "housekeeping.failed", err: error }));
  return {
    start() {
      stopping = false;
      rounds.start();
    },
    async stop() {
      stopping = true;
      await rounds.stop();
    },
    round,
  };
}
