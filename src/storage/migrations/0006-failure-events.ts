import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

/**
 * Partners may be told of orders that come to stand without tickets, and an order counts what its partner was told so. A
 * release without it works on, as long as no partner has asked for it.
 */
export function failureEvents(t: ColumnTypes): Migration {
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const column = (name: string): string => `add column ${name} ${t.integer} not null default 0`;
      await sql.raw(`alter table partners ${column("failure_events")}`).execute(db);
      await sql.raw(`alter table orders ${column("failures_told")}`).execute(db);
    },
  };
}
