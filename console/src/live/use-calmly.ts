import { useEffect, useRef } from "react";

/**
 * Runs at once when asked, but not twice at a time nor twice within `everyMs`: whoever asks meanwhile has it run once more when the
 * time has come. For what live updates ask for.
 *
 * @returns asks for a run
 */
export function useCalmly(run: () => Promise<unknown>, everyMs: number): () => void {
  const latest = useRef(run);
  const calm = useRef<ReturnType<typeof calmly> | null>(null);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    const begun = calmly(() => latest.current(), everyMs);
    calm.current = begun;
    return begun.stop;
  }, [everyMs]);
  return () => calm.current?.ask();
}

function calmly(run: () => Promise<unknown>, everyMs: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  let isAsked = false;
  async function begin(): Promise<void> {
    isBusy = true;
    isAsked = false;
    const rest = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, everyMs);
    });
    // What fails is asked for again by what moves next.
    await Promise.all([run().catch(() => undefined), rest]);
    isBusy = false;
    if (isAsked) void begin();
  }
  return {
    ask() {
      if (isBusy) isAsked = true;
      else void begin();
    },
    /** What waits for its time doesn't run any more. */
    stop: () => clearTimeout(timer),
  };
}
