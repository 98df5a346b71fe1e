import type { Run, SqlWords } from "./database.ts";

/** Errors after which it is certain that ticketing never got the request. */
const NEVER_SENT = ["dns", "connect", "tls", "guard"];

/**
 * Writes on cancelled orders what a person must know: whether ticketing may hold tickets for them (SPEC section 4),
 * because an attempt's outcome is unknown.
 */
export function createExplainCancelled(
  words: SqlWords,
): (tx: Run, orderIds: readonly number[]) => Promise<void> {
  const never = NEVER_SENT.map((error) => `'${error}'`).join(", ");
  const text = `update orders set blocked_reason = case when exists (
      select 1 from late_results l
      where l.order_id = orders.id and l.leg = 'ticketing' and l.error is null and l.code between 200 and 299
    ) then 'cancelled, but ticketing has issued tickets: its answer came late; have them revoked there'
    when exists (
      select 1 from ticketing_attempts a
      where a.job_id = orders.id and a.error is not null and a.error not in (${never})
    ) then 'cancelled; ticketing may hold tickets, as an attempt ended without a whole answer'
    else 'cancelled before it was ticketed' end
    where id ${words.amongIds("$1")} and pipeline_status = 'cancelled'`;
  return async (tx, orderIds) => {
    if (orderIds.length > 0) await tx(text, [JSON.stringify(orderIds)]);
  };
}
