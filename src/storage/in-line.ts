import { combine } from "../lib/combiner.ts";
import { LOOKING, membersOf, mirror } from "./in-thread.ts";
import type { Storage } from "./open.ts";

/** Looks that wait for their turn; one more is refused with `Overloaded`. */
const MAX_WAITING = 100;

/**
 * The same storage, in which what operators look for is looked for so many at a time: however many of them ask, and however
 * often, connections are left for orders, and what waits is bounded.
 */
export function inLine(storage: Storage, looks: number): Storage {
  const look = combine<() => Promise<unknown>, unknown>({
    run: async (asked) => Promise.all(asked.map((one) => one())),
    maxBatch: 1,
    maxQueue: MAX_WAITING,
    concurrency: looks,
  });
  return {
    ...storage,
    ...mirror(
      membersOf(storage, LOOKING),
      (method) =>
        async (...args) =>
          look(() => method(...args)),
    ),
  };
}
