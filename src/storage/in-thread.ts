import { getCompileCacheDir } from "node:module";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { CommitUnknown, DatabaseUnavailable, type OnTransaction, RowLocked } from "./database.ts";
import { createPages } from "./export-pages.ts";
import type { Storage, StorageOptions } from "./open.ts";

/** What is asked of the thread: a function of its storage, by the names that lead to it. */
export interface Call {
  readonly id: number;
  /** When it was sent: milliseconds that pass alike in every thread. */
  readonly at: number;
  readonly path: readonly string[];
  readonly args: readonly unknown[];
}

export type Answer = {
  readonly id: number;
  /** How long the call lay there before it was begun. */
  readonly waitedMs: number;
} & ({ readonly value: unknown } | { readonly error: ToldError });

/** The time by which calls are measured. */
export const threadsNow = (): number => performance.timeOrigin + performance.now();

/** Asks the thread to close its storage and to end. */
export const CLOSE = "close";

/** An error as it passes between threads: a structured clone would forget its class and its code. */
interface ToldError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly errcode: number | null;
  readonly cause: ToldError | null;
}

/** What those who call decide by. */
const CLASSES = [DatabaseUnavailable, CommitUnknown, RowLocked];

/** Causes that are told: they may go round in a circle. */
const MAX_CAUSES = 8;

export function told(error: unknown, depth = 0): ToldError {
  const { name, message, stack = "", cause } = error instanceof Error ? error : new Error(String(error));
  const hasCode = error instanceof Error && "errcode" in error && typeof error.errcode === "number";
  const errcode = hasCode ? (error.errcode as number) : null;
  const isLast = cause === undefined || depth >= MAX_CAUSES;
  return { name, message, stack, errcode, cause: isLast ? null : told(cause, depth + 1) };
}

export function heard({ name, message, stack, errcode, cause }: ToldError): Error {
  const options = cause === null ? {} : { cause: heard(cause) };
  const known = CLASSES.find((each) => each.name === name);
  const error = known ? new known(message, options) : new Error(message, options);
  return Object.assign(error, { name, stack }, errcode === null ? {} : { errcode });
}

/** Calls functions in a thread. */
export interface Thread {
  /** Begins it now; otherwise the first call does. */
  begin(): void;
  /** @throws what the function threw, or {@link CommitUnknown} when the thread ends before it answers */
  call(path: readonly string[], args: readonly unknown[]): Promise<unknown>;
  /** Calls that have no answer yet. */
  waiting(): number;
  /** Resolves when the thread has closed what it has open, and ended. */
  close(): Promise<void>;
}

interface Waiting {
  readonly at: number;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * @param start begins a thread that answers each {@link Call} with an {@link Answer}; run again when one has ended by
 * itself, as nothing that it held outlives it: a transaction that was open has been rolled back
 * @param onCall hears of each call that was answered
 */
export function createThread(start: () => Worker, onCall: OnTransaction = () => {}): Thread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let ended = Promise.resolve();
  let calls = 0;

  function launch(): Worker {
    const begun = start();
    let cause: unknown = null;
    begun.on("error", (error) => {
      cause = error;
    });
    begun.on("message", (answer: Answer) => {
      const caller = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (caller !== undefined) onCall(answer.waitedMs, threadsNow() - caller.at);
      if ("error" in answer) caller?.reject(heard(answer.error));
      else caller?.resolve(answer.value);
    });
    ended = new Promise((resolve) => {
      begun.on("exit", () => {
        worker = null;
        const error = new CommitUnknown("the thread of the database has ended", { cause });
        for (const { reject } of waiting.values()) reject(error);
        waiting.clear();
        resolve();
      });
    });
    return begun;
  }

  return {
    begin() {
      worker ??= launch();
    },
    call: (path, args) =>
      new Promise((resolve, reject) => {
        worker ??= launch();
        calls += 1;
        const at = threadsNow();
        worker.postMessage({ id: calls, at, path, args } satisfies Call);
        waiting.set(calls, { at, resolve, reject });
      }),
    waiting: () => waiting.size,
    async close() {
      worker?.postMessage(CLOSE);
      await ended;
    },
  };
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** The same names, each function by what it is wrapped in. */
export function mirror<T extends object>(
  given: T,
  wrap: (method: Method, path: readonly string[]) => Method,
  path: readonly string[] = [],
): T {
  const mirrored = Object.entries(given).map(([name, value]: [string, unknown]) => {
    const way = [...path, name];
    const isFunction = typeof value === "function";
    return [name, isFunction ? wrap(value as Method, way) : mirror(value as object, wrap, way)];
  });
  return Object.fromEntries(mirrored) as T;
}

export function membersOf<Name extends keyof Storage>(
  storage: Storage,
  names: readonly Name[],
): Pick<Storage, Name> {
  return Object.fromEntries(names.map((name) => [name, storage[name]])) as Pick<Storage, Name>;
}

const WRITING = [
  "intake",
  "queues",
  "settlements",
  "circuits",
  "operatorActions",
  "bulkJobs",
  "disclosures",
  "rateBuckets",
  "authEvents",
  "rejections",
  "retention",
  "holds",
] as const;
/** What operators ask: it may take a while. */
export const LOOKING = [
  "orderSearch",
  "errorGroups",
  "overview",
  "listAttempts",
  "lists",
  "readPartnerStandings",
  "readGauges",
  "changes",
] as const;

const THREAD = new URL(`./thread${extname(import.meta.url)}`, import.meta.url);

/**
 * The same storage, with what takes its time in threads of its own, as an embedded database holds up whoever calls it: one
 * writes, one looks for operators. Short reads stay, on the connection that is here: they wait for nobody.
 */
export function inThread(storage: Storage, given: StorageOptions): Storage {
  const { onTransaction, ...options } = given;
  const workerData = { ...options, create: false };
  // A thread enables no compile cache by itself, and would strip the types of every file anew.
  const env = { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir() ?? "" };
  const start = (name: string) => () => new Worker(THREAD, { name, workerData, env });
  const writer = createThread(start("writer"), onTransaction);
  const reader = createThread(start("reader"));
  writer.begin();
  const by =
    (thread: Thread) =>
    (_: Method, path: readonly string[]): Method =>
    async (...args) =>
      thread.call(path, args);
  const { findMany, list, find, page } = storage.partners;
  const looking = mirror(membersOf(storage, LOOKING), by(reader));
  // A generator can't pass between threads: its reads do.
  const { byIds } = mirror({ byIds: storage.exportPages.byIds }, by(reader), ["exportPages"]);
  return {
    ...storage,
    database: { ...storage.database, waiting: writer.waiting },
    ...mirror(membersOf(storage, WRITING), by(writer)),
    ...looking,
    exportPages: { ...storage.exportPages, byIds, pages: createPages(looking.orderSearch.ids, byIds) },
    partners: { ...mirror(storage.partners, by(writer), ["partners"]), findMany, list, find, page },
    operatorSessions: {
      ...mirror(storage.operatorSessions, by(writer), ["operatorSessions"]),
      find: storage.operatorSessions.find,
    },
    async close() {
      await Promise.all([writer.close(), reader.close()]);
      await storage.close();
    },
  };
}
