import { readdirSync, readFileSync } from "node:fs";

/** What a group of processes has used so far; zeros where the kernel has no /proc. */
export interface Usage {
  /** User and system time, also of children that have ended. */
  readonly cpuSecs: number;
  /** Resident memory, in bytes. */
  readonly rssBytes: number;
  /** What went to the storage layer, in bytes. */
  readonly writtenBytes: number;
}

/** Linux counts /proc's times in hundredths of a second for every reader, whatever the kernel's own tick is. */
const TICKS_PER_SEC = 100;

/** @param roots process ids; their descendants count too */
export function usageOf(roots: readonly number[]): Usage {
  const sum = { cpuSecs: 0, rssBytes: 0, writtenBytes: 0 };
  for (const pid of withDescendants(roots)) {
    const fields = statOf(pid);
    if (!fields) continue;
    // proc_pid_stat(5), from the third field on: utime, stime, cutime, cstime are 14 to 17.
    for (const at of [11, 12, 13, 14]) sum.cpuSecs += Number(fields[at]) / TICKS_PER_SEC;
    sum.rssBytes += 1024 * numberIn(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m);
    sum.writtenBytes += numberIn(`/proc/${pid}/io`, /^write_bytes: (\d+)/m);
  }
  return sum;
}

/** The process that has started this one. */
export function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1] ?? 0);
}

function withDescendants(roots: readonly number[]): Set<number> {
  const parents = new Map<number, number>();
  for (const name of entries("/proc"))
    if (/^\d+$/.test(name)) parents.set(Number(name), parentOf(Number(name)));
  const found = new Set(roots);
  for (let before = 0; before !== found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (found.has(parent)) found.add(pid);
  }
  return found;
}

/** Fields from the third on: the second is a name in brackets, which may hold anything. */
function statOf(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === "" ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function numberIn(path: string, pattern: RegExp): number {
  return Number(pattern.exec(read(path))?.[1] ?? 0);
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Empty when the process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
