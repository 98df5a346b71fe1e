import type { Contender } from "../load/contenders.ts";
import type { BenchDatabase, DatabaseKind } from "../load/databases.ts";
import type { Setup } from "../load/session.ts";

export interface Options {
  readonly seconds: number;
  readonly soakMinutes: number;
  /** What numbers of seeded orders are multiplied by: less than 1 for a quick look. */
  readonly scale: number;
}

/** What a run is told. */
export interface Run {
  readonly options: Options;
  readonly setup: Setup;
  readonly condition: string;
  /** A copy of a database that was seeded once; made where it is missing. */
  seeded(name: string, seed: (kind: DatabaseKind) => readonly string[]): Promise<BenchDatabase>;
}

export interface RunResult {
  /** By the keys of the measure's columns. */
  readonly values: Readonly<Record<string, number>>;
  /** What was watched over so many minutes, at equal distances. */
  readonly minutes?: number;
  readonly series?: Readonly<Record<string, readonly number[]>>;
}

export interface Column {
  readonly key: string;
  readonly label: string;
  /** Decimals shown. */
  readonly decimals?: number;
}

export interface Chart {
  /** Bars of columns, or lines of series; a panel for each. */
  readonly kind: "bars" | "lines";
  readonly panels: readonly { readonly key: string; readonly label: string }[];
}

export interface Measure {
  readonly name: string;
  /** Those of the issue that asks for it. */
  readonly letters: string;
  readonly title: string;
  /** What is done, in a sentence or two. */
  readonly prose: string;
  readonly databases: readonly DatabaseKind[];
  /** Those that are measured unless others are named; left out: all. */
  readonly contenders?: readonly Contender["name"][];
  /** Measured in turns, the first being what the others are held against; left out: just one. */
  readonly conditions?: readonly string[];
  /** Fewer where a run is long. */
  readonly repeats?: number;
  readonly columns: readonly Column[];
  readonly charts: readonly Chart[];
  /** What this machine lacks for it, or null. */
  lacks?(options: Options): string | null;
  /** Seconds that a run takes, about. */
  estimateSecs(options: Options): number;
  run(run: Run): Promise<RunResult>;
}

export const BOTH: readonly DatabaseKind[] = ["sqlite", "postgres"];

/** A chart of some of the columns. */
export function bars(columns: readonly Column[], ...keys: readonly string[]): Chart {
  return { kind: "bars", panels: columns.filter(({ key }) => keys.includes(key)) };
}
