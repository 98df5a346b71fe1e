export interface BatchesOptions<Item, Result> {
  /** Does the batch; results stand in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]> | readonly Result[];
  readonly maxBatch: number;
  /** Under load, wait so long for a batch to become larger: fewer statements, at the price of some milliseconds. */
  readonly gatherMs?: number;
}

/** Batches of this size say that there is load. */
const LOADED = 4;
/** A queue of this length is not waited for. */
const ENOUGH = 64;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What arrives while a batch is under way shares the next one: a single item goes at once, and under load (where a
 * few came together before) a commit is shared by many. A batch that fails is done again one by one, so that one bad
 * item fails alone.
 */
export function inBatches<Item, Result>(
  options: BatchesOptions<Item, Result>,
): (item: Item) => Promise<Result> {
  const { run, maxBatch, gatherMs = 0 } = options;
  let queue: Waiting<Item, Result>[] = [];
  let lastSize = 0;
  let state: "idle" | "scheduled" | "running" = "idle";

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
    const batch = queue.slice(0, maxBatch);
    queue = queue.slice(maxBatch);
    lastSize = batch.length;
    state = "running";
    void runBatch(batch).finally(() => {
      state = "idle";
      schedule();
    });
  }

  function schedule(): void {
    if (state !== "idle" || queue.length === 0) return;
    state = "scheduled";
    if (gatherMs > 0 && lastSize >= LOADED && queue.length < ENOUGH) setTimeout(start, gatherMs);
    // After the sockets have been read: what came in with the same turn of the loop goes into the same batch.
    else setImmediate(start);
  }

  return (item) =>
    new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject });
      schedule();
    });
}
