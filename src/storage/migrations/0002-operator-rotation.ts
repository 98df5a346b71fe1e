import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

/** Two tokens of an operator hold during a rotation, as a partner's do. A release without it works on. */
export function operatorRotation(t: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      await sql.raw(`alter table operators add column previous_token_digest ${t.text}`).execute(db);
      await sql.raw(`alter table operators add column previous_token_until ${t.integer}`).execute(db);
    },
  };
}
