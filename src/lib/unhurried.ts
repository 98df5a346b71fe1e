import { setTimeout as sleep } from "node:timers/promises";

const [MIN_REST_MS, MAX_REST_MS] = [5, 250];

/** Does the work, then rests for as long as it took, so that long work in steps leaves half of the time to others. */
export async function unhurried<T>(work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  const tookMs = performance.now() - startedAt;
  await sleep(Math.min(Math.max(tookMs, MIN_REST_MS), MAX_REST_MS));
  return result;
}
