import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseUnavailable, RowLocked } from "../storage/database.ts";

const PAUSE_MS = 250;

/**
 * Does what must not stay undone: while the database can't be reached, or somebody else holds a row, it tries again
 * until `giveUp` is aborted. `work` must be harmless to do twice.
 */
export async function persistently<T>(work: () => Promise<T>, giveUp: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof DatabaseUnavailable || error instanceof RowLocked;
      if (!passes || giveUp.aborted) throw error;
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  }
}
