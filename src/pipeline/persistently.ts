import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseUnavailable, RowLocked } from "../storage/database.ts";

const PAUSE_MS = 250;

/** True for what passes by itself: the database is away, or somebody else holds a row. No defect of ours. */
export function passes(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || error instanceof RowLocked;
}

/**
 * Does what must not stay undone: while the database can't be reached, or somebody else holds a row, it tries again
 * until `giveUp` is aborted. `work` must be harmless to do twice.
 */
export async function persistently<T>(work: () => Promise<T>, giveUp: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error) || giveUp.aborted) throw error;
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  }
}
