import type { ColumnKind, Scalar } from "./database.ts";
import type { NewClaim } from "./jobs.ts";

/** What a row `r` of a new job tells of the claim that it is written with; all null: it waits for one. */
export const NEW_JOB_FIELDS = {
  claim: "uuid",
  claimed_by: "text",
  lease_ms: "integer",
} as const satisfies Record<string, ColumnKind>;

/** The same for a JSON parameter. */
export function newJobFields(claim: NewClaim | null): Record<keyof typeof NEW_JOB_FIELDS, Scalar> {
  return {
    claim: claim?.claim ?? null,
    claimed_by: claim?.claimedBy ?? null,
    lease_ms: claim?.leaseMs ?? null,
  };
}

/** A new job's columns, due at `now`: pending, or under its first claim as {@link JobQueue.claim} would have left it. */
export function newJobValues(now: string): Record<string, string> {
  const ifClaimed = (then: string, otherwise: string): string =>
    `case when r.claim is null then ${otherwise} else ${then} end`;
  return {
    status: ifClaimed("'running'", "'pending'"),
    attempts: ifClaimed("1", "0"),
    run_attempts: ifClaimed("1", "0"),
    run_started_at: ifClaimed(now, "null"),
    next_attempt_at: now,
    claim: "r.claim",
    claimed_by: "r.claimed_by",
    claimed_at: ifClaimed(now, "null"),
    lease_until: `${now} + r.lease_ms`,
    created_at: now,
    updated_at: now,
  };
}
