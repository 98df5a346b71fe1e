/** Work that is done again and again, with a pause between, until stopped. */
export interface Repeat {
  start(): void;
  /** Resolves when a round under way has ended; no other begins. */
  stop(): Promise<void>;
}

/** @param onError hears of a round that rejected; the next one comes all the same */
export function repeat(
  work: () => Promise<unknown>,
  pauseMs: number,
  onError: (error: unknown) => void,
): Repeat {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<unknown> = Promise.resolve();
  function schedule(): void {
    timer = setTimeout(() => {
      running = work()
        .catch(onError)
        .finally(() => {
          if (timer !== null) schedule();
        });
    }, pauseMs);
  }
  return {
    start: schedule,
    async stop() {
      if (timer) clearTimeout(timer);
      timer = null;
      await running;
    },
  };
}
