import { once } from "node:events";
import { enableCompileCache } from "node:module";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { MAIN } from "./main.ts";

/** A command line, and what it finds around it. */
export interface CommandLine {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: string;
}

/** After what a command has written, on stdout as on stderr. */
export const END = "\u0000end\u0000";

const LOOK_EVERY_MS = 2;

/**
 * The process behind `warm-commands.ts`. It runs one command line after the other, each as if in a process of its own: with
 * nothing but its environment, directory and input, and over when nothing of it would keep a process alive any more.
 */
async function serve(): Promise<void> {
  enableCompileCache();
  const { main } = await import("../../src/commands/program.ts");
  process.argv[1] = MAIN;
  process.once("disconnect", () => process.exit());
  const atRest = heldBy();
  process.on("message", (line: CommandLine) => void run(line));
  process.send!("ready");

  async function run({ args, env, cwd, stdin }: CommandLine): Promise<void> {
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, env);
    process.chdir(cwd);
    Object.defineProperty(process, "stdin", { configurable: true, value: Readable.from([stdin]) });
    process.exitCode = undefined;
    await main(args);
    while (heldBy() !== atRest) await sleep(LOOK_EVERY_MS);
    for (const name of ["SIGINT", "SIGTERM"]) process.removeAllListeners(name);
    for (const stream of [process.stdout, process.stderr]) {
      stream.removeAllListeners("error");
      if (!stream.write(END)) await once(stream, "drain");
    }
    process.send!(process.exitCode ?? 0);
  }
}

/** What keeps this process alive, as text. */
function heldBy(): string {
  return process.getActiveResourcesInfo().toSorted().join();
}

if (import.meta.main) await serve();
