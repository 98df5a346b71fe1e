import { type RawBuilder, sql } from "kysely";
import { type OrderFilter, PAST_DUE_MS } from "../orders/order-filter.ts";

/** A condition on the order `o`. */
export type Condition = RawBuilder<unknown>;

const JOBS = [
  sql.raw("ticketing_jobs j where j.id = o.id"),
  sql.raw("ota_callback_jobs j where j.order_id = o.id"),
];

/**
 * Looked up for each order, by its key: without the offset a planner would rather join what it looks up from, all of it,
 * with the few orders of a stretch.
 */
const thereIs = (rows: Condition): Condition => sql`exists (select 1 from ${rows} limit 1 offset 0)`;

/** True of an order with a job of either leg that is so. */
const aJob = (isSo: Condition): Condition =>
  sql`(${sql.join(
    JOBS.map((ofOrder) => thereIs(sql`${ofOrder} and ${isSo}`)),
    sql` or `,
  )})`;

export const pastDue = (now: number): Condition =>
  sql`j.status = 'pending' and j.held_until is null and j.next_attempt_at < ${now - PAST_DUE_MS}`;

/** What a filter says of an order, beside what decides where to look: its partner, and the bounds of its id. */
export function conditionsOf(filter: OrderFilter, now: number): Condition[] {
  const { statuses, visitFrom, visitTo, code, error } = filter;
  const visits = [
    ...(visitFrom === null ? [] : [sql`i.visit_date >= ${visitFrom}`]),
    ...(visitTo === null ? [] : [sql`i.visit_date <= ${visitTo}`]),
  ];
  const results = [
    ...(code === null ? [] : [sql`j.last_status_code = ${code}`]),
    ...(error === null ? [] : [sql`j.last_error = ${error}`]),
  ];
  return [
    ...(statuses.length === 0 ? [] : [sql`o.pipeline_status in (${sql.join(statuses)})`]),
    ...(visits.length === 0
      ? []
      : [thereIs(sql`order_items i where i.order_id = o.id and ${allOf(visits)}`)]),
    ...(results.length === 0 ? [] : [aJob(allOf(results))]),
    ...(filter.pastDue ? [aJob(pastDue(now))] : []),
  ];
}

export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql.join(conditions, sql` and `);
}

/** Ids of rows, written into the text: there may be more of them than a statement takes parameters. */
export function among(ids: readonly number[]): Condition {
  return ids.length === 0 ? sql`(null)` : sql`(${sql.raw(ids.map(Number).join(", "))})`;
}
