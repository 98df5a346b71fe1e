import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run } from "node:test";
import type { Mutant } from "./catalogue.ts";

const ROOT = join(import.meta.dirname, "../..");
/** What the tests need; node_modules is linked. */
const PARTS = ["src", "test", "package.json"];
const TEST_TIMEOUT_MS = 45_000;
/** For a whole file, should a mutant make it hang outside its tests. */
const FILE_TIMEOUT_MS = 120_000;

/** The first test that failed. */
export interface Failure {
  readonly file: string;
  readonly test: string;
  /** The file itself failed, before a test of it could: the break is no subtle one. */
  readonly isFile: boolean;
}

/** A copy of the tree in which files may be broken: the working tree never is. */
export interface Copy {
  /** @returns a function that mends it, or null if the text isn't there exactly once */
  apply(mutant: Mutant): (() => void) | null;
  /** Runs test files one after the other until one fails. */
  firstFailure(files: readonly string[]): Promise<Failure | null>;
}

/** @param folder where the copy is made; who made the folder removes it */
export function createCopy(folder: string): Copy {
  const root = mkdtempSync(join(folder, "copy-"));
  for (const part of PARTS)
    cpSync(join(ROOT, part), join(root, part), { recursive: true, verbatimSymlinks: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));

  async function failureIn(file: string): Promise<Failure | null> {
    const path = join(root, file);
    const abort = new AbortController();
    let failure: Failure | null = null;
    const fail = (test: string, isFile: boolean): void => {
      failure ??= { file, test, isFile };
      abort.abort();
    };
    const timer = setTimeout(() => fail(`no end within ${FILE_TIMEOUT_MS / 1000} s`, false), FILE_TIMEOUT_MS);
    const stream = run({ cwd: root, files: [path], timeout: TEST_TIMEOUT_MS, signal: abort.signal });
    stream.on("test:fail", ({ name }) => fail(name, resolve(root, name) === path));
    // A test that waits for good fails nowhere: its process just runs out of things to do.
    stream.on("test:summary", ({ success }) => void (success || fail("a test did not end", false)));
    // Read to its end, which comes when the file's process has gone.
    for await (const _ of stream);
    clearTimeout(timer);
    return failure;
  }

  return {
    apply({ file, find, replace }) {
      const path = join(root, file);
      const text = readFileSync(path, "utf8");
      if (text.split(find).length !== 2) return null;
      // As a function, so that no `$` in it is special.
      writeFileSync(
        path,
        text.replace(find, () => replace),
      );
      return () => writeFileSync(path, text);
    },
    async firstFailure(files) {
      for (const file of files) {
        const failure = await failureIn(relative(root, resolve(root, file)));
        if (failure !== null) return failure;
      }
      return null;
    },
  };
}
