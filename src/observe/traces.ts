import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Log } from "./log.ts";
import { TRACED } from "./traces-spans.ts";
import type { Observer, WorkEvent } from "./work-events.ts";

/** What the thread is started with. */
export interface TracesTarget {
  /** Where traces go: OTLP over HTTP, without the `/v1/traces` of its path. */
  readonly endpoint: string;
  /** As `db.system.name` says it. */
  readonly database: string;
  /** What this process does: all, api or worker. */
  readonly role: string;
}

export interface TracesOptions extends TracesTarget {
  readonly log: Log;
}

export interface Traces {
  readonly observe: Observer;
  /** From now on acts upon orders are seen too, which tell of the order's id alone. */
  watch(traceIdOf: (orderId: number) => Promise<string | null>): void;
  /** Sends what is left, for at most two seconds. */
  close(): Promise<void>;
}

/** A unit of work that was done for an order, and when it ended. */
export interface Told {
  readonly event: WorkEvent;
  /** The order's `trace_id`. */
  readonly trace: string;
  readonly atMs: number;
}

/** To the thread: what has happened, or that it should send what it has and end. */
export type ToThread = readonly Told[] | "close";
/** From it: units of work that it has taken, spans that were lost, those that it still has; closed: nothing more comes. */
export type FromThread =
  | { readonly taken: number }
  | { readonly lost: number; readonly reason: string }
  | { readonly unsent: number }
  | "closed";

const THREAD = new URL(`./traces-thread${extname(import.meta.url)}`, import.meta.url);
const TELL_MS = 100;
const MAX_TOLD = 256;
/** Units of work that the thread has not taken yet; beyond them they are lost. */
const MAX_AHEAD = 16_384;
const CLOSE_MS = 2_000;
/** A thread that has ended is begun again, and losses are told, no more often. */
const PATIENCE_MS = 60_000;
const MAX_THREAD_MB = 256;
const ENDED = "the thread has ended";

/**
 * Traces over OTLP, made and sent by a thread of their own: an order never waits for them, and whatever the collector does
 * costs spans alone. What is lost is counted, and told in the log.
 */
export function createTraces({ log, ...target }: TracesOptions): Traces {
  let worker: Worker | null = null;
  let begunAtMs = -Infinity;
  let told: Told[] = [];
  let timer: NodeJS.Timeout | null = null;
  let ahead = 0;
  let unsent = 0;
  let isClosing = false;
  let traceIdOf: (orderId: number) => Promise<string | null> = async () => null;
  let onClosed = (): void => {};
  const losses = createLosses(log);

  function begin(): Worker | null {
    if (worker !== null || performance.now() - begunAtMs < PATIENCE_MS) return worker;
    begunAtMs = performance.now();
    const begun = start(target);
    let cause: unknown = null;
    begun.on("error", (error) => (cause = error));
    begun.on("message", (message: FromThread) => {
      if (message === "closed") onClosed();
      else if ("lost" in message) losses.add(message.lost, message.reason);
      else if ("unsent" in message) ({ unsent } = message);
      else ahead -= message.taken;
    });
    begun.on("exit", () => {
      if (worker === begun) worker = null;
      if (!isClosing) log.warn({ event: "traces.ended", err: cause });
      losses.add(ahead + unsent, isClosing ? "the process has ended" : ENDED);
      [ahead, unsent] = [0, 0];
      onClosed();
    });
    begun.unref();
    return begun;
  }

  function tell(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (told.length === 0) return;
    const batch = told;
    told = [];
    worker = begin();
    if (worker === null) return losses.add(batch.length, ENDED);
    if (ahead + batch.length > MAX_AHEAD) return losses.add(batch.length, "too many");
    ahead += batch.length;
    worker.postMessage(batch satisfies ToThread);
  }

  const addAt = (event: WorkEvent, atMs: number) => (trace: string | null) => {
    if (trace === null) return;
    told.push({ event, trace, atMs });
    if (told.length >= MAX_TOLD) tell();
    else timer ??= setTimeout(tell, TELL_MS).unref();
  };

  worker = begin();
  return {
    observe(event) {
      if (isClosing || !TRACED.has(event.event)) return;
      const { trace_id: trace, order_id: orderId } = event;
      const add = addAt(event as WorkEvent, Date.now());
      if (typeof trace === "string") add(trace);
      else if (typeof orderId === "number") traceIdOf(orderId).then(add, () => {});
    },
    watch(find) {
      traceIdOf = find;
    },
    async close() {
      tell();
      isClosing = true;
      if (worker !== null) {
        const { promise, resolve } = Promise.withResolvers<void>();
        onClosed = resolve;
        worker.postMessage("close" satisfies ToThread);
        const giveUp = setTimeout(resolve, CLOSE_MS);
        await promise;
        clearTimeout(giveUp);
        await worker?.terminate();
      }
      losses.close();
    },
  };
}

function start(target: TracesTarget): Worker {
  // A thread enables no compile cache by itself.
  const env = { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir() ?? "" };
  const resourceLimits = { maxOldGenerationSizeMb: MAX_THREAD_MB };
  return new Worker(THREAD, { name: "traces", workerData: target, env, resourceLimits });
}

/** Counts what was lost, and says so once in a while. */
function createLosses(log: Log) {
  let lost = 0;
  let reason = "";
  let timer: NodeJS.Timeout | null = null;
  function say(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (lost > 0) log.warn({ event: "traces.lost", lost, reason });
    lost = 0;
  }
  return {
    add(more: number, why: string): void {
      if (more === 0) return;
      lost += more;
      reason = why;
      timer ??= setTimeout(say, PATIENCE_MS).unref();
    },
    close: say,
  };
}
