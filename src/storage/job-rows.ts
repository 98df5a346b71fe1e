import { sql } from "kysely";
import type { AttemptError } from "../orders/outcome.ts";
import type { JobStatus, Leg } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { among } from "./order-conditions.ts";

/** What a list tells of a job. */
export interface ListedJob {
  readonly leg: Leg;
  readonly id: number;
  readonly order_id: number;
  readonly partner_id: string;
  /** Of a callback: what it tells, and as which of its order's events. */
  readonly event: string | null;
  readonly sequence: number | null;
  readonly status: JobStatus;
  readonly attempts: number;
  readonly run_attempts: number;
  readonly next_attempt_at: number | null;
  readonly held_until: number | null;
  readonly claimed_by: string | null;
  readonly lease_until: number | null;
  readonly last_status_code: number | null;
  readonly last_error: AttemptError | null;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS =
  sql.raw(`id, order_id, partner_id, status, attempts, run_attempts, next_attempt_at, held_until, claimed_by,
  lease_until, last_status_code, last_error, created_at, updated_at`);

/** Reads the jobs of few orders, in the order of the ids given, each with ticketing's first. */
export function createReadJobs({ queries }: Database) {
  return async (orderIds: readonly number[], leg: Leg | null): Promise<ListedJob[]> => {
    const given = among(orderIds);
    const queriesOf = {
      ticketing: sql<ListedJob>`select 'ticketing' as leg, null as event, null as sequence, ${COLUMNS}
        from ticketing_jobs where id in ${given}`,
      callback: sql<ListedJob>`select 'callback' as leg, event, sequence, ${COLUMNS}
        from ota_callback_jobs where order_id in ${given}`,
    };
    const asked = leg === null ? [queriesOf.ticketing, queriesOf.callback] : [queriesOf[leg]];
    const found = await Promise.all(asked.map(async (query) => (await query.execute(queries)).rows));
    const places = new Map(orderIds.map((id, place) => [id, place]));
    return found
      .flat()
      .sort(
        (a, b) => places.get(a.order_id)! - places.get(b.order_id)! || (a.sequence ?? 0) - (b.sequence ?? 0),
      );
  };
}
