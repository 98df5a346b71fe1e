import type { AttemptError, Outcome } from "./outcome.ts";
import { nextDueAt, type RetrySchedule, type RunPosition } from "./schedule.ts";
import { isEdge, type JobStatus, type Leg, type OrderStatus } from "./states.ts";

/** A job's state after an attempt; `order` is null when the order stays where it is. */
export interface AfterAttempt {
  readonly job: JobStatus;
  /** Epoch milliseconds; set exactly when the job is pending again. */
  readonly dueAt: number | null;
  readonly order: OrderStatus | null;
}

/** Where an order stands when the job of a leg has come to an end. */
const ORDER_AFTER_JOB: Record<Leg, Partial<Record<JobStatus, OrderStatus>>> = {
  ticketing: {
    succeeded: "ticketed",
    blocked: "ticketing_blocked",
    exhausted: "ticketing_exhausted",
    unknown: "ticketing_unknown",
    cancelled: "cancelled",
    closed: "closed",
  },
  callback: {
    succeeded: "ota_callback_delivered",
    blocked: "ota_callback_blocked",
    exhausted: "ota_callback_exhausted",
    closed: "closed",
  },
};

/** The status an order has while a leg is being worked, and the one it comes from when that begins. */
const WORKED: Record<Leg, { from: OrderStatus; to: OrderStatus }> = {
  ticketing: { from: "accepted", to: "ticketing_processing" },
  callback: { from: "ticketed", to: "ota_callback_pending" },
};

/** The move that the claim of a leg's first attempt makes. */
export function onFirstClaim(leg: Leg): { from: OrderStatus; to: OrderStatus } {
  return WORKED[leg];
}

/** Where an order stands when the job of a leg ends so, or null when that is no end. */
export function orderAfterJob(leg: Leg, job: JobStatus): OrderStatus | null {
  return ORDER_AFTER_JOB[leg][job] ?? null;
}

/**
 * What an attempt's outcome makes of its job and order. Pure: the clock's reading and the random number are
 * handed in.
 */
export function afterAttempt(
  leg: Leg,
  outcome: Outcome,
  position: RunPosition,
  schedule: RetrySchedule,
  retryAfter: number | null,
  random: number,
): AfterAttempt {
  switch (outcome) {
    case "done":
      return ended(leg, "succeeded");
    case "blocked":
      return ended(leg, "blocked");
    case "unknown":
      return ended(leg, "unknown");
    case "retry": {
      const dueAt = nextDueAt(schedule, position, retryAfter, random);
      return dueAt === null ? ended(leg, "exhausted") : { job: "pending", dueAt, order: null };
    }
  }
}

function ended(leg: Leg, job: JobStatus): AfterAttempt {
  return { job, dueAt: null, order: orderAfterJob(leg, job) };
}

/** The outcome of an attempt whose process died: nobody knows whether ticketing acted on it. */
export function outcomeOfLost(leg: Leg, onUnknown: "retry" | "hold"): Outcome {
  return leg === "ticketing" && onUnknown === "hold" ? "unknown" : "retry";
}

/** The error of such an attempt. */
export const LOST: AttemptError = "lost";

/**
 * The leg that an operator's retry works again and where that puts the order, or null when there is nothing to
 * retry in this status (SPEC section 4, the operator's edges).
 */
export function onRetry(status: OrderStatus): { leg: Leg; to: OrderStatus } | null {
  const leg: Leg = status.startsWith("ota_callback_") ? "callback" : "ticketing";
  const { from, to } = WORKED[leg];
  // A delivered callback is sent again by `resend`, an untouched leg begins by itself.
  if (status === from || status === "ota_callback_delivered") return null;
  return isEdge(status, to) ? { leg, to } : null;
}
