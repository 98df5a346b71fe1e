import cluster, { type Worker } from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config.ts";
import { sumOfWorkers } from "../observe/cluster-metrics.ts";
import { createLog } from "../observe/log.ts";
import { EXIT_CODES } from "./cli/failure.ts";
import { askedToStop } from "./cli/signals.ts";

const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;
/** A worker that has lived so long was well: the next crash begins with the first pause again. */
const WELL_AFTER_MS = 60_000;
/** What a worker needs beyond DRAIN_SECS to settle what it cut off, and to close. */
const CLOSING_MS = 10_000;

/**
 * Runs `serve` in several processes that share the listening socket and the database, starts those anew that crash, and
 * ends when they have ended. The first must start before the others may try: it makes an empty database's schema,
 * and what keeps it from starting is said once.
 */
export async function superviseWorkers(count: number, config: Config): Promise<void> {
  const log = createLog({ level: config.logLevel });
  const stopping = new AbortController();
  const asked = askedToStop().then((signal) => {
    log.info({ event: "workers.stopping", signal });
    stopping.abort();
    for (const worker of workers()) worker.process.kill("SIGTERM");
    // One that hangs is ended: its claims are taken over when their leases end.
    setTimeout(() => {
      for (const worker of workers()) worker.process.kill("SIGKILL");
    }, config.drainMs + CLOSING_MS).unref();
  });

  sumOfWorkers();
  const first = cluster.fork();
  const firstEnd = ended(first);
  const failed = await Promise.race([started(first), firstEnd]);
  if (failed === "started" && !stopping.signal.aborted) {
    log.info({ event: "workers.started", workers: count });
    const others = Array.from({ length: count - 1 }, () => keepRunning(null));
    await Promise.race([asked, Promise.all([keepRunning(first), ...others])]);
  } else if (!stopping.signal.aborted) {
    process.exitCode = typeof failed === "number" ? failed : EXIT_CODES.failed;
  }
  await Promise.all(workers().map(ended));
  await log.close();

  async function keepRunning(running: Worker | null): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let worker = running ?? cluster.fork(); ; worker = cluster.fork()) {
      const since = performance.now();
      const end = await ended(worker);
      if (stopping.signal.aborted) return;
      if (performance.now() - since > WELL_AFTER_MS) pauseMs = FIRST_PAUSE_MS;
      log.error({ event: "worker.ended", worker: worker.process.pid, end, restart_in_ms: pauseMs });
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
  }
}

function workers(): Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

function started(worker: Worker): Promise<"started"> {
  return new Promise((resolve) => {
    worker.on("message", (message) => {
      if (message === "started") resolve("started");
    });
  });
}

/** Resolves with the exit code or the signal. */
function ended(worker: Worker): Promise<number | string> {
  return new Promise((resolve) => {
    if (worker.isDead()) resolve(worker.process.signalCode ?? worker.process.exitCode ?? 0);
    else worker.once("exit", (code, signal) => resolve(signal ?? code));
  });
}
