import type { Clock } from "../lib/clock.ts";
import { combine } from "../lib/combiner.ts";
import { timeOfUuidV7 } from "../lib/ids.ts";
import { attemptSpanId } from "../lib/trace-context.ts";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import type { Outcome } from "../orders/outcome.ts";
import type { RetrySchedule } from "../orders/schedule.ts";
import type { JobStatus, Leg } from "../orders/states.ts";
import { targetHealth } from "../orders/target-health.ts";
import { TICKETED_EVENT } from "../orders/callback-event.ts";
import { afterAttempt, LOST, orderAfterJob, outcomeOfLost } from "../orders/transitions.ts";
import type { Database } from "../storage/database.ts";
import type { Claim, ClaimedJob, ExpiredClaim } from "../storage/jobs.ts";
import type { Settled, Settlement, Settlements } from "../storage/settlements.ts";
import { sentFields, type Verdict } from "./attempt.ts";
import { persistently } from "./persistently.ts";
import type { Worker } from "./worker.ts";

export interface SettleOptions {
  readonly leg: Leg;
  readonly database: Database;
  readonly settlements: Settlements;
  readonly schedule: RetrySchedule;
  readonly onUnknown: "retry" | "hold";
  readonly clock: Clock;
  /** Uniform in [0, 1): the jitter. */
  random(): number;
  readonly log: Log;
  /** Sets slots aside for the callbacks of orders that are about to be ticketed. */
  reserveCallbacks: Worker["reserve"];
  /** Orders became ticketed whose callbacks wait to be claimed. */
  onTicketed(): void;
  /** An order's ticketing has come to an end here. */
  onTicketingEnded?(orderId: number): void;
}

/** The end of an attempt, as far as the worker cares. */
export interface SettledJob {
  readonly job: JobStatus;
  /** Milliseconds until the next attempt is due, or null. */
  readonly dueInMs: number | null;
}

export interface Settle {
  /**
   * Acts on a verdict: attempt row, job, order and next job in one transaction. While the database can't be reached, or
   * somebody else holds a row, it tries again until `giveUp` is aborted: a result is not thrown away.
   */
  attempted(job: ClaimedJob, verdict: Verdict, endedAt: number, giveUp: AbortSignal): Promise<SettledJob>;
  /** Writes the `lost` attempts of claims whose process died, and puts their jobs back on schedule. */
  lost(claims: readonly ExpiredClaim[]): Promise<void>;
}

const MAX_BATCH = 200;
const MAX_QUEUE = 10_000;

/** The one place that acts on what the steps say (SPEC section 4). */
export function createSettle(options: SettleOptions): Settle {
  const { leg, database, settlements, schedule, onUnknown, clock, random, log, onTicketed } = options;
  const write = combine<Settlement, Settled>({
    run: settleBatch,
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
    concurrency: database.batchesAtOnce,
    isItemFault: (error) => database.isDataFault(error),
  });

  async function settleBatch(batch: readonly Settlement[]): Promise<Settled[]> {
    const ticketing = batch.filter(({ ticketed }) => ticketed !== null);
    if (ticketing.length === 0) return settlements.settle(batch, clock.statementNow());
    const slots = options.reserveCallbacks(ticketing.map(({ claim }) => claim.partnerId));
    try {
      const claimed = batch.map((settlement) => {
        const index = ticketing.indexOf(settlement);
        return index < 0 ? settlement : { ...settlement, callbackClaim: slots.claims[index]! };
      });
      const results = await settlements.settle(claimed, clock.statementNow());
      slots.begin(results.flatMap(({ callback }) => callback ?? []));
      return results;
    } catch (error) {
      slots.cancel(error);
      throw error;
    }
  }

  function decide(claim: Claim, outcome: Outcome, endedAt: number, retryAfterMs: number | null) {
    const { attemptInRun, runStartedAt, startedAt } = claim;
    const position = { attemptInRun, runStartedAt, startedAt, endedAt };
    return afterAttempt(leg, outcome, position, schedule, retryAfterMs, random());
  }

  function reasonFor(job: JobStatus, finding: string, claim: Claim): string | null {
    if (job === "pending" || job === "succeeded") return null;
    if (job === "exhausted") return `${claim.attemptInRun} attempts failed; at last ${finding}`;
    return finding;
  }

  function tellIfSettled(claim: Claim & { readonly traceId: string }, job: JobStatus, endedAt: number): void {
    const status = orderAfterJob(leg, job);
    if (status === null) return;
    const event: WorkEvent = {
      event: "order.settled",
      trace_id: claim.traceId,
      order_id: claim.orderId,
      partner_id: claim.partnerId,
      leg,
      status,
      attempts: claim.no,
      // The clocks of several hosts may differ.
      since_accepted_ms: Math.max(0, endedAt - timeOfUuidV7(claim.traceId)),
    };
    log.info(event);
  }

  return {
    async attempted(job, verdict, endedAt, giveUp) {
      const { outcome, record, retryAfterMs, finding, ticketed } = verdict;
      const next = decide(job, outcome, endedAt, retryAfterMs);
      const settlement: Settlement = {
        claim: claimOf(job),
        attempt: record,
        job: next.job,
        dueAt: next.dueAt,
        reason: reasonFor(next.job, finding, job),
        ticketed,
        health: targetHealth(leg, record, outcome),
        finding,
      };
      const begunAt = clock.monotonicMs();
      const settled = await persistently(() => write(settlement), giveUp);
      if (settled.ticketed && settled.callback === null) onTicketed();
      if (leg === "ticketing" && settled.job !== "pending") options.onTicketingEnded?.(job.orderId);
      const isPending = settled.result === "settled" && settled.job === "pending";
      const movesOrder = job.callback === null || job.callback.event.name === TICKETED_EVENT;
      const event: WorkEvent = {
        event: leg === "ticketing" ? "ticketing.attempted" : "callback.attempted",
        trace_id: job.traceId,
        order_id: job.orderId,
        partner_id: job.partnerId,
        attempt: job.no,
        outcome,
        code: record.code,
        error: record.error,
        duration_ms: record.durationMs,
        ...sentFields(verdict.sent),
        settle_ms: Math.round(clock.monotonicMs() - begunAt),
        settled: settled.result,
        job: settled.job,
        ...(isPending ? { due_in_ms: next.dueAt! - endedAt } : {}),
        ...(leg === "callback" ? { moves_order: movesOrder } : {}),
      };
      log.info(event);
      const isSettled = settled.result === "settled" || settled.ticketed;
      if (isSettled && movesOrder) tellIfSettled(job, settled.job, endedAt);
      return { job: settled.job, dueInMs: isPending ? Math.max(0, next.dueAt! - endedAt) : null };
    },
    async lost(claims) {
      const outcome = outcomeOfLost(leg, onUnknown);
      const batch = claims.map((claim): Settlement => {
        // It ended with its lease at the latest, or with the process that this one follows.
        const next = decide(claim, outcome, Math.min(claim.leaseUntil, clock.wallMs()), null);
        const finding = "the process that made the attempt died, so that its outcome is unknown";
        return {
          claim,
          attempt: { code: null, error: LOST, durationMs: null, answer: null, note: finding },
          job: next.job,
          dueAt: next.dueAt,
          reason: reasonFor(next.job, finding, claim),
          ticketed: null,
          health: null,
          finding,
        };
      });
      const results = await Promise.all(batch.map(write));
      results.forEach(({ result, job }, index) => {
        const claim = claims[index]!;
        const { orderId, partnerId, traceId, jobId, no, startedAt } = claim;
        if (result !== "settled") return;
        const event: WorkEvent = {
          event: "attempt.lost",
          trace_id: traceId,
          order_id: orderId,
          partner_id: partnerId,
          leg,
          attempt: no,
          span_id: attemptSpanId(leg, { traceId, jobId, no }),
          duration_ms: Math.max(0, clock.wallMs() - startedAt),
          job,
          ...(leg === "callback" ? { moves_order: claim.movesOrder } : {}),
        };
        log.warn(event);
        if (claim.movesOrder) tellIfSettled(claim, job, clock.wallMs());
      });
    },
  };
}

/** The claim alone: the rest of the job is not what a settle is about. */
function claimOf(job: ClaimedJob): Claim {
  const { jobId, orderId, partnerId, claim, no, attemptInRun, runStartedAt, startedAt } = job;
  return { jobId, orderId, partnerId, claim, no, attemptInRun, runStartedAt, startedAt };
}
