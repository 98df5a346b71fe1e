import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { createRateLimit } from "../../src/http/rate-limit.ts";
import { Problem } from "../../src/http/problem-reply.ts";
import type { Partner } from "../../src/storage/partners.ts";
import type { Take } from "../../src/storage/rate-buckets.ts";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, DEMO, openDoor } from "./door.ts";

onEachDatabase("the rate limit", (kind) => {
  /** A bucket fills by a clock that the test moves. */
  function movedClock() {
    let now = 1_800_000_000_000;
    const clock: Clock = { ...systemClock, statementNow: () => now };
    return { clock, pass: (ms: number) => void (now += ms) };
  }

  test("capacity at once, then rate x time; Retry-After tells when", async () => {
    const { clock, pass } = movedClock();
    const door = await openDoor({ kind, clock, rateLimit: { capacity: 3, perSec: 0.4 } });
    const burst = await Promise.all(Array.from({ length: 8 }, () => door.post()));
    const statuses = Object.groupBy(burst, (reply) => reply.statusCode);
    assert.deepEqual([statuses[201]?.length, statuses[429]?.length], [3, 5]);
    const refused = statuses[429]![0]!;
    assert.equal(refused.headers["retry-after"], "3", "a token takes 2.5 s");
    assert.equal(refused.json().detail, "rate limited: try again in 3 s");
    assert.equal(refused.headers["content-type"], "application/problem+json");
    pass(2400);
    assert.equal((await door.post()).headers["retry-after"], "1");
    pass(100);
    assert.equal((await door.post()).statusCode, 201);
    await door.close();
  });

  test("a partner's own limit wins, reads have ten times as much, operators no limit", async () => {
    const { clock } = movedClock();
    const door = await openDoor({ kind, clock, rateLimit: { capacity: 100, perSec: 1 } });
    await door.addPartner({ id: "small", rateCapacity: 1, ratePerSec: 1 });
    const headers = { ...DEMO, "x-partner-id": "small" };
    const posts = [await door.post({ headers }), await door.post({ headers })];
    assert.deepEqual(
      posts.map((reply) => reply.statusCode),
      [201, 429],
    );
    const reads = await Promise.all(Array.from({ length: 12 }, () => door.get("/orders", headers)));
    assert.equal(reads.filter((reply) => reply.statusCode === 200).length, 10);
    assert.equal((await door.post()).statusCode, 201, "every partner has a bucket of its own");
    const bearer = await addOperator(door, "olga");
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await door.get("/orders", bearer)).statusCode, 200);
    }
    await door.close();
  });

  test("only the right token spends the bucket", async () => {
    const { clock } = movedClock();
    const door = await openDoor({ kind, clock, rateLimit: { capacity: 1, perSec: 1 } });
    const headers = { ...DEMO, "x-partner-token": "wrong" };
    for (let count = 0; count < 5; count += 1) assert.equal((await door.post({ headers })).statusCode, 401);
    assert.equal((await door.post()).statusCode, 201);
    assert.equal((await door.post({ payload: "{" })).statusCode, 429, "an empty bucket before a bad body");
    await door.close();
  });
});

suite("requests that come together", () => {
  test("take together, and the first to come are served first", async () => {
    const calls: (readonly Take[])[] = [];
    const spend = createRateLimit({
      database: { batchesAtOnce: 1 },
      rateBuckets: {
        take: async (takes) => {
          calls.push(takes);
          return takes.map(() => ({ granted: 2, retryAfterMs: 0 }));
        },
      },
      defaults: { capacity: 5, perSec: 1 },
      clock: systemClock,
    });
    const partner = (id: string) => ({ id, rateCapacity: null, ratePerSec: null }) as Partner;
    const asked = ["a", "b", "a", "a", "b", "b"];
    const outcomes = await Promise.allSettled(asked.map((id) => spend(partner(id), "orders")));
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled", "rejected"],
    );
    const rejected = outcomes.find((outcome) => outcome.status === "rejected");
    assert.ok(rejected?.reason instanceof Problem);
    assert.equal(rejected.reason.more.headers?.["retry-after"], "1", "never 0");
    assert.equal(calls.length, 1);
    assert.deepEqual(
      calls[0]!.map(({ partnerId, wanted }) => [partnerId, wanted]),
      [
        ["a", 3],
        ["b", 3],
      ],
    );
  });
});
