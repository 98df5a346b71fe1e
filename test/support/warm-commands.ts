import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandLine, END } from "./warm-process.ts";

export interface Ended {
  /** null: it took too long, and was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const DEADLINE_MS = 60_000;
const STREAMS = ["stdout", "stderr"] as const;

let warm: Promise<ChildProcess> | null = null;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a command line in a process that has its modules loaded already, where one of its own would spend most of
 * its time on that; one after the other.
 */
export function runWarm(line: CommandLine): Promise<Ended> {
  const ended = last.then(() => runNow(line));
  last = ended.catch(() => {});
  return ended;
}

async function runNow(line: CommandLine): Promise<Ended> {
  const child = await (warm ??= start());
  hold(child);
  const said = { stdout: "", stderr: "" };
  const { promise: told, resolve: tell } = Promise.withResolvers<number | null>();
  let code: number | null = null;
  // The exit code takes another way than the text, and may be here before it.
  let missing = STREAMS.length + 1;
  const come = (): void => {
    missing -= 1;
    if (missing === 0) tell(code);
  };
  for (const name of STREAMS) {
    child[name]!.on("data", (text: string) => {
      said[name] += text;
      if (!said[name].endsWith(END)) return;
      said[name] = said[name].slice(0, -END.length);
      come();
    });
  }
  child.once("message", (sent: number) => {
    code = sent;
    come();
  });
  // A command that ends its process does so here too.
  child.once("close", tell);
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  child.send(line);
  const exitCode = await told;
  const ended = { code: exitCode, ...said };
  clearTimeout(deadline);
  for (const name of STREAMS) child[name]!.removeAllListeners("data");
  child.removeAllListeners("message").off("close", tell);
  letGo(child);
  return ended;
}

async function start(): Promise<ChildProcess> {
  const { PATH = "" } = process.env;
  const child = fork(join(import.meta.dirname, "warm-process.ts"), {
    execArgv: [],
    env: { PATH },
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child.once("close", () => (warm = null));
  for (const name of STREAMS) child[name]!.setEncoding("utf8");
  await once(child, "message");
  return child;
}

/** While a command runs, the tests wait for it; else nobody waits for the process, which ends with them. */
function hold(child: ChildProcess): void {
  child.ref();
  child.channel!.ref();
}

function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const name of STREAMS) (child[name] as Socket).unref();
}
