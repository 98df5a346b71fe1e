import { createBell } from "../lib/bell.ts";
import type { Clock } from "../lib/clock.ts";
import { uuidV7 } from "../lib/ids.ts";
import type { Log } from "../observe/log.ts";
import type { Leg } from "../orders/states.ts";
import { CommitUnknown } from "../storage/database.ts";
import type { ClaimedJob, ClaimTerms, JobQueue, NewClaim } from "../storage/jobs.ts";
import type { Step, Verdict } from "./attempt.ts";
import { passes, persistently } from "./persistently.ts";
import type { Settle } from "./settle.ts";
import { createInFlight } from "./in-flight.ts";
import { createWatermark } from "./watermark.ts";

export interface WorkerOptions {
  readonly leg: Leg;
  readonly queue: JobQueue;
  readonly step: Step;
  readonly settle: Settle;
  /** Attempts in flight in this process, and of one partner. */
  readonly slots: number;
  readonly slotsPerPartner: number;
  /** The attempt's deadline and the lease of its claim. */
  readonly deadlineMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** Whether other processes claim too. */
  readonly hasPeers: boolean;
  /** Host and process, for people. */
  readonly claimedBy: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Slots set aside for jobs that are about to be written. */
export interface Reservation {
  /** For each of the given partners, in their order: the claim to write the job with, or null. */
  readonly claims: readonly (NewClaim | null)[];
  /** The jobs were committed: begins those that were written claimed, and frees the other slots. */
  begin(jobs: readonly ClaimedJob[]): void;
  /** Nothing was committed, or nobody knows whether: frees the slots. */
  cancel(error: unknown): void;
}

export interface Worker {
  /** Begins to take jobs: when woken, when a known one falls due, and at every poll. Goes on after a pause. */
  start(): void;
  /** Takes no jobs until started again; the attempts in flight go on. */
  pause(): void;
  /** There may be work. */
  wake(): void;
  /** Takes due jobs for the free slots, once, and begins their attempts. @returns how many */
  takeDue(): Promise<number>;
  /**
   * Sets slots aside for jobs that are about to be written, one for each partner named, as long as nothing waits for them:
   * what is written with its claim needs no transaction of its own to be claimed.
   */
  reserve(partnerIds: readonly string[]): Reservation;
  /** Begins an attempt of a job that an open circuit holds. */
  probe(target: string): Promise<void>;
  /** Resolves when no attempt is in flight. */
  idle(): Promise<void>;
  /** Takes no more jobs; resolves when the attempts in flight are settled, or given up by `giveUp`. */
  stop(): Promise<void>;
  /** Settles no longer wait for a database that is away. */
  giveUp(): void;
  inFlight(): number;
}

/** What must be left of a lease beyond the deadline when a request goes out (SPEC section 5). */
const LEASE_MARGIN_MS = 1_000;

const SECOND_LOOK_MS = 50;
/** Slots that are looked for work for at once. */
const SLOTS_TO_LOOK = 16;

/**
 * Claims, attempts, settles: one worker for each leg. A claim takes no more jobs than there are free slots, and
 * each starts at once.
 */
export function createWorker(options: WorkerOptions): Worker {
  const {
    leg,
    queue,
    step,
    settle,
    slots,
    slotsPerPartner,
    deadlineMs,
    leaseMs,
    pollMs,
    claimedBy,
    clock,
    log,
  } = options;
  const bell = createBell();
  const watermark = createWatermark(clock);
  const attempts = new Set<Promise<void>>();
  const inFlight = createInFlight(slots, slotsPerPartner);
  const inDoubt = new Set<string>();
  const givenUp = new AbortController();
  let loop: Promise<void> | null = null;
  let stopping = false;
  let paused = false;

  /** Claims under a token of its own, and begins what was claimed. */
  async function take(claimJobs: (terms: ClaimTerms) => Promise<ClaimedJob[]>): Promise<ClaimedJob[]> {
    for (const token of inDoubt) {
      await queue.abandon(token, clock.statementNow());
      inDoubt.delete(token);
    }
    const claim = uuidV7(clock.wallMs());
    const claimedAt = clock.monotonicMs();
    try {
      const jobs = await claimJobs({ claim, claimedBy, leaseMs, now: clock.statementNow() });
      for (const job of jobs) begin(job, claimedAt);
      return jobs;
    } catch (error) {
      if (error instanceof CommitUnknown) inDoubt.add(claim);
      throw error;
    }
  }

  async function takeDue(): Promise<number> {
    const look = inFlight.look(loop === null);
    const { limit, busy, slotsPerPartner } = look;
    if (limit === 0) {
      look.end(null);
      return 0;
    }
    const mark = watermark.begin();
    let jobs: ClaimedJob[] | null = null;
    try {
      const { since } = mark;
      jobs = await take((terms) => queue.claim({ ...terms, limit, busy, slotsPerPartner, since }));
      return jobs.length;
    } finally {
      const { sawAll, again } = look.end(jobs);
      if (jobs !== null) mark.end({ sawAll, jobs });
      if (again) bell.ring();
    }
  }

  function reserve(partnerIds: readonly string[]): Reservation {
    const claim = { claim: uuidV7(clock.wallMs()), claimedBy, leaseMs };
    const claimedAt = clock.monotonicMs();
    const isWorking = loop !== null && !paused && !stopping;
    const claims = partnerIds.map((partnerId) => (isWorking && inFlight.reserve(partnerId) ? claim : null));
    const free = (): void => {
      claims.forEach((given, index) => {
        if (given !== null) inFlight.end({ partnerId: partnerIds[index]!, isRetry: false });
      });
    };
    let done = (): void => {};
    const reservation = new Promise<void>((resolve) => {
      done = resolve;
    }).finally(() => attempts.delete(reservation));
    attempts.add(reservation);
    return {
      claims,
      begin(jobs) {
        // The answer to the partner goes first.
        setImmediate(() => {
          free();
          for (const job of jobs) begin(job, claimedAt);
          // Who waits for a slot that was set aside for nothing is looked for.
          const given = claims.filter((each) => each !== null).length;
          if (jobs.length < given && partnerIds.some(inFlight.mayWait)) bell.ring();
          done();
        });
      },
      cancel(error) {
        free();
        if (error instanceof CommitUnknown) inDoubt.add(claim.claim);
        bell.ring();
        done();
      },
    };
  }

  function begin(job: ClaimedJob, claimedAt: number): void {
    inFlight.begin(job);
    const attempt = attemptAndSettle(job, claimedAt)
      .catch((error: unknown) => {
        // The claim stays open; the rescuer takes the job over when its lease ends.
        log.error({
          event: "attempt.unsettled",
          leg,
          trace_id: job.traceId,
          order_id: job.orderId,
          err: error,
        });
      })
      .finally(() => {
        attempts.delete(attempt);
        // Who waits for a slot is looked for; where nobody does, the next that comes takes it.
        const isAwaited = inFlight.mayWait(job.partnerId);
        inFlight.end(job);
        // One claim for several slots; who waits for the rest waits a moment.
        if (isAwaited && slots - inFlight.total() >= Math.min(slots, SLOTS_TO_LOOK)) bell.ring();
        else if (isAwaited) bell.ringIn(0);
      });
    attempts.add(attempt);
  }

  async function attemptAndSettle(job: ClaimedJob, claimedAt: number): Promise<void> {
    const begunAt = clock.monotonicMs();
    if (begunAt + deadlineMs + LEASE_MARGIN_MS > claimedAt + leaseMs) {
      // The process stood still since the claim: the request could outlive it.
      await persistently(() => queue.giveBack([job], clock.statementNow()), givenUp.signal);
      return;
    }
    const verdict = await step(job).catch((error: unknown) => failedInside(job, error));
    const endedAt = job.startedAt + Math.round(clock.monotonicMs() - begunAt);
    const settled = await settle.attempted(job, verdict, endedAt, givenUp.signal);
    if (settled.dueInMs !== null) bell.ringIn(settled.dueInMs);
  }

  /** A defect of ours: it is tried again like any failure, and the order tells. */
  function failedInside(job: ClaimedJob, error: unknown): Verdict {
    log.error({
      event: "attempt.failed_inside",
      leg,
      trace_id: job.traceId,
      order_id: job.orderId,
      err: error,
    });
    const note = "an error inside the gateway kept the request from being made; the log has it";
    return {
      outcome: "retry",
      record: { code: null, error: "protocol", durationMs: 0, answer: null, note },
      retryAfterMs: null,
      finding: note,
      ticketed: null,
    };
  }

  async function work(): Promise<void> {
    while (!stopping) {
      try {
        if (!paused) await takeDue();
      } catch (error) {
        const level = passes(error) ? "warn" : "error";
        log[level]({ event: "claim.failed", leg, err: error });
        // Not the bell: attempts that end meanwhile must not hurry it.
        await bell.pause(pollMs);
        continue;
      }
      // What a claim left behind for want of slots is looked at when one is free: that rings the bell.
      await bell.sleep(pollMs);
    }
  }

  async function idle(): Promise<void> {
    while (attempts.size > 0) await Promise.all(attempts);
  }

  return {
    start() {
      if (paused) bell.ring();
      paused = false;
      loop ??= work();
    },
    pause() {
      paused = true;
    },
    wake() {
      bell.ring();
      // Whoever was woken by the same news may just be holding more rows than it takes; what it leaves is not waited
      // for until the next poll.
      if (options.hasPeers) bell.ringIn(SECOND_LOOK_MS);
    },
    takeDue,
    reserve,
    probe: async (target) => void (await take((terms) => queue.claimProbe(target, terms))),
    idle,
    async stop() {
      stopping = true;
      bell.close();
      await loop;
      await idle();
    },
    giveUp: () => givenUp.abort(),
    inFlight: () => inFlight.total(),
  };
}
