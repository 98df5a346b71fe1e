import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { MAIN } from "../support/main.ts";
import { type Ended, runWarm } from "../support/warm-commands.ts";

const DEADLINE_MS = 60_000;

export type Env = Readonly<Record<string, string>>;

export interface CommandOptions {
  /** Beside nothing but what Node needs: no setting of the shell that runs the tests reaches the command. */
  readonly env?: Env;
  readonly cwd?: string;
  readonly stdin?: string;
}

export type { Ended };

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** The first group of the pattern, once it has appeared on stdout or stderr. */
  shows(pattern: RegExp): Promise<string>;
  readonly ended: Promise<Ended>;
}

/** The real command line in a process of its own. */
export function start(args: readonly string[], options: CommandOptions = {}): Running {
  const { env, cwd, stdin } = surroundings(options);
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env,
    stdio: "pipe",
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  const said = { stdout: "", stderr: "" };
  let news = Promise.withResolvers<void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
      news.resolve();
      news = Promise.withResolvers();
    });
  }
  child.stdin.on("error", () => {}).end(stdin);
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
  return {
    child,
    ended,
    async shows(pattern) {
      let isRunning = true;
      void ended.then(() => (isRunning = false));
      for (;;) {
        const found = pattern.exec(said.stdout + said.stderr);
        if (found) return found[1] ?? found[0];
        if (!isRunning) throw new Error(`it ended without ${pattern}:\n${said.stdout}${said.stderr}`);
        await Promise.race([news.promise, ended]);
      }
    },
  };
}

/** Runs a command to its end, in the process that all such commands of these tests share; one that is installed: in its own. */
export function run(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  if (process.env["TEST_MAIN"]) return runAlone(args, options);
  return runWarm({ args, ...surroundings(options) });
}

/** The same in a process of its own: for what hangs on that, and for what begins processes and threads. */
export function runAlone(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  return start(args, options).ended;
}

function surroundings({ env, cwd = tmpdir(), stdin = "" }: CommandOptions) {
  const { PATH = "" } = process.env;
  return { env: { PATH, HOME: tmpdir(), NO_COLOR: "1", ...env }, cwd, stdin };
}

/** A command that is ended with the test, if it doesn't end before. */
export function startFor(t: TestContext, args: readonly string[], options: CommandOptions = {}): Running {
  const running = start(args, options);
  t.after(async () => {
    running.child.kill("SIGKILL");
    await running.ended;
  });
  return running;
}

/** An empty directory that goes with the test. */
export function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-cli-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface ErrorReport {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly problems: string[];
    readonly advice: string | null;
  };
}

export function errorIn({ stderr }: Ended): ErrorReport["error"] {
  return (JSON.parse(stderr) as ErrorReport).error;
}
