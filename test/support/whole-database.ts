import { sql } from "kysely";
import type { Storage } from "../../src/storage/open.ts";

/** Every row of every table, by the table's name: for tests of what is nowhere. */
export async function wholeDatabase({ database }: Storage): Promise<Map<string, Record<string, unknown>[]>> {
  const tables = await database.queries.introspection.getTables({ withInternalKyselyTables: true });
  const rows = new Map<string, Record<string, unknown>[]>();
  for (const { name } of tables) {
    const found = await sql<Record<string, unknown>>`select * from ${sql.table(name)}`.execute(
      database.queries,
    );
    rows.set(name, found.rows);
  }
  return rows;
}

/** Where a text stands, in whatever column: `table.column`. */
export async function placesOf(storage: Storage, text: string): Promise<string[]> {
  const places = new Set<string>();
  for (const [table, rows] of await wholeDatabase(storage)) {
    for (const row of rows) {
      for (const [column, value] of Object.entries(row)) {
        if (String(value).includes(text)) places.add(`${table}.${column}`);
      }
    }
  }
  return [...places].toSorted();
}
