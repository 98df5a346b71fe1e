import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { bulkJobView } from "../http/bulk-view.ts";
import { systemClock } from "../lib/clock.ts";
import { type BulkAction, countPossible, defaultPace } from "../orders/bulk.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import { createBulkWorker } from "../pipeline/bulk-worker.ts";
import { passes } from "../pipeline/persistently.ts";
import type { BulkJob } from "../storage/bulk-queries.ts";
import type { Storage } from "../storage/open.ts";
import { isConfirmed } from "./cli/confirm.ts";
import { Failure } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";
import { createProgress } from "./cli/progress.ts";
import { askedToStop } from "./cli/signals.ts";

export interface BulkRequest {
  readonly action: BulkAction;
  readonly filter: OrderFilter;
  readonly actor: string;
  readonly reason: string;
  readonly pace?: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

const LOOK_MS = 200;
const MANY = "many orders are meant: say --yes, or --dry-run to count them";
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Does something to all orders of a filter: shows the count, asks, makes the durable job and follows it. The command works
 * the job itself, beside whatever gateway runs: steps are safe in any number of processes, and one is enough.
 */
export async function runBulk(storage: Storage, config: Config, request: BulkRequest): Promise<void> {
  const { action, filter, actor, reason, dryRun, yes, json } = request;
  const { counts, atLeast } = await storage.orderSearch.countsByStatus(filter);
  const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const possible = countPossible(action, counts);
  const few = possible === count ? "" : `${possible.toLocaleString("en")} of `;
  const orders = `${few}${atLeast ? "at least " : ""}${count.toLocaleString("en")} order${count === 1 ? "" : "s"}`;
  if (dryRun || count === 0) {
    if (json) return printJson({ action, count, possible, at_least: atLeast, dry_run: dryRun });
    const others = few === "" ? "" : ": the others stand where that can't be done";
    return print(count === 0 ? "No order is meant by this filter." : `Would ${action} ${orders}${others}.`);
  }
  const slots = { ticketing: config.ticketing.concurrency, callback: config.callback.concurrencyPerPartner };
  const pacePerSec = request.pace ?? defaultPace(action, slots);
  const question = `${titled(action)} ${orders}, ${pacePerSec} per second?`;
  if (!yes && !(await isConfirmed(question, json, MANY))) {
    throw new Failure("failed", "nothing was changed");
  }
  const job = { action, filter, total: count, pacePerSec };
  // Listened for before anybody is told of it.
  const stop = askedToStop();
  const { id } = await storage.bulkJobs.create(job, { actor, reason }, null);
  process.stderr.write(`Bulk job ${id} begins; Ctrl-C leaves it to a running gateway.\n`);
  const ended = await follow(storage, config, id, stop);
  if (json) return printJson(bulkJobView(ended ?? (await jobOf(storage, id))));
  if (ended === null) {
    print(`Bulk job ${id} goes on wherever a gateway runs.`);
    return print(`\`${invocation()} bulk show ${id}\` follows it, \`bulk cancel ${id}\` ends it.`);
  }
  print(
    `Bulk job ${id} is ${ended.status}: ${ended.acted} of ${ended.total} orders, ${ended.refused} left alone.`,
  );
  if (ended.refused > 0) print(`\`${invocation()} bulk show ${id} --result refused\` tells which.`);
}

async function jobOf(storage: Storage, id: number): Promise<BulkJob> {
  return (await storage.bulkQueries.find(id))!;
}

/** @returns the job at its end, or null when the command was asked to stop before */
async function follow(
  storage: Storage,
  config: Config,
  id: number,
  stop: Promise<unknown>,
): Promise<BulkJob | null> {
  const worker = createBulkWorker({
    storage,
    pollMs: config.pollMs,
    clock: systemClock,
    log: SILENT,
    onQueued: (leg) => storage.database.wakeups?.announce(leg),
  });
  const progress = createProgress("orders");
  let stopped = false;
  void stop.then(() => (stopped = true));
  try {
    while (!stopped) {
      const steps = await worker.round().catch((error: unknown) => {
        if (passes(error)) return 0;
        throw error;
      });
      const job = await jobOf(storage, id);
      if (job.status !== "running") return job;
      progress.tell(job.acted + job.refused, job.total);
      if (steps === 0) await sleep(LOOK_MS);
    }
    return null;
  } finally {
    progress.end();
  }
}

function titled(action: BulkAction): string {
  return action.slice(0, 1).toUpperCase() + action.slice(1);
}
