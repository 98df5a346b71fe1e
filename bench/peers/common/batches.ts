export interface BatchesOptions<Item, Result> {
  /** Does the batch; results stand in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]> | readonly Result[];
  readonly maxBatch: number;
  /** Batches under way at once. */
  readonly concurrency?: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What arrives while a batch is under way shares the next one: a single item goes at once, and under load a
 * commit is shared by many. A batch that fails is done again one by one, so that one bad item fails alone.
 */
export function inBatches<Item, Result>(
  options: BatchesOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { run, maxBatch, concurrency = 1 } = options;
  let queue: Waiting<Item, Result>[] = [];
  let running = 0;
  let scheduled = false;

  async function runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const waiting of batch) await runBatch([waiting]);
    }
  }

  function start(): void {
    scheduled = false;
    while (running < concurrency && queue.length > 0) {
      const batch = queue.slice(0, maxBatch);
      queue = queue.slice(maxBatch);
      running += 1;
      void runBatch(batch).finally(() => {
        running -= 1;
        schedule();
      });
    }
  }

  // After the sockets have been read: what came in with the same turn of the loop goes into the same batch.
  function schedule(): void {
    if (scheduled || running >= concurrency || queue.length === 0) return;
    scheduled = true;
    setImmediate(start);
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      schedule();
    });
}
