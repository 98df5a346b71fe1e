import { HELP, type Options, readOptions } from "./options.ts";
import { clearProgress, onProgress, runProgram } from "./program.ts";
import { asJson, asText, holds, type Report } from "./report.ts";
import { runTrial } from "./trial.ts";

/** `npm run chaos`: see `--help`. */
async function run(options: Options, signal: AbortSignal): Promise<boolean> {
  const reports: Report[] = [];
  for (const database of options.databases) {
    const report = await runTrial({ ...options, database, signal, onProgress });
    clearProgress();
    if (!options.json) process.stdout.write(asText(report));
    reports.push(report);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(reports.map(asJson), null, 2)}\n`);
  return reports.every(holds);
}

await runProgram({ help: HELP, readOptions, run });
