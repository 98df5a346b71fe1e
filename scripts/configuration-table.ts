// Writes the table of variables into the README: `node scripts/configuration-table.ts`. With --check it only says
// whether the table is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { CONFIG_VARIABLES } from "../src/config.ts";

const README = new URL("../README.md", import.meta.url);
const BEGIN = "<!-- configuration: written by scripts/configuration-table.ts -->\n";
const END = "<!-- /configuration -->";

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const rows = CONFIG_VARIABLES.map(
  (variable) =>
    `| \`${variable.name}\`${variable.isSecret ? " 🔒" : ""} | ${cell(variable.meaning)} | ${cell(variable.default)} |`,
);
const table = ["| variable | meaning | default |", "|---|---|---|", ...rows, "", "🔒: a secret.", ""].join(
  "\n",
);

const text = readFileSync(README, "utf8");
const begin = text.indexOf(BEGIN) + BEGIN.length;
const end = text.indexOf(END);
if (begin < BEGIN.length || end < begin) throw new Error("the README has no place for the table");
const updated = text.slice(0, begin) + table + text.slice(end);

if (!process.argv.includes("--check")) {
  writeFileSync(README, updated);
} else if (updated !== text) {
  console.error(
    "The README's configuration table is out of date: run `node scripts/configuration-table.ts`.",
  );
  process.exitCode = 1;
}
