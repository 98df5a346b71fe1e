import type { TestContext } from "node:test";
import { PreconditionFailure } from "fast-check";

/** Fixed, so that a change is judged by the same cases as the one before it; another seed finds what this one doesn't. */
const SEED = wholeNumber("FUZZ_SEED", 20_260_825);
/** How many times as many cases as in a usual run of the tests. */
const FACTOR = wholeNumber("FUZZ_RUNS", 1);
/** What failed is made smaller for this long. */
const SHRINK_MS = 20_000;

/** Parameters for so many cases. A failure prints the seed and the smallest case that fails. */
export function cases(runs: number): { seed: number; numRuns: number } {
  return { seed: SEED, numRuns: runs * FACTOR };
}

/** The check of a property whose cases take their time, so that also a failing run comes to its end. */
export function shrunkInTime<T>(check: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let deadline = Infinity;
  return async (value) => {
    // Ends the search for a smaller case; as an answer it would never run out of others.
    if (performance.now() > deadline) throw new PreconditionFailure(true);
    try {
      await check(value);
    } catch (error) {
      deadline = Math.min(deadline, performance.now() + SHRINK_MS);
      throw error;
    }
  };
}

/** Counts cases by family, to tell them at the end. */
export function createTally() {
  const counts = new Map<string, number>();
  return {
    count: (family: string): number => counts.get(family) ?? 0,
    add: (family: string): void => void counts.set(family, (counts.get(family) ?? 0) + 1),
    tell(t: TestContext, what: string): void {
      const sorted = [...counts].toSorted(([, left], [, right]) => right - left);
      const sum = sorted.reduce((total, [, count]) => total + count, 0);
      t.diagnostic(`${what}: ${sum} (${sorted.map(([name, count]) => `${name} ${count}`).join(", ")})`);
    },
  };
}

function wholeNumber(name: string, fallback: number): number {
  const text = process.env[name] || String(fallback);
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`${name} must be a whole number from 1`);
  return Number(text);
}
