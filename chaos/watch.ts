import { setTimeout as sleep } from "node:timers/promises";
import type { OrderStatus } from "../src/orders/states.ts";
import type { Storage } from "../src/storage/open.ts";

/** An order's statuses as they were seen, one after the other. */
export type Sightings = ReadonlyMap<number, readonly OrderStatus[]>;

export interface Watcher {
  readonly sightings: Sightings;
  /** Orders seen that have not been delivered. */
  undelivered(): number;
  stop(): Promise<void>;
}

const PAUSE_MS = 50;
/** Changes are looked for a little back: a row is stamped before it is committed. */
const LOOK_BACK_MS = 15_000;

/** Looks at the orders table again and again, beside the gateways. */
export function watchOrders({ database }: Storage): Watcher {
  const sightings = new Map<number, OrderStatus[]>();
  let stopped = false;

  async function look(): Promise<void> {
    const rows = await database.queries
      .selectFrom("orders")
      .select(["id", "pipeline_status as status"])
      .where("updated_at", ">", Date.now() - LOOK_BACK_MS)
      .execute();
    for (const { id, status } of rows) {
      const seen = sightings.get(id);
      if (!seen) sightings.set(id, [status]);
      else if (seen.at(-1) !== status) seen.push(status);
    }
  }

  const watching = (async () => {
    while (!stopped) {
      // While the database is away there is nothing to see.
      await look().catch(() => {});
      await sleep(PAUSE_MS);
    }
  })();
  return {
    sightings,
    undelivered: () =>
      [...sightings.values()].filter((seen) => seen.at(-1) !== "ota_callback_delivered").length,
    async stop() {
      stopped = true;
      await watching;
    },
  };
}
