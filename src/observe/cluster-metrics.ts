import cluster, { type Worker } from "node:cluster";
import type { Registry } from "./prom-client.ts";

// Processes that share a port answer for each other: whichever is asked for metrics has the supervisor add all of them up.

/** A process' metrics as prom-client puts them into JSON. */
type Told = readonly { readonly name: string; readonly type: unknown }[];

interface Ask {
  readonly about: "metrics.sum";
  readonly id: number;
}
interface Sum {
  readonly about: "metrics.sum";
  readonly id: number;
  readonly text: string;
}
interface Tell {
  readonly about: "metrics.tell";
  readonly round: number;
}
interface Answer {
  readonly about: "metrics.tell";
  readonly round: number;
  readonly told: Told;
}

/** Of one that doesn't answer by then, what it had counted when it last did. */
const ANSWER_MS = 1_000;
const SUM_MS = 3_000;

/** A worker's side: tells its own metrics when asked, and asks for the sum. @returns the sum's text; rejects when none comes */
export function tellSupervisor(read: () => Promise<readonly Registry[]>): () => Promise<string> {
  const waiting = new Map<number, (text: string) => void>();
  let asked = 0;
  process.on("message", (message: Tell | Sum) => {
    if (message.about === "metrics.sum") waiting.get(message.id)?.(message.text);
    if (message.about === "metrics.tell") tell(message.round).catch(() => {});
  });
  async function tell(round: number): Promise<void> {
    const told = await Promise.all((await read()).map((registry) => registry.getMetricsAsJSON()));
    send({ about: "metrics.tell", round, told: told.flat() });
  }

  return () => {
    const id = (asked += 1);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => reject(new Error("no metrics from the supervisor")), SUM_MS);
    waiting.set(id, resolve);
    send({ about: "metrics.sum", id });
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
  };
}

function send(message: Ask | Answer): void {
  // A supervisor that is gone takes its workers with it.
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

/**
 * The supervisor's side. What a worker has counted stays in the sum when it ends, as counters that fall would be taken for a restart
 * of all.
 */
export function sumOfWorkers(): void {
  const latest = new Map<number, Pick<Answer, "round" | "told">>();
  let ended: Told = [];
  let keeping = Promise.resolve();
  let round = 0;
  let rounds: { readonly missing: Set<number>; done(): void } | null = null;
  let summing: Promise<string> | null = null;

  async function sum(): Promise<string> {
    const missing = new Set<number>();
    const { promise, resolve } = Promise.withResolvers<void>();
    round += 1;
    rounds = { missing, done: resolve };
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (worker === undefined || worker.isDead() || !worker.isConnected()) continue;
      missing.add(worker.id);
      tellWorker(worker, { about: "metrics.tell", round });
    }
    const timer = setTimeout(resolve, ANSWER_MS);
    if (missing.size === 0) resolve();
    await promise;
    clearTimeout(timer);
    rounds = null;
    await keeping;
    const { AggregatorRegistry } = await import("prom-client");
    const told = [...latest.values()].map((one) => (one.round === round ? one.told : countsOf(one.told)));
    return AggregatorRegistry.aggregate([ended, ...told]).metrics();
  }

  cluster.on("message", (worker: Worker, message: Ask | Answer) => {
    if (message.about === "metrics.sum") {
      summing ??= sum().finally(() => {
        summing = null;
      });
      // Where there is no sum, whoever asked says so in its log.
      summing.then(
        (text) => tellWorker(worker, { about: "metrics.sum", id: message.id, text }),
        () => {},
      );
    }
    if (message.about === "metrics.tell") {
      // What it has counted is kept already.
      if (worker.isDead()) return;
      latest.set(worker.id, message);
      if (message.round !== round || rounds === null) return;
      rounds.missing.delete(worker.id);
      if (rounds.missing.size === 0) rounds.done();
    }
  });
  // Not "disconnect": of one that is killed while it stands still it may never come.
  cluster.on("exit", (worker) => {
    rounds?.missing.delete(worker.id);
    if (rounds?.missing.size === 0) rounds.done();
    keeping = keeping.then(() => keepCounts(worker.id)).catch(() => {});
  });

  async function keepCounts(id: number): Promise<void> {
    const counts = countsOf(latest.get(id)?.told ?? []);
    const { AggregatorRegistry } = await import("prom-client");
    const sum: Told = await AggregatorRegistry.aggregate([ended, counts]).getMetricsAsJSON();
    ended = sum;
    latest.delete(id);
  }
}

/** Without what is only true at the moment. */
function countsOf(told: Told): Told {
  return told.filter(({ type }) => type === "counter" || type === "histogram");
}

function tellWorker(worker: Worker, message: Tell | Sum): void {
  if (worker.isConnected()) worker.send(message, undefined, undefined, () => {});
}
