import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { configHere, placeOf, withAnySchema } from "./cli/database.ts";
import { Failure, reasonOf } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { print, printJson } from "./cli/output.ts";
import { createProgress } from "./cli/progress.ts";
import { span } from "./cli/time.ts";

export function define(command: Command): void {
  command
    .description(
      "Copy a SQLite database into a new file as it is at this moment, beside a serving gateway, and check the copy. Never " +
        "copy the file by other means while it is in use. PostgreSQL has its own: pg_dump, or point-in-time recovery.",
    )
    .argument("<file>", "where the copy goes; nothing is overwritten")
    .option(...JSON_OPTION)
    .action(backup);
  withExamples(
    command,
    [["backup /var/backups/wavegate-2026-11-23.db", "As a daily job"]],
    "To restore: stop the gateway, put the copy in the database's place without the -wal and -shm files beside it, and run\n" +
      "`hold --restored` before the gateway starts. The copy holds buyers' data and digests of tokens: keep it as you keep those.",
  );
}

async function backup(file: string, { json = false }: { readonly json?: boolean }): Promise<void> {
  const config = configHere();
  await withAnySchema(config, { create: false }, async ({ database }) => {
    if (database.backup === null) {
      throw new Failure("usage", `${placeOf(config.databaseUrl)} is no SQLite file`, {
        advice: "back PostgreSQL up by pg_dump or point-in-time recovery: see docs/operations.md",
      });
    }
    const startedAt = performance.now();
    const progress = createProgress("pages");
    try {
      await database.backup(resolve(file), (done, total) => progress.tell(done, total));
    } catch (error) {
      throw new Failure("failed", `there is no backup: ${reasonOf(error)}`, { cause: error });
    } finally {
      progress.end();
    }
    const tookMs = Math.round(performance.now() - startedAt);
    const { size: bytes } = statSync(file);
    if (json) return printJson({ file: resolve(file), bytes, took_ms: tookMs });
    print(`${file}: ${bytes.toLocaleString("en")} bytes in ${span(tookMs)}, checked.`);
  });
}
