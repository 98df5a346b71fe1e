import type { Command } from "commander";
import { type Config, describeConfig } from "../config.ts";
import { configHere } from "./cli/database.ts";
import { EXIT_CODES } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { paint, print, printJson, type Style, table } from "./cli/output.ts";
import type { Check } from "./doctor-check.ts";
import { checkAll } from "./doctor-checks.ts";

interface Options {
  readonly dev?: boolean;
  readonly json?: boolean;
}

const STYLES: Record<Check["status"], Style> = { ok: "green", warn: "yellow", fail: "red" };

export function define(command: Command): void {
  command
    .description(
      "Show the effective configuration, secrets masked, and check what it names. Changes nothing and sends nothing: " +
        "ticketing and the endpoint of traces are only connected to. Exit code 1 if a check fails.",
    )
    .option("--dev", "check what `serve --dev` would run with")
    .option(...JSON_OPTION)
    .action(doctor);
  withExamples(command, [
    ["doctor", "Check a deployment before it starts"],
    ["doctor --json", "The same for a script"],
  ]);
}

async function doctor({ dev = false, json = false }: Options): Promise<void> {
  const { config, checks } = await examine(dev);
  const failed = checks.some(({ status }) => status === "fail");
  if (failed) process.exitCode = EXIT_CODES.failed;
  const effective = config === null ? [] : describeConfig(config);
  if (json) {
    const settings = Object.fromEntries(
      effective.map(({ name, value }) => [name, value === "(not set)" ? null : value]),
    );
    return printJson({ ok: !failed, config: config && settings, checks });
  }
  if (config !== null) {
    print(paint("bold", "Configuration"));
    print(
      table(
        ["", ""],
        effective.map(({ name, value }) => [{ text: name, style: "dim" }, value]),
        "  ",
      ),
    );
    print();
  }
  print(paint("bold", "Checks"));
  const rows = checks.map(({ name, status, detail }) => [
    { text: status, style: STYLES[status] },
    name,
    detail,
  ]);
  print(table(["", "", ""], rows, "  "));
  const advice = checks.filter((check) => check.status !== "ok" && check.advice !== null);
  if (advice.length > 0) print(`\n${paint("bold", "What to do")}`);
  for (const check of advice) print(`  ${paint(STYLES[check.status], check.name)}: ${check.advice}`);
}

/** A configuration that can't be read is a finding like any other. */
async function examine(dev: boolean): Promise<{ config: Config | null; checks: readonly Check[] }> {
  let config: Config;
  try {
    config = configHere(dev);
  } catch (error) {
    if (!(error instanceof Error) || !("problems" in error)) throw error;
    const checks = (error.problems as string[]).map((detail): Check => ({
      name: "configuration",
      status: "fail",
      detail,
      advice: null,
    }));
    return { config: null, checks };
  }
  return { config, checks: await checkAll(config) };
}
