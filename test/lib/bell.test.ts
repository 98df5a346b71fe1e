import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { createBell } from "../../src/lib/bell.ts";

/** Longer than any test may take: who waits so long has missed the bell. */
const NEVER_MS = 60_000;
const later = () => new Promise<void>((resolve) => setImmediate(resolve));

suite("bell", () => {
  test("wakes who sleeps, once", async () => {
    const bell = createBell();
    let woken = 0;
    const sleeping = bell.sleep(NEVER_MS).then(() => (woken += 1));
    await later();
    assert.equal(woken, 0);
    bell.ring();
    await sleeping;
    const next = bell.sleep(NEVER_MS).then(() => (woken += 1));
    await later();
    assert.equal(woken, 1, "one ring wakes one sleep");
    bell.close();
    await next;
  });

  test("rung while nobody sleeps, the next sleep ends at once and the one after does not", async () => {
    const bell = createBell();
    bell.ring();
    await bell.sleep(NEVER_MS);
    let woken = false;
    const next = bell.sleep(NEVER_MS).then(() => (woken = true));
    await later();
    assert.equal(woken, false);
    bell.ring();
    await next;
  });

  test("a sleep ends by itself, and rings of an old one don't reach the next", async () => {
    const bell = createBell();
    await bell.sleep(1);
    await bell.sleep(1);
    let woken = false;
    const next = bell.sleep(NEVER_MS).then(() => (woken = true));
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(woken, false);
    bell.close();
    await next;
  });

  test("rings later, and not for what lies beyond the poll", async () => {
    const bell = createBell();
    bell.ringIn(5);
    bell.ringIn(6);
    await bell.sleep(NEVER_MS);
    bell.ringIn(24 * 3_600_000);
    bell.ringIn(Number.POSITIVE_INFINITY);
    bell.close();
  });

  test("closed it wakes who sleeps or pauses, and forgets what was to ring", async () => {
    const bell = createBell();
    bell.ringIn(1_000);
    const waiting = [bell.sleep(NEVER_MS), bell.pause(NEVER_MS)];
    bell.close();
    await Promise.all(waiting);
    await bell.pause(NEVER_MS);
  });

  test("a pause is not hurried by the bell", async () => {
    const bell = createBell();
    let over = false;
    const pausing = bell.pause(NEVER_MS).then(() => (over = true));
    bell.ring();
    await later();
    assert.equal(over, false);
    bell.close();
    await pausing;
  });

  test("no work is overlooked by a loop that works, then sleeps", async () => {
    const bell = createBell();
    let work = 0;
    let done = 0;
    const loop = (async () => {
      while (done < 200) {
        const taken = work;
        work = 0;
        await later();
        done += taken;
        if (done < 200) await bell.sleep(NEVER_MS);
      }
    })();
    for (let n = 0; n < 200; n += 1) {
      work += 1;
      bell.ring();
      if (n % 3 === 0) await later();
    }
    await loop;
    assert.equal(done, 200);
  });
});
