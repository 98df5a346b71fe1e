import { createBell } from "../lib/bell.ts";
import type { Clock } from "../lib/clock.ts";
import { uuidV7 } from "../lib/ids.ts";
import type { Log } from "../observe/log.ts";
import type { Leg } from "../orders/states.ts";
import { CommitUnknown } from "../storage/database.ts";
import type { ClaimedJob, ClaimTerms, JobQueue } from "../storage/jobs.ts";
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

export interface Worker {
  /** Begins to take jobs: when woken, when a known one falls due, and at every poll. */
  start(): void;
  /** There may be work. */
  wake(): void;
  /** Takes due jobs for the free slots, once, and begins their attempts. @returns how many */
  takeDue(): Promise<number>;
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
  const inFlight = createInFlight(slotsPerPartner);
  const inDoubt = new Set<string>();
  const givenUp = new AbortController();
  let loop: Promise<void> | null = null;
  let stopping = false;

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
    const limit = slots - attempts.size;
    if (limit <= 0) return 0;
    const busy = inFlight.busy();
    const look = watermark.begin();
    const jobs = await take((terms) =>
      queue.claim({ ...terms, limit, busy, slotsPerPartner, since: look.since }),
    );
    look.end({ sawAll: jobs.length < limit && !inFlight.anyCapped(), jobs });
    return jobs.length;
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
        inFlight.end(job);
        bell.ring();
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
        await takeDue();
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
      loop ??= work();
    },
    wake() {
      bell.ring();
      // Whoever was woken by the same news may just be holding more rows than it takes; what it leaves is not waited
      // for until the next poll.
      if (options.hasPeers) bell.ringIn(SECOND_LOOK_MS);
    },
    takeDue,
    probe: async (target) => void (await take((terms) => queue.claimProbe(target, terms))),
    idle,
    async stop() {
      stopping = true;
      bell.close();
      await loop;
      await idle();
    },
    giveUp: () => givenUp.abort(),
    inFlight: () => attempts.size,
  };
}
