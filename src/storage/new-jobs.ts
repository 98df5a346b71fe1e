import type { ColumnKind } from "./database.ts";
import type { NewClaim } from "./jobs.ts";

/** What a row `r` of a new job tells of the claim that it is written with; all null: it waits for one. */
export const NEW_JOB_FIELDS = {
  claim: "uuid",
  claimed_by: "text",
  lease_ms: "integer",
} as const satisfies Record<string, ColumnKind>;

/** The same for a JSON parameter. */
export function newJobFields(claim: NewClaim | null) {
  return {
    claim: claim?.claim ?? null,
    claimed_by: claim?.claimedBy ?? null,
    lease_ms: claim?.leaseMs ?? null,
  };
}

/** The columns that {@link newJobValues} fills. */
export const NEW_JOB_COLUMNS =
  "status, attempts, run_attempts, run_started_at, next_attempt_at, claim, claimed_by, claimed_at, lease_until, created_at, updated_at";

/** A new job, due at `now`: pending, or under its first claim as {@link JobQueue.claim} would have left it. */
export function newJobValues(now: string): string {
  const ifClaimed = (then: string, otherwise: string): string =>
    `case when r.claim is null then ${otherwise} else ${then} end`;
  return [
    ifClaimed("'running'", "'pending'"),
    ifClaimed("1", "0"),
    ifClaimed("1", "0"),
    ifClaimed(now, "null"),
    now,
    "r.claim",
    "r.claimed_by",
    ifClaimed(now, "null"),
    `${now} + r.lease_ms`,
    now,
    now,
  ].join(", ");
}
