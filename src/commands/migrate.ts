import type { Command } from "commander";
import { migrate } from "../storage/schema.ts";
import { configHere, placeOf, readSchema, withAnySchema } from "./cli/database.ts";
import { EXIT_CODES } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";

interface Options {
  readonly check?: boolean;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .description("Bring the database that DATABASE_URL names to this release's schema.")
    .option("--check", "change nothing; exit code 1 if anything is pending")
    .option(...JSON_OPTION)
    .action(run);
  withExamples(command, [
    ["migrate", "Migrate before the new release starts"],
    ["migrate --check", "See what is pending"],
  ]);
}

async function run({ check = false, json = false }: Options): Promise<void> {
  const config = configHere();
  const database = placeOf(config.databaseUrl);
  const { pending, unknown, applied } = await withAnySchema(config, { create: !check }, async (storage) => {
    const state = await readSchema(storage.database, config.databaseUrl);
    if (check || state.pending.length === 0) return { ...state, applied: [] };
    return { ...state, applied: await migrate(storage.database), pending: [] };
  });
  if (check && pending.length > 0) process.exitCode = EXIT_CODES.failed;
  if (json) return printJson({ database, pending, applied, unknown });
  if (unknown.length > 0)
    print(`The database ${database} was used by a newer release: it has ${unknown.join(", ")}.`);
  if (pending.length > 0) {
    print(`The database ${database} lacks ${pending.join(", ")}: run \`${invocation()} migrate\`.`);
  } else if (applied.length > 0) print(`The database ${database} has been migrated: ${applied.join(", ")}.`);
  else print(`The database ${database} is up to date.`);
}
