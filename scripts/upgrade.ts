// Can a release be upgraded, and gone back from, without an order hearing of it? Runs gateways of an earlier revision under
// load, upgrades them to the working tree, goes back, and looks at every order from both sides: `npm run upgrade-test`.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Invariant } from "../chaos/checks/invariant.ts";
import {
  choice,
  clearProgress,
  number,
  onProgress,
  parsed,
  runProgram,
  UsageError,
} from "../chaos/program.ts";
import { asJson, asText, holds, type Report } from "../chaos/report.ts";
import { runTrial } from "../chaos/trial.ts";
import { createUpgradeCourse, type StepDone } from "./upgrade/course.ts";
import { releaseOf, WORKING_TREE } from "./upgrade/release.ts";

const HELP = `npm run upgrade-test -- <revision> [options]

Runs gateways of a git revision under load, migrates their database by the working tree's \`migrate\`, starts gateways of
the working tree beside them, stops the old ones one by one, and goes back in the same way; on SQLite, which has one
gateway, by stopping and starting. Ticketing and partners misbehave, so that the releases share retries too. Then it
checks that every accepted order was ticketed and told once, with every attempt on record, and that no request went
without an answer.

  --seconds <n>   how long orders are sent, on each database (default: 60)
  --orders <n>    how many (default: 10 a second)
  --database <d>  sqlite, postgres or both (default: both)
  --seed <n>      what orders and misbehaviour follow from (default: 1)
  --healthy       ticketing and partners answer every request
  --json          the results as JSON
  --keep          leave the databases and the logs behind, and say where
  --help          this text

Ends with 0 if every invariant held, with 1 if one was broken, with 2 for wrong usage, with 130 after Ctrl-C.
`;

interface Upgrade {
  readonly report: Report;
  readonly steps: readonly StepDone[];
}

/** Chaos excuses requests without an answer, as it kills who should answer. Here nobody is killed. */
function everyRequestAnswered({ facts, unanswered }: Report, startedAt: number): Invariant {
  return {
    name: "no request to the API goes without an answer",
    cases: facts["requests to the API"] ?? 0,
    violations: unanswered.map(({ at, order, reason }) => {
      const seconds = ((at - startedAt) / 1000).toFixed(1);
      return { order: null, detail: `${order.externalOrderId}, sent at ${seconds} s: ${reason}` };
    }),
  };
}

function textOf({ report, steps }: Upgrade): string {
  const lines = steps.map(
    ({ atMs, tookMs, what }) =>
      `  ${(atMs / 1000).toFixed(1).padStart(6)} s  ${String(tookMs).padStart(6)} ms  ${what}`,
  );
  return `${asText(report)}\n      at       took\n${lines.join("\n")}\n`;
}

function readOptions(argv: readonly string[]) {
  const { values, positionals } = parsed(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: "60" },
        orders: { type: "string" },
        database: { type: "string", default: "both" },
        seed: { type: "string", default: "1" },
        healthy: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }),
  );
  if (values.help) return null;
  const [revision] = positionals;
  const database = choice("--database", values.database, ["sqlite", "postgres", "both"] as const);
  if (revision === undefined || positionals.length > 1) throw new UsageError("one revision is expected");
  return {
    revision,
    durationMs: 1000 * number("--seconds", values.seconds, 1, MOST, true),
    orders: values.orders === undefined ? null : number("--orders", values.orders, 1, MOST, true),
    databases: database === "both" ? (["sqlite", "postgres"] as const) : [database],
    seed: number("--seed", values.seed, 1, MOST, true),
    faults: values.healthy ? ("none" as const) : ("all" as const),
    json: values.json,
    keep: values.keep,
  };
}

const MOST = 1_000_000;

type Options = NonNullable<ReturnType<typeof readOptions>>;

async function upgrade(
  options: Options,
  directory: string,
  signal: AbortSignal,
): Promise<readonly Upgrade[]> {
  const before = await releaseOf(options.revision, join(directory, "before"));
  const upgrades: Upgrade[] = [];
  for (const database of options.databases) {
    process.stderr.write(`${database}: from ${before.name} to ${WORKING_TREE.name} and back\n`);
    const course = createUpgradeCourse({ before, after: WORKING_TREE, directory, kind: database });
    const report = await runTrial({ ...options, database, course, signal, onProgress });
    clearProgress();
    const invariants = [...report.invariants, everyRequestAnswered(report, course.startedAt())];
    upgrades.push({ report: { ...report, invariants }, steps: course.steps });
  }
  return upgrades;
}

async function run(options: Options, signal: AbortSignal): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "wavegate-upgrade-"));
  await chmod(directory, 0o755);
  try {
    const upgrades = await upgrade(options, directory, signal);
    const told = options.json
      ? `${JSON.stringify(
          upgrades.map(({ report, steps }) => ({ ...asJson(report), steps })),
          null,
          2,
        )}\n`
      : upgrades.map(textOf).join("");
    process.stdout.write(told);
    return upgrades.every(({ report }) => holds(report));
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

await runProgram({ help: HELP, readOptions, run });
