import { globSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Small enough that all processors have something to do until the end. */
const FILES_PER_BATCH = 8;
/** Tests that take their time, beside which loading is nothing. */
const LONG = /^test\/(?:chaos|faults|fuzz|gateway|model|system)\//;
/** Tests that take their time, and load a gateway and what drives a browser. */
const BROWSER = /^test\/console\//;
const BROWSER_FILES_PER_BATCH = 3;

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
  const isOf = (kind: RegExp) => (file: string) => kind.test(relative(root, file));
  const entries = files.filter(isOf(LONG));
  const batch = (some: readonly string[], size: number): void => {
    for (let at = 0; at < some.length; at += size) {
      const entry = join(directory, `batch-${entries.length + 1}.mjs`);
      writeFileSync(entry, moduleOf(some.slice(at, at + size), root));
      entries.push(entry);
    }
  };
  batch(files.filter(isOf(BROWSER)), BROWSER_FILES_PER_BATCH);
  batch(
    files.filter((file) => !isOf(LONG)(file) && !isOf(BROWSER)(file)),
    FILES_PER_BATCH,
  );
  return { entries, files };
}

function moduleOf(files: readonly string[], root: string): string {
  const suites = files.map((file) => {
    const [name, url] = [relative(root, file), pathToFileURL(file).href].map((text) => JSON.stringify(text));
    return `suite(${name}, () => import(${url}));\n`;
  });
  return `import { suite } from "node:test";\n${suites.join("")}`;
}
