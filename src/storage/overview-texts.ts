import type { JobStatus, Leg } from "../orders/states.ts";
import { HOUR_MS } from "./hour-counts.ts";
import { FAILED_ATTEMPT, STOOD } from "./migrations/0003-search.ts";
import { LEG_TABLES } from "./tables.ts";

/** Jobs of one status, and attempts, that are looked at. */
export const MAX_ROWS = 20_000;
export const MAX_PARTNERS = 1000;
const SAMPLE = 1000;
const STANDING = ["blocked", "exhausted", "unknown"] as const satisfies readonly JobStatus[];

/** Of a status by its index, whose condition is the list of statuses. */
const stoodAs = (status: JobStatus): string => `status = '${status}' and status in ${STOOD}`;

/** What is asked of a leg's tables: all by index, and no more rows than are worth it. */
export function legTexts(leg: Leg) {
  const { jobs, attempts, jobOfOrder } = LEG_TABLES[leg];
  const byPartner = (rows: string): string =>
    `select partner_id, count(*) as n from (${rows} limit ${MAX_ROWS}) counted group by partner_id`;
  return {
    failures: byPartner(`select partner_id from ${attempts} where at >= $1 and ${FAILED_ATTEMPT}`),
    waiting: byPartner(`select partner_id from ${jobs} where status = 'pending'`),
    // The newest, with the hour in which they came to stand, or none if that was before $1.
    standing: STANDING.map(
      (status) => `select partner_id, hour, count(*) as n from (
        select partner_id, case when updated_at >= $1 then cast(updated_at / ${HOUR_MS} as bigint) end as hour
        from ${jobs} where ${stoodAs(status)} order by ${jobOfOrder} desc limit ${MAX_ROWS}) stood
      group by partner_id, hour`,
    ),
    latency: `select duration_ms as ms from ${attempts} where duration_ms is not null
      order by job_id desc, no desc limit ${SAMPLE}`,
  };
}

const inWork = (status: JobStatus): string =>
  `select id from (select id from ticketing_jobs where status = '${status}' limit ${MAX_ROWS}) ${status}_jobs`;
const standing = (status: JobStatus): string =>
  `select id from (select id from ticketing_jobs where ${stoodAs(status)} order by id limit ${MAX_ROWS}) ${status}_jobs`;
const oldest = (status: JobStatus): string =>
  `select id from (select id from ticketing_jobs where ${stoodAs(status)} order by id limit 1) ${status}_jobs`;

const IN_WORK = [inWork("pending"), inWork("running")];
export const OLDEST_IN_WORK = `select min(id) as id from (${IN_WORK.join(" union all ")}) jobs`;
export const OLDEST_STANDING = `select min(id) as id from (${STANDING.map(oldest).join(" union all ")}) jobs`;
/** From the first day to the last; from the side of what is not ticketed, which is little on a good day. */
export const NOT_TICKETED_VISITS = `select distinct i.visit_date as date, waiting.id
  from (${[...IN_WORK, ...STANDING.map(standing)].join(" union all ")}) waiting
  join order_items i on i.order_id = waiting.id and i.visit_date >= $1 and i.visit_date <= $2`;
export const OPEN_CIRCUITS = `select leg, partner_id as "partnerId", reason, opened_at as "openedAt" from circuits
  where state = 'open' order by opened_at limit ${MAX_PARTNERS}`;
