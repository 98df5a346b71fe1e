import { parseArgs } from "node:util";
import type { DatabaseKind } from "./plan.ts";
import { choice, number, parsed } from "./program.ts";

export interface Options {
  readonly seed: number;
  readonly durationMs: number;
  /** Null: ten a second. */
  readonly orders: number | null;
  readonly databases: readonly DatabaseKind[];
  readonly faults: "none" | "all";
  readonly json: boolean;
  readonly keep: boolean;
}

export const HELP = `Usage: npm run chaos -- [options]

Runs real gateways (one process on SQLite, four on PostgreSQL) against a ticketing system and partners that misbehave,
kills, stops and restarts them, breaks their database, and then checks from both sides, the targets' records and the
database, that no order was lost, made twice, or became inexplicable.

Options:
  --seed <n>         what the plan of orders and faults follows from; the same seed and options give the same
                     plan. Timing differs from run to run, and with it what the faults hit (default: 1)
  --minutes <m>      how long orders are sent and faults injected, on each database (default: 1)
  --orders <n>       how many orders, spread evenly over that time (default: 10 a second)
  --database <d>     sqlite, postgres or both (default: both)
  --faults <f>       all, or none: healthy targets, processes and databases (default: all)
  --json             print the reports as JSON on stdout
  --keep             leave the database and the logs behind, and say where
  --help             show this

Ends with 0 if every invariant held, with 1 if one was broken, with 2 for a wrong option, with 130 after Ctrl-C.
`;

/** @returns null when help was asked for. @throws {@link UsageError} */
export function readOptions(argv: readonly string[]): Options | null {
  const { values } = parse(argv);
  if (values.help) return null;
  const database = choice("--database", values.database, ["sqlite", "postgres", "both"] as const);
  return {
    seed: number("--seed", values.seed, 0, 2 ** 32, true),
    durationMs: 60_000 * number("--minutes", values.minutes, 0.01, 24 * 60, false),
    orders: values.orders === undefined ? null : number("--orders", values.orders, 1, 1_000_000, true),
    databases: database === "both" ? ["sqlite", "postgres"] : [database],
    faults: choice("--faults", values.faults, ["none", "all"] as const),
    json: values.json,
    keep: values.keep,
  };
}

function parse(argv: readonly string[]) {
  return parsed(() =>
    parseArgs({
      args: [...argv],
      options: {
        seed: { type: "string", default: "1" },
        minutes: { type: "string", default: "1" },
        orders: { type: "string" },
        database: { type: "string", default: "both" },
        faults: { type: "string", default: "all" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }),
  );
}
