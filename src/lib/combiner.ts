/** Thrown when the queue before a combiner is full: the caller should come back later. */
export class Overloaded extends Error {
  override name = "Overloaded";
}

export interface CombinerOptions<Item, Result> {
  /** Does the work for all items at once; results stand in the order of the items. */
  run(items: readonly Item[]): Promise<readonly Result[]>;
  /** Items that one run takes at most. */
  maxBatch: number;
  /** Items that may wait; one more is refused with {@link Overloaded}. */
  maxQueue: number;
  /** Runs in flight at the same time. */
  concurrency?: number;
  /** True for an error that one item's data may have caused: the batch is then run again item by item. */
  isItemFault?(error: unknown): boolean;
}

export interface Combiner<Item, Result> {
  /** Hands one item to the next run. Rejects with what that run rejected with, or {@link Overloaded}. */
  (item: Item): Promise<Result>;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Group commit (SPEC section 5): what arrives while a run is under way shares the next one. A lone item
 * waits for nothing but the end of the current turn of the event loop. When a batch fails for an item's data, its items are run one by one, so that a
 * bad one fails alone.
 */
export function combine<Item, Result>(options: CombinerOptions<Item, Result>): Combiner<Item, Result> {
  const { run, maxBatch, maxQueue, concurrency = 1, isItemFault = () => false } = options;
  let queue: Waiting<Item, Result>[] = [];
  let running = 0;
  let scheduled = false;

  async function runBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map((waiting) => waiting.item));
      batch.forEach((waiting, index) => waiting.resolve(results[index]!));
    } catch (error) {
      if (batch.length > 1 && isItemFault(error)) {
        for (const waiting of batch) await runBatch([waiting]);
      } else {
        for (const waiting of batch) waiting.reject(error);
      }
    }
  }

  function startRuns(): void {
    scheduled = false;
    while (running < concurrency && queue.length > 0) {
      const batch = queue.slice(0, maxBatch);
      queue = queue.slice(maxBatch);
      running += 1;
      void runBatch(batch).finally(() => {
        running -= 1;
        startRuns();
      });
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (queue.length >= maxQueue) {
        reject(new Overloaded("too much is waiting for the database"));
        return;
      }
      queue.push({ item, resolve, reject });
      if (running < concurrency && !scheduled) {
        scheduled = true;
        setImmediate(startRuns);
      }
    });
}
