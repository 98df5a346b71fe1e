import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { codeOfTicket } from "../../orders/ticket-codes.ts";
import type { ColumnTypes } from "../database.ts";

// No index of orders: a change of status stays within its page. Those of the jobs hold only what stands still or has
// failed, so that an order which goes well writes none of them; the reference alone, once.

/** Where a job that nobody works on any more stands, short of success. */
export const STOOD = "('blocked', 'exhausted', 'unknown', 'cancelled', 'closed')";
/** An attempt that failed: the condition of its index, and so of the queries that are to use it. */
export const FAILED_ATTEMPT = "(error is not null or code >= 300)";

const jobIndexes = (jobs: string, order: string): string[] => [
  `create index ${jobs}_stood on ${jobs} (status, ${order}) where status in ${STOOD}`,
  `create index ${jobs}_by_code on ${jobs} (last_status_code, ${order}) where last_status_code >= 300`,
  `create index ${jobs}_by_error on ${jobs} (last_error, ${order}) where last_error is not null`,
];

const attemptIndexes = (attempts: string): string[] => [
  `create index ${attempts}_failed on ${attempts} (at) where ${FAILED_ATTEMPT}`,
  `create index ${attempts}_by_code on ${attempts} (code, at) where code >= 300`,
  `create index ${attempts}_by_error on ${attempts} (error, at) where error is not null`,
];

const statements = (t: ColumnTypes): string[] => [
  "create index order_items_by_visit on order_items (visit_date, order_id) where visit_date is not null",
  ...jobIndexes("ticketing_jobs", "id"),
  ...jobIndexes("ota_callback_jobs", "order_id"),
  ...attemptIndexes("ticketing_attempts"),
  ...attemptIndexes("ota_callback_attempts"),
  `create table rejected_requests (
    id ${t.id},
    partner_id ${t.text} not null,
    status ${t.integer} not null,
    problem ${t.text} not null,
    reason ${t.text} not null,
    external_order_id ${t.text},
    ip ${t.text},
    count ${t.integer} not null,
    at ${t.integer} not null
  ) ${t.table}`,
  "create index rejected_requests_by_time on rejected_requests (at)",
  "create index rejected_requests_by_partner on rejected_requests (partner_id, at)",
  `create index rejected_requests_by_external_id on rejected_requests (external_order_id)
    where external_order_id is not null`,
];

const PAGE = 2000;

/** What orders can be searched by: codes, visit dates, how jobs stand, and what was refused at the door. */
export function search(t: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const run = (statement: string) => sql.raw(statement).execute(db);
      for (const statement of statements(t)) await run(statement);
      await run(`alter table tickets add column code ${t.text}`);
      await run(`alter table ticketing_jobs add column reference ${t.text}`);
      await run(`update ticketing_jobs set reference = o.reference from orders o
        where o.id = ticketing_jobs.id and o.reference is not null`);
      await fillTicketCodes(db);
      for (const index of codeIndexes) await run(index);
    },
  };
}

/** Both are written with rows that are new to their tables' indexes anyway, by statements that are there anyway. */
const codeIndexes = [
  "create index tickets_by_code on tickets (code) where code is not null",
  "create index ticketing_jobs_by_reference on ticketing_jobs (reference) where reference is not null",
];

interface TicketRow {
  order_id: number;
  no: number;
  body: string;
}

/** The codes of the tickets that are there, in pages along their key. */
async function fillTicketCodes(db: Kysely<unknown>): Promise<void> {
  for (let last: Pick<TicketRow, "order_id" | "no"> | undefined = { order_id: 0, no: 0 }; last;) {
    const { rows }: { rows: TicketRow[] } = await sql<TicketRow>`
      select order_id, no, body from tickets
      where (order_id, no) > (${last.order_id}, ${last.no}) order by order_id, no limit ${PAGE}`.execute(db);
    const found = rows.flatMap(({ order_id, no, body }) => {
      const code = codeOfTicket(body);
      return code === null ? [] : [sql`(cast(${order_id} as bigint), cast(${no} as bigint), ${code})`];
    });
    if (found.length > 0) {
      await sql`update tickets set code = found.column3 from (values ${sql.join(found)}) found
        where tickets.order_id = found.column1 and tickets.no = found.column2`.execute(db);
    }
    last = rows.at(-1);
  }
}
