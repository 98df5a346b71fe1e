import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultLog } from "./fault-log.ts";
import type { Reaper } from "./reaper.ts";
import { DRAIN_MS } from "./settings.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = DRAIN_MS + 10_000;
const MAX_STARTS = 20;
const MAX_STDERR_CHARS = 4_000;

/** One life of a gateway process. */
export interface Incarnation {
  /** `/<gateway>.<number>`: the path by which its requests to ticketing are known. */
  readonly path: string;
  readonly gateway: number;
  readonly pid: number;
  readonly startedAt: number;
  endedAt: number | null;
  /** How it was ended; null while it runs. */
  end: "killed" | "asked" | "by itself" | null;
  /** What was wrong with its end. */
  complaint: string | null;
}

export interface LogLine {
  readonly incarnation: Incarnation;
  readonly text: string;
  /** Null when the line is no JSON object. */
  readonly event: Readonly<Record<string, unknown>> | null;
}

export interface GatewaysOptions {
  readonly count: number;
  /** Of logs, and where the processes run: no `.env` there. */
  readonly directory: string;
  readonly env: (path: string) => Record<string, string>;
  readonly faultLog: FaultLog;
  readonly reaper: Reaper;
  /** The entry point that a gateway is started from; left out: this checkout's. */
  readonly main?: (gateway: number) => string;
}

/** Real gateways as child processes. */
export interface Gateways {
  readonly count: number;
  readonly incarnations: readonly Incarnation[];
  readonly lines: readonly LogLine[];
  /** Where it listens, or null while it doesn't. */
  url(gateway: number): string | null;
  /** Resolves when it listens. */
  start(gateway: number): Promise<void>;
  kill(gateway: number): Promise<void>;
  /** Lets it finish: SIGTERM. */
  end(gateway: number): Promise<void>;
  pause(gateway: number): void;
  resume(gateway: number): void;
  killAll(): void;
}

interface Slot {
  child: ChildProcess | null;
  url: string | null;
  incarnation: Incarnation | null;
  ended: Promise<void>;
  asked: "killed" | "asked" | null;
}

export function createGateways(options: GatewaysOptions): Gateways {
  const { count, directory, env, faultLog, reaper, main = () => MAIN } = options;
  const incarnations: Incarnation[] = [];
  const lines: LogLine[] = [];
  const slots = Array.from({ length: count }, (): Slot => ({
    child: null,
    url: null,
    incarnation: null,
    ended: Promise.resolve(),
    asked: null,
  }));
  let closing = false;

  function spawnInto(slot: Slot, gateway: number): Promise<boolean> {
    const number = incarnations.filter((each) => each.gateway === gateway).length;
    const path = `/${gateway}.${number}`;
    // A process group of its own: a Ctrl-C on the terminal is the runner's.
    const child = spawn(process.execPath, [main(gateway), "serve"], {
      cwd: directory,
      env: { PATH: process.env["PATH"] ?? "", ...env(path) },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const pid = child.pid ?? 0;
    const incarnation: Incarnation = {
      path,
      gateway,
      pid,
      startedAt: Date.now(),
      endedAt: null,
      end: null,
      complaint: null,
    };
    incarnations.push(incarnation);
    reaper.add(pid);
    Object.assign(slot, { child, incarnation, asked: null, url: null });
    const file = createWriteStream(join(directory, `gateway-${gateway}.log`), { flags: "a" });
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-MAX_STDERR_CHARS);
      file.write(chunk);
    });
    const { promise: started, resolve } = Promise.withResolvers<boolean>();
    createInterface({ input: child.stdout }).on("line", (text) => {
      file.write(`${text}\n`);
      const event = parsed(text);
      lines.push({ incarnation, text, event });
      if (event?.["event"] === "gateway.started") {
        slot.url = String(event["url"]);
        resolve(true);
      }
    });
    slot.ended = new Promise((done) => {
      child.once("close", (code, signal) => {
        file.end();
        reaper.remove(pid);
        incarnation.endedAt = Date.now();
        incarnation.end = slot.asked ?? "by itself";
        incarnation.complaint = complaintOf(incarnation, code, signal, errors);
        if (slot.incarnation === incarnation) Object.assign(slot, { child: null, url: null });
        resolve(false);
        done();
      });
    });
    return started;
  }

  function complaintOf(
    { end, startedAt, path }: Incarnation,
    code: number | null,
    signal: string | null,
    errors: string,
  ) {
    if (end === "killed" || closing || (end === "asked" && code === 0)) return null;
    const hasServed = lines.some(
      ({ incarnation, event }) => incarnation.path === path && event?.["event"] === "gateway.started",
    );
    // A start that meets a database which is away is refused, and whoever supervises tries again.
    if (!hasServed && faultLog.during(startedAt, Date.now(), ["database"])) return null;
    return `${end} with ${signal ?? `code ${code}`}; stderr: ${errors.trim() || "empty"}`;
  }

  async function start(gateway: number): Promise<void> {
    const slot = slots[gateway]!;
    for (let tries = 0; tries < MAX_STARTS && !closing; tries += 1) {
      const timeout = sleep(START_TIMEOUT_MS, "timeout" as const, { ref: false });
      const started = await Promise.race([spawnInto(slot, gateway), timeout]);
      if (started === true) return;
      if (started === "timeout") throw new Error(`gateway ${gateway} did not start`);
      await sleep(200);
    }
    if (!closing) throw new Error(`gateway ${gateway} did not start: ${slot.incarnation?.complaint}`);
  }

  async function ended(slot: Slot): Promise<boolean> {
    const timeout = sleep(END_TIMEOUT_MS, "timeout" as const, { ref: false });
    return (await Promise.race([slot.ended, timeout])) !== "timeout";
  }

  return {
    count,
    incarnations,
    lines,
    url: (gateway) => slots[gateway]!.url,
    start,
    async kill(gateway) {
      const slot = slots[gateway]!;
      slot.asked = "killed";
      slot.child?.kill("SIGKILL");
      await slot.ended;
    },
    async end(gateway) {
      const slot = slots[gateway]!;
      if (!slot.child) return;
      slot.asked ??= "asked";
      slot.url = null;
      slot.child.kill("SIGTERM");
      if (await ended(slot)) return;
      slot.child?.kill("SIGKILL");
      await slot.ended;
    },
    pause: (gateway) => void slots[gateway]!.child?.kill("SIGSTOP"),
    resume: (gateway) => void slots[gateway]!.child?.kill("SIGCONT"),
    killAll() {
      closing = true;
      for (const { child } of slots) child?.kill("SIGKILL");
    },
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
