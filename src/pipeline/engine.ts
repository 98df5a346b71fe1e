import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { RetrySchedule } from "../orders/schedule.ts";
import { type Leg, LEGS } from "../orders/states.ts";
import type { Storage } from "../storage/open.ts";
import type { Step } from "./attempt.ts";
import { type CircuitKeeper, createCircuitKeeper } from "./circuit-keeper.ts";
import { createRescuer, type Rescuer } from "./rescuer.ts";
import { createSettle } from "./settle.ts";
import { createWorker, type Worker } from "./worker.ts";

/** What a leg's worker needs beyond the engine's own settings. */
export interface LegOptions {
  readonly step: Step;
  readonly slots: number;
  readonly slotsPerPartner: number;
  readonly deadlineMs: number;
}

export interface EngineOptions {
  readonly storage: Pick<Storage, "database" | "queues" | "settlements" | "circuits">;
  readonly legs: Readonly<Record<Leg, LegOptions>>;
  readonly schedule: RetrySchedule;
  readonly onUnknown: "retry" | "hold";
  readonly leaseMs: number;
  readonly pollMs: number;
  /** The pace at which a target with an open circuit is probed, and how long an order may be held. */
  readonly probeMs: number;
  readonly holdLimitSecs: number;
  /** Host and process, for people. */
  readonly claimedBy: string;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  random(): number;
  readonly log: Log;
  /** An order's ticketing has come to an end in this process. */
  onTicketingEnded?(orderId: number): void;
}

/** Both legs at work: a worker and a rescuer for each. */
export interface Engine {
  readonly workers: Readonly<Record<Leg, Worker>>;
  /** A leg may have work, here and in other processes. */
  announce(leg: Leg): void;
  /** Begins to take jobs; first it takes over the claims that nobody can hold any more. Goes on after a pause. */
  start(): Promise<void>;
  /** Takes no jobs until started again; the attempts in flight go on, and are settled. */
  pause(): Promise<void>;
  /** One round of what runs beside the workers: takes over expired claims, tends the circuits. */
  tend(): Promise<void>;
  /**
   * Takes no more jobs, lets the attempts in flight finish for `drainMs`, then ends them by `cutOff`: they settle as
   * what they are, a request whose answer never came.
   */
  stop(drainMs: number, cutOff: () => Promise<void>): Promise<void>;
}

/** How long settles may take after their requests were cut off. */
const LAST_SETTLES_MS = 2_000;

export function createEngine(options: EngineOptions): Engine {
  const { storage, legs, schedule, onUnknown, leaseMs, pollMs, claimedBy, clock, random, log } = options;
  const { database, queues, settlements, circuits } = storage;

  const workers = {} as Record<Leg, Worker>;
  const announce = (leg: Leg): void => {
    workers[leg].wake();
    database.wakeups?.announce(leg);
  };
  const rescuers: Rescuer[] = [];
  const keepers: CircuitKeeper[] = [];
  for (const leg of LEGS) {
    const settle = createSettle({
      leg,
      database,
      settlements: settlements[leg],
      schedule,
      onUnknown,
      clock,
      random,
      log,
      reserveCallbacks: (partnerIds) => workers.callback.reserve(partnerIds),
      onTicketed: () => announce("callback"),
      onTicketingEnded: (orderId) => options.onTicketingEnded?.(orderId),
    });
    const queue = queues[leg];
    const hasPeers = database.manyProcesses;
    const worker = createWorker({
      ...legs[leg],
      leg,
      queue,
      settle,
      leaseMs,
      pollMs,
      hasPeers,
      claimedBy,
      clock,
      log,
    });
    workers[leg] = worker;
    rescuers.push(createRescuer({ queue, settle, pollMs, clock, log, onRescued: () => worker.wake() }));
    const { probeMs, holdLimitSecs } = options;
    keepers.push(
      createCircuitKeeper({
        leg,
        circuits: circuits[leg],
        worker,
        pollMs,
        probeMs,
        holdLimitSecs,
        clock,
        log,
      }),
    );
  }
  const all = Object.values(workers);
  let begun = false;

  return {
    workers,
    announce,
    async start() {
      // The one serving process holds no claim yet: whatever is open was its predecessor's.
      if (!begun && !database.manyProcesses)
        await Promise.all(rescuers.map((rescuer) => rescuer.rescue(true)));
      for (const beside of [...rescuers, ...keepers]) beside.start();
      for (const worker of all) worker.start();
      if (!begun) {
        database.wakeups?.listen((topic) => {
          for (const leg of LEGS) if (topic === leg) workers[leg].wake();
        });
      }
      begun = true;
    },
    async pause() {
      for (const worker of all) worker.pause();
      await Promise.all([...rescuers, ...keepers].map((beside) => beside.stop()));
    },
    async tend() {
      for (const rescuer of rescuers) await rescuer.rescue(false);
      for (const keeper of keepers) await keeper.round();
    },
    async stop(drainMs, cutOff) {
      const stopped = Promise.all([
        ...all.map((worker) => worker.stop()),
        ...[...rescuers, ...keepers].map((beside) => beside.stop()),
      ]);
      const inTime = await finishes(stopped, drainMs);
      if (!inTime) {
        await cutOff();
        if (!(await finishes(stopped, LAST_SETTLES_MS))) for (const worker of all) worker.giveUp();
        await finishes(stopped, LAST_SETTLES_MS);
      }
    },
  };
}

/** True when the promise settles in time. */
async function finishes(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs);
  });
  try {
    return await Promise.race([promise.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
