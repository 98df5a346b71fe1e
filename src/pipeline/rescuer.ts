import type { Clock } from "../lib/clock.ts";
import { repeat } from "../lib/repeat.ts";
import type { Log } from "../observe/log.ts";
import type { JobQueue } from "../storage/jobs.ts";
import { passes } from "./persistently.ts";
import type { Settle } from "./settle.ts";

export interface RescuerOptions {
  readonly queue: JobQueue;
  readonly settle: Settle;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Jobs are back in the queue. */
  onRescued(): void;
}

export interface Rescuer {
  start(): void;
  /** Takes over the claims whose lease has ended; with `all`, every open claim. @returns how many were found */
  rescue(all: boolean): Promise<number>;
  stop(): Promise<void>;
}

const BATCH = 500;

/**
 * Finds claims whose process is gone, writes their attempts as `lost` and puts the jobs back on schedule. It settles like
 * everybody, under the old claim's token: whoever settles first has settled, also if the process was only slow.
 */
export function createRescuer(options: RescuerOptions): Rescuer {
  const { queue, settle, pollMs, clock, log, onRescued } = options;

  async function rescue(all: boolean): Promise<number> {
    let found = 0;
    for (;;) {
      const claims = await queue.expired(BATCH, all, clock.statementNow());
      if (claims.length === 0) break;
      await settle.lost(claims);
      found += claims.length;
      if (claims.length < BATCH) break;
    }
    if (found > 0) onRescued();
    return found;
  }

  const rounds = repeat(
    () => rescue(false),
    pollMs,
    (error) => {
      const level = passes(error) ? "warn" : "error";
      log[level]({ event: "rescue.failed", err: error });
    },
  );
  return { start: rounds.start, rescue, stop: rounds.stop };
}
