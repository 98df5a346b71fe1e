import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem, type } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { DatabaseKind } from "../load/databases.ts";

/** The runs of one contender under one condition, in the order of their repeats. */
export interface Group {
  readonly contender: string;
  readonly version: string;
  /** Empty where the measure has none. */
  readonly condition: string;
  readonly command: string;
  /** Of the invocation, ISO 8601: what was measured side by side has the same. */
  readonly at: string;
  /** A figure that could not be taken is null. */
  readonly runs: readonly {
    readonly values: Readonly<Record<string, number | null>>;
    readonly minutes?: number;
    readonly series?: Readonly<Record<string, readonly (number | null)[]>>;
  }[];
  /** Why runs failed, which are not among `runs`. */
  readonly failures: readonly string[];
}

/** What a file in `bench/results` holds. */
export interface Result {
  readonly measure: string;
  readonly database: DatabaseKind;
  readonly machine: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly groups: readonly Group[];
}

/** Nothing that names the machine. @param directory where the databases lie */
export function machineFacts(directory: string): Record<string, string> {
  const gib = totalmem() / 2 ** 30;
  return {
    system: type(),
    cores: String(availableParallelism()),
    cpu: cpus()[0]?.model ?? "unknown",
    memory: `${gib.toFixed(0)} GiB`,
    node: process.version,
    "file system": fileSystemOf(directory),
  };
}

/** By the longest mount point that holds the directory. */
function fileSystemOf(directory: string): string {
  if (!existsSync("/proc/mounts")) return "unknown";
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, point = " "]) => `${directory}/`.startsWith(point === "/" ? point : `${point}/`))
    .toSorted(([, a = ""], [, b = ""]) => b.length - a.length);
  return mounts[0]?.[2] ?? "unknown";
}

export function readResults(folder: string): Result[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Result);
}

/** Writes a result over the one of before. Groups that were not measured anew stay, if the machine and its settings are the same. */
export function mergeResult(folder: string, result: Result): void {
  const isSame = (group: Group, other: Group): boolean =>
    group.contender === other.contender && group.condition === other.condition;
  const earlier = readResults(folder).find(
    ({ measure, database }) => measure === result.measure && database === result.database,
  );
  const isComparable =
    isDeepStrictEqual(earlier?.machine, result.machine) &&
    isDeepStrictEqual(earlier?.settings, result.settings);
  const kept = isComparable ? (earlier?.groups ?? []) : [];
  // Each in its old place, so that a base stays first.
  const groups = [
    ...kept.map((group) => result.groups.find((other) => isSame(group, other)) ?? group),
    ...result.groups.filter((group) => !kept.some((other) => isSame(group, other))),
  ];
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.measure}-${result.database}.json`);
  writeFileSync(path, `${asText({ ...result, groups })}\n`);
}

/** Numbers to a thousandth, and rows of them on one line. */
function asText(result: Result): string {
  const text = JSON.stringify(
    result,
    (_, value: unknown) => (typeof value === "number" ? Math.round(value * 1000) / 1000 : value),
    2,
  );
  return text.replace(/\[[\s\d.,null-]+\]/g, (list) => list.replace(/\s+/g, " "));
}
