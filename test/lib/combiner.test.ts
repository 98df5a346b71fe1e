import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { combine, Overloaded } from "../../src/lib/combiner.ts";

const later = () => new Promise<void>((resolve) => setImmediate(resolve));

suite("combiner", () => {
  test("what comes together shares a run, what comes meanwhile the next; results in the order of the items", async () => {
    const runs: (readonly number[])[] = [];
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const double = combine<number, number>({
      run: async (items) => {
        runs.push(items);
        await gate;
        return items.map((item) => item * 2);
      },
      maxBatch: 3,
      maxQueue: 100,
    });
    const first = [1, 2].map((item) => double(item));
    await later();
    const second = [3, 4, 5, 6].map((item) => double(item));
    await later();
    assert.deepEqual(runs, [[1, 2]], "one run at a time");
    goOn();
    assert.deepEqual(await Promise.all([...first, ...second]), [2, 4, 6, 8, 10, 12]);
    assert.deepEqual(runs, [[1, 2], [3, 4, 5], [6]]);
  });

  test("more than may wait is refused at once, and room is made again", async () => {
    const work = combine<number, number>({
      run: async (items) => {
        await later();
        return [...items];
      },
      maxBatch: 1,
      maxQueue: 2,
    });
    const taken = [work(1)];
    await later();
    taken.push(work(2), work(3));
    await assert.rejects(work(4), Overloaded);
    assert.deepEqual(await Promise.all(taken), [1, 2, 3]);
    assert.equal(await work(5), 5);
  });

  test("a bad item fails alone; another error fails them all, and the next run begins", async () => {
    const runs: number[] = [];
    let broken = false;
    const work = combine<number, number>({
      run: async (items) => {
        runs.push(items.length);
        if (broken) throw new Error("no database");
        if (items.includes(13)) throw new RangeError("thirteen");
        return [...items];
      },
      maxBatch: 10,
      maxQueue: 100,
      isItemFault: (error) => error instanceof RangeError,
    });
    const results = await Promise.allSettled([1, 13, 2, 13].map((item) => work(item)));
    assert.deepEqual(
      results.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason))),
      [1, "RangeError: thirteen", 2, "RangeError: thirteen"],
    );
    assert.deepEqual(runs, [4, 1, 1, 1, 1]);
    broken = true;
    const failed = await Promise.allSettled([work(1), work(2)]);
    assert.ok(
      failed.every((result) => result.status === "rejected" && result.reason.message === "no database"),
    );
    assert.deepEqual(runs.slice(5), [2], "it is not run again item by item");
    broken = false;
    assert.equal(await work(3), 3);
  });

  test("a run that throws instead of rejecting is a rejection too", async () => {
    const work = combine<number, number>({
      run: () => {
        throw new Error("at once");
      },
      maxBatch: 2,
      maxQueue: 2,
    });
    await assert.rejects(work(1), /at once/);
    await assert.rejects(work(2), /at once/);
  });

  test("whatever comes whenever, each item is run once and gets its own result", async () => {
    const waits = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 });
    const property = fc.asyncProperty(
      waits,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (waits, maxBatch, concurrency) => {
        const seen: number[] = [];
        let running = 0;
        const work = combine<number, string>({
          run: async (items) => {
            running += 1;
            assert.ok(running <= concurrency && items.length <= maxBatch && items.length > 0);
            seen.push(...items);
            await later();
            running -= 1;
            return items.map(String);
          },
          maxBatch,
          maxQueue: 1000,
          concurrency,
        });
        const results: Promise<string>[] = [];
        for (const [item, wait] of waits.entries()) {
          for (let turn = 0; turn < wait; turn += 1) await later();
          results.push(work(item));
        }
        assert.deepEqual(
          await Promise.all(results),
          waits.map((_, item) => String(item)),
        );
        assert.deepEqual(
          seen,
          waits.map((_, item) => item),
        );
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});
