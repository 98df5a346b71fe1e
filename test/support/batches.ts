import { globSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Small enough that all processors have something to do until the end. */
const FILES_PER_BATCH = 8;
/** Tests that take their time, beside which loading is nothing. */
const LONG = /^test\/(?:chaos|console|faults|fuzz|gateway|model|system)\//;

export interface Batches {
  /** What one process each begins with: a test file, or a module that brings several. */
  readonly entries: readonly string[];
  readonly files: readonly string[];
}

/**
 * Puts neighbours among the test files that the patterns match together: most of a small file's time is what it loads, the same as
 * they. Each is a suite of its own in its batch: its hooks are its own, and what breaks it breaks no other.
 */
export function batchesOf(patterns: readonly string[], root: string): Batches {
  const found = globSync([...patterns], { cwd: root }).map((file) => realpathSync(resolve(root, file)));
  const files = found.toSorted();
  const directory = mkdtempSync(join(tmpdir(), "wavegate-batches-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  const long = files.filter((file) => LONG.test(relative(root, file)));
  const entries = [...long];
  const short = files.filter((file) => !long.includes(file));
  for (let at = 0; at < short.length; at += FILES_PER_BATCH) {
    const entry = join(directory, `batch-${entries.length + 1}.mjs`);
    writeFileSync(entry, moduleOf(short.slice(at, at + FILES_PER_BATCH), root));
    entries.push(entry);
  }
  return { entries, files };
}

function moduleOf(files: readonly string[], root: string): string {
  const suites = files.map((file) => {
    const [name, url] = [relative(root, file), pathToFileURL(file).href].map((text) => JSON.stringify(text));
    return `suite(${name}, () => import(${url}));\n`;
  });
  return `import { suite } from "node:test";\n${suites.join("")}`;
}
