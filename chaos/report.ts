import type { Unanswered } from "./client.ts";
import type { Invariant } from "./checks/invariant.ts";
import type { DatabaseKind } from "./plan.ts";
import type { FaultLog } from "./fault-log.ts";
import { storyOf } from "./story.ts";

/** What a run brought. */
export interface Report {
  readonly database: DatabaseKind;
  readonly seed: number;
  readonly seconds: number;
  readonly facts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly misbehaviour: Readonly<Record<string, number>>;
  readonly invariants: readonly Invariant[];
  readonly faultLog: FaultLog;
  /** Requests to the API. */
  readonly unanswered: readonly Unanswered[];
  /** Where everything lies, if it was kept. */
  readonly directory: string | null;
}

const MAX_SHOWN = 5;

export function holds({ invariants }: Report): boolean {
  return invariants.every(({ violations }) => violations.length === 0);
}

export function asJson(report: Report) {
  const { faultLog: _, unanswered: __, invariants, ...rest } = report;
  return {
    ...rest,
    ok: holds(report),
    invariants: invariants.map(({ name, cases, violations }) => ({
      name,
      cases,
      violations: violations.length,
      shown: violations
        .slice(0, MAX_SHOWN)
        .map(({ order, detail }) => ({ order_id: order?.row.id ?? null, detail })),
    })),
  };
}

export function asText(report: Report): string {
  const { database, seed, seconds, facts, faults, misbehaviour, invariants, directory } = report;
  const name = database === "sqlite" ? "SQLite" : "PostgreSQL";
  const lines = [
    "",
    `${name}, seed ${seed}, ${seconds} s: ${holds(report) ? "every invariant holds" : "INVARIANTS BROKEN"}`,
    "",
    ...table(
      "",
      ["count"],
      Object.entries(facts).map(([fact, count]) => [fact, count]),
    ),
    "",
    ...table(
      "fault injected",
      ["count"],
      Object.entries(faults).map(([kind, count]) => [kind, count]),
    ),
    "",
    ...table(
      "targets answered",
      ["count"],
      Object.entries(misbehaviour).map(([kind, count]) => [kind, count]),
    ),
    "",
    ...table(
      "invariant",
      ["cases", "violations"],
      invariants.map(({ name, cases, violations }) => [name, cases, violations.length]),
    ),
    ...violationsOf(report),
  ];
  if (directory !== null) lines.push("", `Kept: ${directory}`);
  return `${lines.join("\n")}\n`;
}

function violationsOf({ invariants, faultLog }: Report): string[] {
  const told = new Set<number>();
  return invariants.flatMap(({ name, violations }) => {
    if (violations.length === 0) return [];
    const lines = ["", `✖ ${name}: ${violations.length}`];
    for (const { order, detail } of violations.slice(0, MAX_SHOWN)) {
      lines.push(`  - ${order ? `order ${order.row.id}: ` : ""}${detail}`);
      if (order && !told.has(order.row.id)) {
        told.add(order.row.id);
        lines.push(...storyOf(order, faultLog).map((line) => `    ${line}`));
      }
    }
    if (violations.length > MAX_SHOWN) lines.push(`  ... and ${violations.length - MAX_SHOWN} more`);
    return lines;
  });
}

function table(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly [string, ...number[]])[],
): string[] {
  if (rows.length === 0) return [`${title}: none`];
  const width = Math.max(title.length, ...rows.map(([name]) => name.length));
  const line = (name: string, cells: readonly (string | number)[]): string =>
    [
      `  ${name.padEnd(width)}`,
      ...cells.map((cell, index) => String(cell).padStart((columns[index]?.length ?? 0) + 4)),
    ].join("");
  return [
    ...(title === "" ? [] : [line(title, columns)]),
    ...rows.map(([name, ...cells]) => line(name, cells)),
  ];
}
