import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase, openUrl, POSTGRES } from "../support/databases.ts";
import { NOW } from "./fixtures.ts";

/** The reference: full at the first take, and a clock that steps back fills nothing. */
function model(capacity: number, perSec: number) {
  let tokens = capacity;
  let at = Number.NEGATIVE_INFINITY;
  return (now: number, wanted: number): number => {
    tokens = Math.min(capacity, tokens + (Math.max(0, now - at) * perSec) / 1000);
    at = Math.max(at, now);
    const granted = Math.min(wanted, Math.floor(tokens));
    tokens -= granted;
    return granted;
  };
}

/** No window of any length got more than capacity + rate x t, whether the clock stepped back in it or not. */
function assertWithinRate(
  taken: readonly { at: number; granted: number }[],
  capacity: number,
  perSec: number,
) {
  for (let from = 0; from < taken.length; from += 1) {
    let sum = 0;
    let latest = Number.NEGATIVE_INFINITY;
    for (let to = from; to < taken.length; to += 1) {
      sum += taken[to]!.granted;
      latest = Math.max(latest, taken[to]!.at);
      const ms = latest - taken[from]!.at;
      assert.ok(sum <= capacity + (perSec * ms) / 1000 + 1e-6, `${sum} in ${ms} ms`);
    }
  }
}

onEachDatabase("rate buckets", (kind) => {
  let names = 0;
  const takeOne = async (
    storage: Storage,
    partnerId: string,
    now: number,
    wanted: number,
    capacity = 5,
    perSec = 1,
  ) => {
    const [taken] = await storage.rateBuckets.take(
      [{ partnerId, kind: "orders", capacity, perSec, wanted }],
      now,
    );
    return taken!;
  };

  test("grants what a reference model grants, with a clock that steps forth and back", async () => {
    const storage = await freshStorage(kind);
    const steps = fc.array(
      fc.record({ ms: fc.integer({ min: -3_000, max: 5_000 }), wanted: fc.integer({ min: 0, max: 8 }) }),
      { minLength: 1, maxLength: 12 },
    );
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom(1, 2, 3, 10),
      steps,
      async (capacity, perSec, steps) => {
        const partnerId = `p${(names += 1)}`;
        const expected = model(capacity, perSec);
        const taken = [];
        let now = NOW;
        for (const { ms, wanted } of steps) {
          now += ms;
          const { granted, retryAfterMs } = await takeOne(storage, partnerId, now, wanted, capacity, perSec);
          assert.equal(granted, expected(now, wanted));
          assert.ok(retryAfterMs >= 0 && retryAfterMs <= 1000 / perSec);
          if (granted < wanted) assert.ok(retryAfterMs > 0);
          taken.push({ at: now, granted });
        }
        assertWithinRate(taken, capacity, perSec);
      },
    );
    await fc.assert(property, { numRuns: 40 });
    await storage.close();
  });

  test("Retry-After is the time until one whole token", async () => {
    const storage = await freshStorage(kind);
    assert.deepEqual(await takeOne(storage, "p", NOW, 5), { granted: 5, retryAfterMs: 1_000 });
    assert.deepEqual(await takeOne(storage, "p", NOW + 250, 1), { granted: 0, retryAfterMs: 750 });
    assert.equal((await takeOne(storage, "p", NOW + 999, 1)).granted, 0);
    assert.equal((await takeOne(storage, "p", NOW + 1_000, 1)).granted, 1);
    await storage.close();
  });

  test("several buckets at once: each kind and partner has its own, answers in the order of the takes", async () => {
    const storage = await freshStorage(kind);
    const take = (partnerId: string, bucket: "orders" | "reads", capacity: number) => {
      return { partnerId, kind: bucket, capacity, perSec: 1, wanted: 100 };
    };
    await storage.rateBuckets.take([take("b", "orders", 3)], NOW);
    const takes = [
      take("c", "reads", 50),
      take("b", "orders", 3),
      take("a", "orders", 7),
      take("c", "orders", 5),
    ];
    const granted = (await storage.rateBuckets.take(takes, NOW)).map((taken) => taken.granted);
    assert.deepEqual(granted, [50, 0, 7, 5]);
    assert.deepEqual((await storage.rateBuckets.take([take("a", "orders", 2)], NOW + 60_000))[0]!.granted, 2);
    await storage.close();
  });

  test("several processes share the buckets, also when they come to be at the same moment", async () => {
    const url = await kind.migratedUrl();
    const storages = Array.from({ length: kind === POSTGRES ? 3 : 1 }, () => openUrl(url));
    let granted = 0;
    const startedAt = Date.now();
    await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const takes = ["x", "y"].map((partnerId) => {
          return { partnerId, kind: "orders" as const, capacity: 40, perSec: 0.001, wanted: 1 };
        });
        if (index % 2 === 0) takes.reverse();
        const taken = await storages[index % storages.length]!.rateBuckets.take(takes, null);
        granted += taken[0]!.granted + taken[1]!.granted;
      }),
    );
    assert.ok(Date.now() - startedAt < 60_000, "too slow to tell");
    assert.equal(granted, 80);
    await Promise.all(storages.map((storage) => storage.close()));
  });
});
