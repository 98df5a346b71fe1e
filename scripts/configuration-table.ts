// Writes the tables of variables into docs/configuration.md: `node scripts/configuration-table.ts`. The page itself says which
// variables each table has; every one must be in one of them. With --check it only says whether the page is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { CONFIG_VARIABLES } from "../src/config.ts";

const PAGE = new URL("../docs/configuration.md", import.meta.url);
const TABLE = /(<!-- settings: ([A-Z0-9_ ]+) -->\n)[\s\S]*?(<!-- \/settings -->)/g;

const byName = new Map(CONFIG_VARIABLES.map((variable) => [variable.name, variable]));
const placed: string[] = [];

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function row(name: string): string {
  const variable = byName.get(name);
  if (variable === undefined) throw new Error(`docs/configuration.md places ${name}, which is no setting`);
  const { isSecret, meaning, default: fallback } = variable;
  return `| \`${name}\`${isSecret ? " 🔒" : ""} | ${cell(meaning)} | ${cell(fallback)} |\n`;
}

const text = readFileSync(PAGE, "utf8");
const updated = text.replace(TABLE, (_, begin: string, list: string, end: string) => {
  const names = list.split(" ");
  placed.push(...names);
  return `${begin}| variable | meaning | default |\n|---|---|---|\n${names.map(row).join("")}${end}`;
});

const missing = [...byName.keys()].filter((name) => !placed.includes(name));
const repeated = placed.filter((name, index) => placed.indexOf(name) !== index);
if (missing.length > 0 || repeated.length > 0) {
  console.error(
    [
      ...missing.map(
        (name) => `${name} is in no table of docs/configuration.md: add it to a \`settings:\` line.`,
      ),
      ...repeated.map((name) => `${name} is in two tables of docs/configuration.md.`),
    ].join("\n"),
  );
  process.exitCode = 1;
} else if (!process.argv.includes("--check")) {
  writeFileSync(PAGE, updated);
} else if (updated !== text) {
  console.error("docs/configuration.md is out of date: run `node scripts/configuration-table.ts`.");
  process.exitCode = 1;
}
