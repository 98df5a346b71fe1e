import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "./clock.ts";
import { type Contender, type RunningContender, startContender } from "./contenders.ts";
import type { BenchDatabase, DatabaseServer } from "./databases.ts";
import { type Load, startLoad } from "./load.ts";
import { usageOf } from "./proc.ts";
import type { Ledgers } from "./process.ts";
import { AT_ONCE, type TicketingManner } from "./targets.ts";
import { deliveredRows, faultsOf } from "./verify.ts";

/** What one run is made of. */
export interface Setup {
  readonly contender: Contender;
  readonly server: DatabaseServer;
  /** Dropped at the end; left out: a fresh one. */
  readonly database?: BenchDatabase;
  readonly directory: string;
  readonly guard: { add(pid: number): void; remove(pid: number): void };
  readonly ticketing?: TicketingManner;
  readonly env?: Readonly<Record<string, string>>;
  readonly workers?: number;
  /** How long to wait for a callback before the run is given up. */
  readonly patienceMs?: number;
}

/** What was used between two moments of {@link nowMs}. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the contender and its servers. */
  readonly cpuSecs: number;
  /** PostgreSQL's WAL and Redis's file; on SQLite all that the process wrote to storage but its log. */
  readonly walBytes: number;
}

/** A contender at work, with its load. */
export interface Session {
  readonly load: Load;
  readonly database: BenchDatabase;
  /** Of the last start: until the first 200 of GET /health. */
  startMs(): number;
  /** Lets time pass and says what was used meanwhile. */
  window(secs: number): Promise<Window>;
  /** Of the contender's own processes. */
  rssBytes(): number;
  /** Waits until all that was accepted has been delivered, in the database too. */
  settled(): Promise<Ledgers>;
  /** Ends the contender; `work` runs while it is down; then it is started again. */
  restart(work: () => Promise<void>): Promise<void>;
}

const PATIENCE_MS = 30_000;
const SETTLE_LOOK_MS = 200;

/**
 * Starts a contender and its load, lets `work` measure, and verifies that every order arrived exactly once.
 * @throws Error that names the orders when one did not
 */
export async function withSession<T>(setup: Setup, work: (session: Session) => Promise<T>): Promise<T> {
  const { server, ticketing = AT_ONCE, patienceMs = PATIENCE_MS } = setup;
  const database = setup.database ?? (await server.create());
  const load = await startLoad(ticketing);
  let running: RunningContender | null = null;
  try {
    // What earlier runs have left to write goes to disk now, not in the middle of this one.
    await database.checkpoint();
    spawnSync("sync");
    const start = async (): Promise<RunningContender> => {
      const started = await startContender({
        ...setup,
        databaseUrl: database.url,
        targetsUrl: load.targetsUrl,
        directory: join(setup.directory, "contender"),
        cacheDirectory: setup.directory,
      });
      await load.target(started.url);
      return started;
    };
    running = await start();
    const contender = (): RunningContender => running!;
    const stop = async (): Promise<void> => {
      const stopping = contender();
      running = null;
      await stopping.stop();
    };
    const result = await work({
      load,
      database,
      startMs: () => contender().startMs,
      window: (secs) => measureWindow(secs, contender(), server, database),
      rssBytes: () => usageOf(contender().pids).rssBytes,
      settled: () => settle(load, database, patienceMs),
      async restart(whileDown) {
        await stop();
        await whileDown();
        running = await start();
      },
    });
    await settle(load, database, patienceMs);
    await stop();
    const faults = await faultsOf(await load.ledgers(), database);
    if (faults.length > 0) throw new Error(faults.join("; "));
    return result;
  } finally {
    await running?.stop().catch(() => {});
    await load.close();
    await database.drop();
  }
}

async function measureWindow(
  secs: number,
  { pids, logBytes }: RunningContender,
  server: DatabaseServer,
  database: BenchDatabase,
): Promise<Window> {
  const [own, ...redis] = pids;
  const read = async () => {
    const wal = await database.walBytes();
    // On SQLite the contender writes the log itself.
    const written = usageOf(wal === null ? [own!] : redis).writtenBytes;
    const log = wal === null ? logBytes() : 0;
    return {
      atMs: nowMs(),
      cpuSecs: usageOf([...pids, ...server.pids]).cpuSecs,
      walBytes: (wal ?? 0) + written - log,
    };
  };
  const before = await read();
  await sleep(secs * 1000);
  const after = await read();
  return {
    fromMs: before.atMs,
    toMs: after.atMs,
    cpuSecs: after.cpuSecs - before.cpuSecs,
    walBytes: after.walBytes - before.walBytes,
  };
}

/** The last answers are written a moment after the last callback. */
async function settle(load: Load, database: BenchDatabase, patienceMs: number): Promise<Ledgers> {
  await load.stop();
  await load.drain(patienceMs);
  const ledgers = await load.ledgers();
  const delivered = await load.delivered();
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += SETTLE_LOOK_MS) {
    const rows = (await deliveredRows(database, "b")) + (await deliveredRows(database, "s"));
    if (rows >= delivered.sent + delivered.seeded) break;
    await sleep(SETTLE_LOOK_MS);
  }
  return ledgers;
}
