import type { Run, SqlWords } from "./database.ts";

/** Errors after which it is certain that ticketing never got the request; so it is of a mapping's without a code. */
const NEVER_SENT = ["dns", "connect", "tls", "guard"].map((error) => `'${error}'`).join(", ");

/** A condition: an attempt of the ticketing job has no known outcome, so that ticketing may hold tickets. */
export function attemptInDoubt(jobId: string): string {
  return `exists (
      select 1 from ticketing_attempts a
      where a.job_id = ${jobId} and a.error is not null and a.error not in (${NEVER_SENT})
        and (a.error <> 'mapping' or a.code is not null)
    )`;
}

/**
 * Writes on cancelled orders what a person must know: whether ticketing may hold tickets for them (SPEC section 4),
 * because an attempt's outcome is unknown.
 */
export function createExplainCancelled(
  words: SqlWords,
): (tx: Run, orderIds: readonly number[]) => Promise<void> {
  const text = `update orders set blocked_reason = case when exists (
      select 1 from late_results l
      where l.order_id = orders.id and l.leg = 'ticketing' and l.error is null and l.code between 200 and 299
    ) then 'cancelled, but ticketing has issued tickets: its answer came late; have them revoked there'
    when ${attemptInDoubt("orders.id")} then 'cancelled; ticketing may hold tickets, as an attempt ended without a whole answer'
    else 'cancelled before it was ticketed' end
    where id ${words.amongIds("$1")} and pipeline_status = 'cancelled'`;
  return async (tx, orderIds) => {
    if (orderIds.length > 0) await tx(text, [JSON.stringify(orderIds)]);
  };
}
