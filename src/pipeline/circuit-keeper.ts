import type { Clock } from "../lib/clock.ts";
import { repeat } from "../lib/repeat.ts";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import type { Leg } from "../orders/states.ts";
import type { Circuits } from "../storage/circuits.ts";
import { passes } from "./persistently.ts";
import type { Worker } from "./worker.ts";

export interface CircuitKeeperOptions {
  readonly leg: Leg;
  readonly circuits: Circuits;
  readonly worker: Pick<Worker, "wake" | "probe">;
  readonly pollMs: number;
  readonly probeMs: number;
  /** How long an order may be held. */
  readonly holdLimitSecs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CircuitKeeper {
  start(): void;
  /** One look at the open circuits: closes those that work again, holds, takes back, gives up, probes. */
  round(): Promise<void>;
  stop(): Promise<void>;
}

const BATCH = 1_000;

/**
 * What an open circuit means (when a target fails for many distinct orders in a row, none succeeding between): its jobs
 * wait without spending attempts, one of them goes out as a probe at a steady pace, and when the target answers,
 * all are due at once. Every process does this; the rows decide who does what.
 */
export function createCircuitKeeper(options: CircuitKeeperOptions): CircuitKeeper {
  const { leg, circuits, worker, pollMs, probeMs, holdLimitSecs, clock, log } = options;

  async function inBatches(work: () => Promise<number>): Promise<number> {
    let done = 0;
    for (;;) {
      const count = await work();
      done += count;
      if (count < BATCH) return done;
    }
  }

  async function round(): Promise<void> {
    const now = clock.statementNow();
    const open = await circuits.listOpen();
    if (open.length > 0) {
      for (const { partner_id, opened_at } of await circuits.closeProven(now)) {
        log.info({ event: "circuit.closed", leg, partner_id, opened_at });
      }
      const takenBack = await circuits.takeBack(now);
      const expired = await inBatches(() => circuits.expire(BATCH, now));
      const held = await inBatches(() => circuits.hold(BATCH, holdLimitSecs, now));
      if (takenBack + expired + held > 0) {
        const event: WorkEvent = { event: "circuit.holding", leg, held, taken_back: takenBack, expired };
        log.warn(event);
      }
      for (const circuit of open) {
        if (await circuits.takeProbe(circuit.partner_id, probeMs, now))
          await worker.probe(circuit.partner_id);
      }
    }
    if ((await inBatches(() => circuits.release(BATCH, now))) > 0) worker.wake();
  }

  const rounds = repeat(round, pollMs, (error) => {
    const level = passes(error) ? "warn" : "error";
    log[level]({ event: "circuit.round_failed", leg, err: error });
  });
  return { start: rounds.start, round, stop: rounds.stop };
}
