import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

// The columns are described in tables.ts.

/** What operators do to many orders at once, and what a record of an act tells beside its reason. */
export function actions(t: ColumnTypes): Migration {
  const statements = [
    `alter table operator_actions add column detail ${t.text}`,
    `alter table operator_actions add column request_key ${t.text}`,
    `create table bulk_jobs (
      id ${t.id},
      partner_id ${t.text} not null,
      action ${t.text} not null,
      filter ${t.text} not null,
      actor ${t.text} not null,
      reason ${t.text} not null,
      status ${t.text} not null check (status in ('running', 'done', 'cancelled')),
      pace_per_sec ${t.real} not null,
      total ${t.integer} not null,
      up_to_id ${t.integer} not null,
      after_id ${t.integer} not null default 0,
      acted ${t.integer} not null default 0,
      refused ${t.integer} not null default 0,
      next_step_at ${t.integer} not null,
      created_at ${t.integer} not null,
      updated_at ${t.integer} not null,
      ended_at ${t.integer}
    ) ${t.hotTable}`,
    `create index bulk_jobs_running on bulk_jobs (id) where status = 'running'`,
    // One row for each order that a job has come to: the key keeps it from coming twice.
    `create table bulk_results (
      bulk_id ${t.integer} not null,
      order_id ${t.integer} not null,
      partner_id ${t.text} not null,
      result ${t.text} not null,
      order_status ${t.text},
      at ${t.integer} not null,
      primary key (bulk_id, order_id)
    ) ${t.table}`,
    `create index bulk_results_by_order on bulk_results (order_id)`,
  ];
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}
