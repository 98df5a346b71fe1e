import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../test/support/postgres.ts";
import type { DatabaseKind } from "./databases.ts";
import { OTHER_PARTNER, SIGNING_SECRET, TOKEN } from "./secrets.ts";

const ROOT = join(import.meta.dirname, "../..");
const PEERS = join(ROOT, "bench/peers");

/** A server that takes orders, tickets them and calls the partner back. */
export interface Contender {
  readonly name: string;
  readonly databases: readonly DatabaseKind[];
  /** Arguments of node. */
  readonly command: readonly string[];
  readonly needsRedis?: true;
}

const peer = (name: string): Contender => ({
  name,
  databases: ["postgres"],
  command: [join(PEERS, `${name}.ts`)],
});

export const WAVEGATE: Contender = {
  name: "wavegate",
  databases: ["sqlite", "postgres"],
  command: [join(ROOT, "src/main.ts"), "serve"],
};

export const CONTENDERS: readonly Contender[] = [
  WAVEGATE,
  { name: "bare", databases: ["sqlite", "postgres"], command: [join(ROOT, "bench/bare/main.ts")] },
  peer("pg-boss"),
  peer("graphile-worker"),
  { ...peer("bullmq"), needsRedis: true },
  peer("plain"),
];

/** The version of a peer's package, or of WaveGate; empty where there is none. */
export function versionOf({ name }: Contender): string {
  const folder = name === "wavegate" ? ROOT : PEERS;
  if (!existsSync(join(folder, "package.json"))) return "";
  const facts = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version?: string;
    dependencies?: Record<string, string>;
  };
  return (name === "wavegate" ? facts.version : facts.dependencies?.[name]) ?? "";
}

/** Installs the peers' workspace where that is missing, and looks for what they need. @throws Error that says what to do */
export function prepare(contenders: readonly Contender[]): void {
  for (const { name, command } of contenders) {
    if (!existsSync(command[0]!)) throw new Error(`there is no contender ${name} at ${command[0]}`);
  }
  const needsRedis = contenders.some((contender) => contender.needsRedis);
  if (needsRedis && spawnSync("redis-server", ["--version"]).status !== 0) {
    throw new Error(
      "bullmq needs redis-server: `apt-get install redis-server`, or leave bullmq out of --contenders",
    );
  }
  const isPeer = contenders.some(({ command }) => command[0]!.startsWith(PEERS));
  if (!isPeer || existsSync(join(PEERS, "node_modules"))) return;
  const { status } = spawnSync("npm", ["ci", "--prefix", PEERS], { stdio: "inherit" });
  if (status !== 0) throw new Error("the peers could not be installed: `npm ci --prefix bench/peers` failed");
}

export interface StartOptions {
  readonly contender: Contender;
  readonly databaseUrl: string;
  /** Of the load. */
  readonly targetsUrl: string;
  /** A folder of its own for its log, and for Redis. */
  readonly directory: string;
  /** Where Node keeps what it has compiled, between one start and the next. */
  readonly cacheDirectory: string;
  /** Beside the contract's variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** WaveGate alone: `--workers`. */
  readonly workers?: number;
  /** Told of every process, for whoever cleans up should the bench be killed. */
  readonly guard: { add(pid: number): void; remove(pid: number): void };
}

export interface RunningContender {
  readonly url: string;
  /** Its process and its Redis. */
  readonly pids: readonly number[];
  /** From the start of the process to the first 200 of GET /health. */
  readonly startMs: number;
  /** What it has logged so far. */
  logBytes(): number;
  /** By SIGTERM. @throws Error when it had ended before, or ends by anything but 0 */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 4;
const LOG_TAIL_CHARS = 2_000;

export async function startContender(options: StartOptions): Promise<RunningContender> {
  const { contender, directory, guard, workers = 1 } = options;
  mkdirSync(directory, { recursive: true });
  const redis = contender.needsRedis ? await startRedis(directory, guard) : null;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const extra = workers > 1 ? ["--workers", String(workers)] : [];
  const env = { ...environment(options, redis?.url), PORT: String(port) };
  const begunAt = performance.now();
  const child = start(process.execPath, [...contender.command, ...extra], directory, env);
  guard.add(child.process.pid!);
  await until(child, contender.name, () => isHealthy(url));
  const startMs = performance.now() - begunAt;
  // Its engine may still be on its way.
  await until(child, contender.name, async () => startsIn(child) >= workers);
  return {
    url,
    startMs,
    logBytes: () => statSync(child.logPath).size,
    pids: [child.process.pid!, ...(redis ? [redis.pid] : [])],
    async stop() {
      const tail = await end(child);
      guard.remove(child.process.pid!);
      await redis?.stop();
      rmSync(directory, { recursive: true, force: true });
      if (tail !== null) throw new Error(`${contender.name} did not end as it should: ${tail}`);
    },
  };
}

/** The contract's variables, and those by which WaveGate is told the same. */
function environment(options: StartOptions, redisUrl: string | undefined): NodeJS.ProcessEnv {
  const { databaseUrl, targetsUrl, cacheDirectory, env } = options;
  const partners = ["bench", OTHER_PARTNER].map((id) => ({
    id,
    name: id,
    token: TOKEN,
    allowlist_cidrs: ["127.0.0.0/8"],
    rate_limit: { capacity: 1_000_000, per_sec: 1_000_000 },
  }));
  return {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    TMPDIR: cacheDirectory,
    DATABASE_URL: databaseUrl,
    ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
    TICKETING_URL: `${targetsUrl}/ticketing`,
    HOST: "127.0.0.1",
    TICKETING_CONCURRENCY: "1024",
    CALLBACK_CONCURRENCY: "1024",
    CALLBACK_CONCURRENCY_TOTAL: "1024",
    CALLBACK_SIGNING_SECRET: SIGNING_SECRET,
    BENCH_PARTNER: "bench",
    BENCH_TOKEN: TOKEN,
    APP_HMAC_SECRET: "bench",
    PARTNERS_JSON: JSON.stringify(partners),
    REQUIRE_HTTPS_CALLBACKS: "0",
    ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
    ALLOWED_CALLBACK_PORTS: "*",
    LOG_LEVEL: "info",
    ...env,
  };
}

interface Child {
  readonly process: ChildProcess;
  readonly logPath: string;
}

/** What it says goes to a file, as it would in life; nobody spends time on reading it. */
function start(
  program: string,
  parameters: readonly string[],
  directory: string,
  env: NodeJS.ProcessEnv,
): Child {
  const logPath = join(directory, "log");
  const log = openSync(logPath, "a");
  const child = spawn(program, parameters, { cwd: directory, env, stdio: ["ignore", log, log] });
  closeSync(log);
  return { process: child, logPath };
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function until(child: Child, name: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await isSo())) {
    if (hasEnded(child.process) || performance.now() > deadline) {
      child.process.kill("SIGKILL");
      throw new Error(`${name} did not start: ${tailOf(child)}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Processes of it that say that they have started. */
function startsIn({ logPath }: Child): number {
  return readFileSync(logPath, "utf8").split('"gateway.started"').length - 1;
}

/** @returns null, or how it ended and the end of its log */
async function end(child: Child): Promise<string | null> {
  const { process: running } = child;
  if (hasEnded(running))
    return `it had ended before, by ${running.signalCode ?? running.exitCode}: ${tailOf(child)}`;
  const exit = once(running, "exit");
  running.kill("SIGTERM");
  const timer = setTimeout(() => running.kill("SIGKILL"), STOP_TIMEOUT_MS);
  await exit;
  clearTimeout(timer);
  return running.exitCode === 0 ? null : `${running.signalCode ?? running.exitCode}: ${tailOf(child)}`;
}

function tailOf({ logPath }: Child): string {
  return readFileSync(logPath, "utf8").slice(-LOG_TAIL_CHARS);
}

/** A Redis of its own that syncs every write before it answers, in an empty folder. */
async function startRedis(
  directory: string,
  guard: StartOptions["guard"],
): Promise<{ url: string; pid: number; stop(): Promise<void> }> {
  const port = await freePort();
  const folder = join(directory, "redis");
  mkdirSync(folder);
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    appendonly: "yes",
    appendfsync: "always",
    save: "",
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = start("redis-server", parameters, folder, { PATH: process.env["PATH"] });
  guard.add(child.process.pid!);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!readFileSync(child.logPath, "utf8").includes("Ready to accept connections")) {
    if (hasEnded(child.process) || performance.now() > deadline)
      throw new Error(`redis-server did not start: ${tailOf(child)}`);
    await sleep(LOOK_EVERY_MS);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    pid: child.process.pid!,
    async stop() {
      await end(child);
      guard.remove(child.process.pid!);
    },
  };
}
