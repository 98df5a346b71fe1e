import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

/**
 * That nothing is worked until somebody releases it. A release without it doesn't look here, and would work: every gateway is
 * stopped before a database is restored.
 */
export function hold(t: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql
        .raw(
          `create table holds (
            partner_id ${t.text} primary key,
            actor ${t.text} not null,
            reason ${t.text} not null,
            since ${t.integer} not null
          ) ${t.table}`,
        )
        .execute(db);
    },
  };
}
