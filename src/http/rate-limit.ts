import type { Clock } from "../lib/clock.ts";
import { combine } from "../lib/combiner.ts";
import type { Database } from "../storage/database.ts";
import type { Partner } from "../storage/partners.ts";
import type { RateBuckets, Take, Taken } from "../storage/rate-buckets.ts";
import { Problem } from "./problem-reply.ts";

export interface RateLimitOptions {
  readonly database: Pick<Database, "batchesAtOnce">;
  readonly rateBuckets: RateBuckets;
  /** For partners without a limit of their own. */
  readonly defaults: { readonly capacity: number; readonly perSec: number };
  readonly clock: Clock;
}

type Wish = Omit<Take, "wanted">;
type Verdict = { readonly granted: boolean; readonly retryAfterMs: number };

/** How much larger the bucket of reads is than that of orders. */
const FACTORS: Readonly<Record<Take["kind"], number>> = { orders: 1, reads: 10 };
const MAX_BATCH = 200;
const MAX_QUEUE = 10_000;

/**
 * The token bucket of a partner whose token is right (SPEC section 3). Requests that come together take together, from
 * the one bucket that all processes share.
 *
 * @returns a function that takes one token. @throws Problem 429, with `Retry-After` in whole seconds until there is one
 */
export function createRateLimit(
  options: RateLimitOptions,
): (partner: Partner, kind: Take["kind"]) => Promise<void> {
  const { database, rateBuckets, defaults, clock } = options;
  const take = combine<Wish, Verdict>({
    run: (wishes) => takeTogether(wishes, (takes) => rateBuckets.take(takes, clock.statementNow())),
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
    concurrency: database.batchesAtOnce,
  });

  return async (partner, kind) => {
    const { granted, retryAfterMs } = await take({
      partnerId: partner.id,
      kind,
      capacity: (partner.rateCapacity ?? defaults.capacity) * FACTORS[kind],
      perSec: (partner.ratePerSec ?? defaults.perSec) * FACTORS[kind],
    });
    if (granted) return;
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    throw new Problem("rate-limited", {
      hint: `try again in ${seconds} s`,
      headers: { "retry-after": String(seconds) },
    });
  };
}

/** Takes once from each bucket for all who want of it: the first to come are the first served. */
async function takeTogether(
  wishes: readonly Wish[],
  take: (takes: readonly Take[]) => Promise<Taken[]>,
): Promise<Verdict[]> {
  const places = new Map<string, number>();
  const takes: Take[] = [];
  const turns = wishes.map((wish) => {
    const key = `${wish.kind} ${wish.partnerId}`;
    const place = places.get(key) ?? takes.length;
    places.set(key, place);
    const turn = takes[place]?.wanted ?? 0;
    takes[place] = { ...wish, wanted: turn + 1 };
    return { place, turn };
  });
  const taken = await take(takes);
  return turns.map(({ place, turn }) => {
    const { granted, retryAfterMs } = taken[place]!;
    return { granted: turn < granted, retryAfterMs };
  });
}
