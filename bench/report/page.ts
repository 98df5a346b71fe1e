import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { WAVEGATE } from "../load/contenders.ts";
import type { Column, Measure } from "../measures/measure.ts";
import { barChart, lineChart } from "./chart.ts";
import { type Group, readResults, type Result } from "./results.ts";
import { median } from "./statistics.ts";

const DATABASE_NAMES = { sqlite: "SQLite", postgres: "PostgreSQL" } as const;
const IMAGES = "images";
const IMAGE_PREFIX = "performance-";

/** Writes `performance.md` and its charts anew from all results there are. @param docs the folder it goes to */
export function writePage(resultsFolder: string, docs: string, measures: readonly Measure[]): void {
  const results = readResults(resultsFolder);
  const images = join(docs, IMAGES);
  mkdirSync(images, { recursive: true });
  for (const name of readdirSync(images)) if (name.startsWith(IMAGE_PREFIX)) rmSync(join(images, name));
  const sections = measures.flatMap((measure) => {
    const found = results.filter((result) => result.measure === measure.name);
    return found.length === 0 ? [] : [section(measure, found, images)];
  });
  writeFileSync(
    join(docs, "performance.md"),
    [head(results), ...sections, missing(results, measures)].join("\n"),
  );
}

function head(results: readonly Result[]): string {
  const facts = (texts: readonly string[]): string =>
    [...new Set(texts)].map((text) => `- ${text}`).join("\n");
  return `# Performance

What \`npm run bench\` has measured, on one machine, contenders in turns. This page is made by it; the figures are in
\`bench/results\`.

One process beside the contender is sender, ticketing and partner at once. Every order that it sent was verified: it got
tickets exactly once, was called back exactly once, and is delivered in the database; a run with an order that is not
fails and gives no figure. A figure is the median of its runs, with the lowest and the highest. × is the row's figure over
WaveGate's, or where conditions differ over that of its first condition: taken within each round of runs, then the median.

How to read it: the contender, its database and the load share the machine, so that at full speed a figure is what an order costs in
CPU time, the load's included. \`bare\` and \`plain\` have no queue: what is under way is known to one process alone until it starts again.
The engines (pg-boss, graphile-worker, BullMQ) have one, but no allowlist, rate limit, address guard, circuits, lost or late attempts, logs
or search: [what they don't have](../bench/peers/README.md#what-they-dont-have). WaveGate is measured with all of that on.

Measured on:

${facts(results.map(({ machine }) => listed(machine)))}

Settings, the same for all contenders (Redis, for the one that needs it: appendonly yes, appendfsync always):

${facts(results.map(({ settings }) => listed(settings)))}
`;
}

function section(measure: Measure, results: readonly Result[], images: string): string {
  const parts = results
    .toSorted((a, b) => b.database.localeCompare(a.database))
    .map((result) => `### ${DATABASE_NAMES[result.database]}\n\n${body(measure, result, images)}`);
  return `## ${measure.title}\n\n${measure.prose}\n\n${parts.join("\n")}`;
}

function body(measure: Measure, result: Result, images: string): string {
  const { columns } = measure;
  const groups = result.groups.filter(({ runs }) => runs.length > 0);
  const rows = groups.map((group) => {
    const base = baseOf(group, groups);
    const cells = columns.map((column) => cell(column, group, base));
    return `| ${nameOf(group, groups)} | ${cells.join(" | ")} |`;
  });
  const failures = result.groups.flatMap((group) =>
    group.failures.map((failure) => `A run of ${nameOf(group, result.groups)} failed: ${failure}\n`),
  );
  const commands = new Set(result.groups.map(({ command, at }) => `${command}   # ${at.slice(0, 10)}`));
  return [
    `| | ${columns.map(({ label }) => label).join(" | ")} |`,
    `|---|${columns.map(() => "---:|").join("")}`,
    ...rows,
    "",
    ...failures,
    ...charts(measure, result, groups, images),
    "```bash",
    ...commands,
    "```",
    "",
  ].join("\n");
}

/** What a row's figures are held against: WaveGate's, or the first condition's of its own contender. */
function baseOf(group: Group, groups: readonly Group[]): Group | null {
  const name = group.condition === "" ? WAVEGATE.name : group.contender;
  const base = groups.find(({ contender }) => contender === name);
  return base && base !== group ? base : null;
}

function cell({ key, decimals = 0 }: Column, group: Group, base: Group | null): string {
  const values = valuesOf(group, key);
  if (values.length === 0) return "–";
  const shown = (value: number): string =>
    value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  const spread = values.length > 1 ? ` (${shown(Math.min(...values))}–${shown(Math.max(...values))})` : "";
  const ratio = base ? ratioTo(base, group, key) : null;
  return `${shown(median(values))}${spread}${ratio === null ? "" : ` · ${ratio.toFixed(2)}×`}`;
}

/** Null unless both were measured in the same invocation, round by round. */
function ratioTo(base: Group, group: Group, key: string): number | null {
  if (base.at !== group.at || base.runs.length !== group.runs.length) return null;
  const ratios = group.runs.map(
    ({ values }, round) => (values[key] ?? 0) / (base.runs[round]!.values[key] ?? 0),
  );
  return ratios.every(Number.isFinite) ? median(ratios) : null;
}

function charts(measure: Measure, result: Result, groups: readonly Group[], images: string): string[] {
  return measure.charts.flatMap(({ kind, panels }, index) => {
    const drawn = kind === "bars" ? bars(panels, groups) : lines(panels, groups);
    if (drawn === null) return [];
    const name = `${IMAGE_PREFIX}${measure.name}-${result.database}${index === 0 ? "" : `-${index + 1}`}.svg`;
    writeFileSync(join(images, name), drawn);
    const title = `${measure.title}, ${DATABASE_NAMES[result.database]}: ${panels.map(({ label }) => label).join(", ")}`;
    return [`![${title}](${IMAGES}/${name})`, ""];
  });
}

type Panels = Measure["charts"][number]["panels"];

function bars(panels: Panels, groups: readonly Group[]): string | null {
  const drawn = panels.map(({ key, label }) => ({
    title: label,
    bars: groups.flatMap((group) => {
      const values = valuesOf(group, key);
      if (values.length === 0) return [];
      const [min, max] = [Math.min(...values), Math.max(...values)];
      const isOwn = group.contender === WAVEGATE.name;
      return [{ label: nameOf(group, groups), isOwn, median: median(values), min, max }];
    }),
  }));
  return drawn.some((panel) => panel.bars.length > 0) ? barChart(drawn) : null;
}

/** Of the last run of each: lines of several would hide each other. */
function lines(panels: Panels, groups: readonly Group[]): string | null {
  if (groups[0]?.runs.at(-1)?.minutes === undefined) return null;
  const drawn = panels.map(({ key, label }) => ({
    title: label,
    lines: groups.map((group) => ({
      label: nameOf(group, groups),
      values: group.runs.at(-1)!.series?.[key] ?? [],
      minutes: group.runs.at(-1)!.minutes ?? 0,
    })),
  }));
  return lineChart(drawn);
}

function missing(results: readonly Result[], measures: readonly Measure[]): string {
  const absent = measures.flatMap((measure) =>
    measure.databases
      .filter(
        (kind) => !results.some(({ measure: name, database }) => name === measure.name && database === kind),
      )
      .map(
        (kind) =>
          `- ${measure.title}, ${DATABASE_NAMES[kind]}: \`node bench/run.ts --only ${measure.name} --database ${kind}\``,
      ),
  );
  return absent.length === 0 ? "" : `## Not measured yet\n\n${absent.join("\n")}\n`;
}

function nameOf({ contender, version, condition }: Group, groups: readonly Group[]): string {
  const name = version === "" ? contender : `${contender} ${version}`;
  const isAlone = groups.every((group) => group.contender === contender);
  if (condition === "") return name;
  return isAlone ? condition : `${name}, ${condition}`;
}

function valuesOf({ runs }: Group, key: string): number[] {
  return runs.flatMap(({ values }) => values[key] ?? []);
}

function listed(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}
