import type { Clock } from "../lib/clock.ts";
import { repeat } from "../lib/repeat.ts";
import type { Log } from "../observe/log.ts";
import type { Leg } from "../orders/states.ts";
import type { BulkJob } from "../storage/bulk-queries.ts";
import { RowLocked } from "../storage/database.ts";
import type { Storage } from "../storage/open.ts";
import { passes } from "./persistently.ts";

export interface BulkWorkerOptions {
  readonly storage: Pick<Storage, "bulkJobs" | "bulkQueries" | "orderSearch">;
  readonly pollMs: number;
  readonly clock: Pick<Clock, "statementNow">;
  readonly log: Log;
  /** Orders have been put back in a leg's queue. */
  onQueued(leg: Leg): void;
}

/** Works the durable acts upon many orders, in small steps. Any process may, and several at once. */
export interface BulkWorker {
  start(): void;
  /** May be started again. */
  stop(): Promise<void>;
  /** One step of each job that is due. @returns how many steps were made @throws the first failure, after all of them */
  round(): Promise<number>;
}

/** Orders of one step, which is one transaction, at most. */
const MAX_STEP = 50;

export function createBulkWorker(options: BulkWorkerOptions): BulkWorker {
  const { storage, pollMs, clock, log, onQueued } = options;
  const { bulkJobs, bulkQueries, orderSearch } = storage;
  let stopping = false;

  async function step(job: BulkJob): Promise<boolean> {
    const { id: bulkId, filter, afterId, upToId, pacePerSec } = job;
    // A second's orders, so that the pace is kept to the second.
    const limit = Math.max(1, Math.min(MAX_STEP, Math.round(pacePerSec)));
    // The look-up is outside the transaction: each order is looked at once more under its lock.
    const found = (await orderSearch.ids(filter, afterId, limit)).filter((id) => id <= upToId);
    const next = { bulkId, afterId, orderIds: found, isLast: found.length < limit };
    const progress = await bulkJobs.step(next, clock.statementNow()).catch(async (error: unknown) => {
      if (!(error instanceof RowLocked)) throw error;
      // Somebody holds a row. One by one the others go on; the one that is held is passed over.
      const one = { ...next, orderIds: found.slice(0, 1), isLast: false };
      return bulkJobs.step(one, clock.statementNow()).catch((again: unknown) => {
        if (!(again instanceof RowLocked)) throw again;
        return bulkJobs.step({ ...one, passOver: true }, clock.statementNow());
      });
    });
    if (progress === null) return false;
    if (job.action === "retry") for (const leg of ["ticketing", "callback"] as const) onQueued(leg);
    if (job.action === "resend") onQueued("callback");
    const { acted, refused, isDone } = progress;
    if (isDone) log.info({ event: "bulk.done", bulk_id: bulkId, action: job.action, acted, refused });
    return true;
  }

  async function round(): Promise<number> {
    let steps = 0;
    const failures: unknown[] = [];
    for (const job of await bulkQueries.due(clock.statementNow())) {
      if (stopping) break;
      try {
        if (await step(job)) steps += 1;
      } catch (error) {
        // The jobs after one that can't go on are others'.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return steps;
  }

  /** Until nothing is due: a pace of hundreds of orders per second is more than a step for each poll. */
  async function work(): Promise<void> {
    while (!stopping && (await round()) > 0);
  }

  const rounds = repeat(work, pollMs, (error) => {
    log[passes(error) ? "warn" : "error"]({ event: "bulk.failed", err: error });
  });
  return {
    start() {
      stopping = false;
      rounds.start();
    },
    round,
    async stop() {
      stopping = true;
      await rounds.stop();
    },
  };
}
