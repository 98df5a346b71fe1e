import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

/** A small process that ends what the runner leaves behind, should the runner itself be killed. */
export interface Reaper {
  readonly pid: number;
  add(pid: number): void;
  remove(pid: number): void;
  /** All is cleaned up: nothing is left to do. */
  dismiss(): void;
}

/** @param directory removed with what is left behind; null: kept */
export function startReaper(directory: string | null): Reaper {
  const child = spawn(process.execPath, [import.meta.filename, directory ?? ""], {
    stdio: ["pipe", "ignore", "inherit"],
    detached: true,
  });
  child.stdin.on("error", () => {});
  const say = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    pid: child.pid ?? 0,
    add: (pid) => say(`+${pid}`),
    remove: (pid) => say(`-${pid}`),
    dismiss() {
      say("dismissed");
      child.stdin.end();
    },
  };
}

function reap(directory: string): void {
  const pids = new Set<number>();
  let text = "";
  process.stdin.on("data", (chunk: Buffer) => (text += chunk.toString()));
  process.stdin.on("end", () => {
    const words = text.split("\n");
    if (words.includes("dismissed")) return;
    for (const word of words) {
      const pid = Number(word.slice(1));
      if (word.startsWith("+")) pids.add(pid);
      else pids.delete(pid);
    }
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    if (directory !== "")
      rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });
}

if (import.meta.main) reap(process.argv[2] ?? "");
