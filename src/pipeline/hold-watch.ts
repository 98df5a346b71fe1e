import { isoTime } from "../lib/iso-time.ts";
import { repeat } from "../lib/repeat.ts";
import type { Log } from "../observe/log.ts";
import type { ReadHold } from "../storage/hold.ts";
import { passes } from "./persistently.ts";

export interface HoldWatchOptions {
  readonly readHold: ReadHold;
  readonly pollMs: number;
  readonly log: Log;
  /** Begins all that works by itself, or goes on with it. May be run again when it has failed. */
  begin(): Promise<void>;
  /** Takes up nothing more; what is in flight goes on. Also before anything has begun. */
  pause(): Promise<void>;
}

/** Lets a process work as long as nobody holds the gateway: at its start, and from then on with every poll. */
export interface HoldWatch {
  /** Begins the work, unless it is held. @throws what reading or beginning threw */
  start(): Promise<void>;
  /** Resolves when a look under way has ended: nothing begins any more. */
  stop(): Promise<void>;
}

export function createHoldWatch(options: HoldWatchOptions): HoldWatch {
  const { readHold, pollMs, log, begin, pause } = options;
  let state: "new" | "working" | "held" = "new";

  async function look(): Promise<void> {
    const hold = await readHold();
    if (hold === null && state !== "working") {
      await begin();
      if (state === "held") log.info({ event: "gateway.released" });
      state = "working";
    } else if (hold !== null && state !== "held") {
      await pause();
      state = "held";
      const { since, actor, reason } = hold;
      log.warn({ event: "gateway.held", since: isoTime(since), by: actor, reason });
    }
  }

  // While the database is away, it stays as it was.
  const rounds = repeat(look, pollMs, (error) => {
    log[passes(error) ? "warn" : "error"]({ event: "hold.look_failed", err: error });
  });
  return {
    async start() {
      await look();
      rounds.start();
    },
    stop: rounds.stop,
  };
}
