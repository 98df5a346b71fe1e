/** One try, again and again until it succeeds: each later than the one before, up to a bound. */
export interface Retry {
  later(): void;
  cancel(): void;
  succeeded(): void;
}

const FIRST_MS = 1_000;
const MAX_MS = 10_000;

/** By chance up to half as early, so that all who lost a gateway at once don't come back at once. */
export function createRetry(attempt: () => void): Retry {
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    later() {
      const delayMs = Math.min(MAX_MS, FIRST_MS * 2 ** failures);
      failures += 1;
      timer = setTimeout(attempt, delayMs * (1 - Math.random() / 2));
    },
    cancel: () => clearTimeout(timer),
    succeeded() {
      failures = 0;
    },
  };
}
