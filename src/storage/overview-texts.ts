import type { JobStatus, Leg } from "../orders/states.ts";
import { HOUR_MS } from "./hour-counts.ts";
import { FAILED_ATTEMPT, STOOD } from "./migrations/0003-search.ts";
import { LEG_TABLES } from "./tables.ts";

/** Jobs of one status, and attempts, that are looked at. */
export const MAX_ROWS = 20_000;
export const MAX_PARTNERS = 1000;
const SAMPLE_JOBS = 1000;
const MAX_SAMPLE = 5000;
const STANDING = ["blocked", "exhausted", "unknown"] as const satisfies readonly JobStatus[];

/** Of a status by its index, whose condition is the list of statuses. */
const stoodAs = (status: JobStatus): string => `status = '${status}' and status in ${STOOD}`;

/** What is asked of a leg's tables: all by index, and no more rows than are worth it. */
export function legTexts(leg: Leg) {
  const { jobs, attempts, jobOfOrder } = LEG_TABLES[leg];
  const byPartner = (rows: string): string =>
    `select partner_id, count(*) as n from (${rows} limit ${MAX_ROWS}) counted group by partner_id`;
  const newestStood = STANDING.map(
    (status) => `select * from (select updated_at from ${jobs} where ${stoodAs(status)}
      order by ${jobOfOrder} desc limit ${MAX_ROWS}) ${status}_jobs`,
  );
  return {
    failures: byPartner(`select partner_id from ${attempts} where at >= $1 and ${FAILED_ATTEMPT}`),
    waiting: byPartner(`select partner_id from ${jobs} where status = 'pending'`),
    standing: STANDING.map((status) => byPartner(`select partner_id from ${jobs} where ${stoodAs(status)}`)),
    stood: `select cast(updated_at / ${HOUR_MS} as bigint) as hour, count(*) as n
      from (${newestStood.join(" union all ")}) stood where updated_at >= $1 group by 1`,
    latency: `select duration_ms as ms from ${attempts}
      where job_id > (select coalesce(max(id), 0) from ${jobs}) - ${SAMPLE_JOBS} and duration_ms is not null
      limit ${MAX_SAMPLE}`,
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
/** From the side of what is not ticketed, which is little on a good day. */
export const NOT_TICKETED_VISITS = `select distinct j.id
  from (${[...IN_WORK, ...STANDING.map(standing)].join(" union all ")}) j
  join order_items i on i.order_id = j.id and i.visit_date = $1`;
export const OPEN_CIRCUITS = `select leg, partner_id as "partnerId", reason, opened_at as "openedAt" from circuits
  where state = 'open' order by opened_at limit ${MAX_PARTNERS}`;
