import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

/** Operators may sign in with a browser. A release without it works on, and knows nobody who did. */
export function operatorSessions(t: ColumnTypes): Migration {
  const statements = [
    `create table operator_sessions (
      id ${t.text} primary key,
      digest ${t.text} not null,
      previous_digest ${t.text},
      previous_until ${t.integer},
      partner_id ${t.text} not null default '',
      operator ${t.text} not null,
      token_digest ${t.text} not null,
      created_at ${t.integer} not null,
      seen_at ${t.integer} not null,
      rotated_at ${t.integer} not null
    ) ${t.table}`,
    `create index operator_sessions_by_operator on operator_sessions (operator, created_at)`,
    `create index operator_sessions_by_seen on operator_sessions (seen_at)`,
  ];
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}
