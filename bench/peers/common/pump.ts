export interface PumpOptions<Job> {
  /** Claims up to `batchSize` jobs. */
  readonly fetch: () => Promise<readonly Job[]>;
  readonly batchSize: number;
  readonly run: (job: Job) => Promise<void>;
  /** Jobs running at once. */
  readonly concurrency: number;
  /** The next batch is fetched when no more jobs than this wait. */
  readonly refillBelow: number;
  readonly pollMs: number;
}

export interface Pump<Job> {
  /** There may be work. */
  wake(): void;
  /** Fetches no more, waits for what runs, and returns the jobs that were fetched and not begun. */
  stop(): Promise<readonly Job[]>;
}

/** Jobs are fetched in batches ahead of the free slots, so that no slot waits for the database. */
export function createPump<Job>(options: PumpOptions<Job>): Pump<Job> {
  const { fetch, batchSize, run, concurrency, refillBelow, pollMs } = options;
  let waiting: Job[] = [];
  let running = 0;
  let fetching: Promise<void> | null = null;
  let mayHaveMore = true;
  let isStopped = false;
  let onIdle = (): void => {};
  const poll = setInterval(wake, pollMs);

  function start(): void {
    while (!isStopped && running < concurrency && waiting.length > 0) {
      running += 1;
      void run(waiting.shift()!)
        .catch((error: unknown) => console.error(error))
        .finally(() => {
          running -= 1;
          if (isStopped && running === 0) onIdle();
          start();
        });
    }
    refill();
  }

  function refill(): void {
    if (isStopped || fetching !== null || !mayHaveMore || waiting.length > refillBelow) return;
    mayHaveMore = false;
    fetching = fetch()
      .then(
        (jobs) => {
          waiting.push(...jobs);
          if (jobs.length >= batchSize) mayHaveMore = true;
        },
        (error: unknown) => console.error(error),
      )
      .finally(() => {
        fetching = null;
        start();
      });
  }

  function wake(): void {
    mayHaveMore = true;
    refill();
  }

  refill();
  return {
    wake,
    async stop() {
      clearInterval(poll);
      isStopped = true;
      await fetching;
      if (running > 0) await new Promise<void>((resolve) => (onIdle = resolve));
      const left = waiting;
      waiting = [];
      return left;
    },
  };
}
