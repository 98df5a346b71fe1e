import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { Migrator, type Migration } from "kysely/migration";
import { type ColumnTypes, type Database, RowLocked } from "./database.ts";
import { initial } from "./migrations/0001-initial.ts";
import { operatorRotation } from "./migrations/0002-operator-rotation.ts";
import { search } from "./migrations/0003-search.ts";
import { actions } from "./migrations/0005-actions.ts";
import { failureEvents } from "./migrations/0006-failure-events.ts";
import { hold } from "./migrations/0007-hold.ts";
import { operatorSessions } from "./migrations/0008-operator-sessions.ts";

/** The migrations in their order: the same names on every database. A landed one is never changed. */
const MIGRATIONS: Readonly<Record<string, (types: ColumnTypes) => Migration>> = {
  "0001-initial": initial,
  "0002-operator-rotation": operatorRotation,
  "0003-search": search,
  "0005-actions": actions,
  "0006-failure-events": failureEvents,
  "0007-hold": hold,
  "0008-operator-sessions": operatorSessions,
};

export interface SchemaState {
  /** Migrations that this release has and the database has not. */
  readonly pending: readonly string[];
  /** Migrations that the database has and this release doesn't know: it was used by a newer one. */
  readonly unknown: readonly string[];
  /** True when no migration ever ran. */
  readonly empty: boolean;
}

/** Compares the database with this release. Changes nothing. */
export async function schemaState({ queries }: Database): Promise<SchemaState> {
  const tables = await queries.introspection.getTables({ withInternalKyselyTables: true });
  const known = Object.keys(MIGRATIONS);
  if (!tables.some((table) => table.name === "kysely_migration"))
    return { pending: known, unknown: [], empty: true };
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(queries);
  const done = rows.map((row) => row.name);
  return {
    pending: known.filter((name) => !done.includes(name)),
    unknown: done.filter((name) => !known.includes(name)),
    empty: done.length === 0,
  };
}

/**
 * How often a migration asks for its tables, and how long it lets others pass between. A backup may hold one; and as it takes
 * them in an order of its own, it and a gateway may come to wait for each other, which ends the one or the other.
 */
const MAX_TRIES = 60;
const PAUSE_MS = 500;

/**
 * Brings the schema to this release, in one transaction and under a lock: killed half-way, it leaves what was
 * there before; a second process waits and finds nothing to do.
 * @returns the names of the migrations that ran
 * @throws Error when others have held its tables for about a minute
 */
export async function migrate(database: Database): Promise<string[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await migrateOnce(database);
    } catch (error) {
      if (!(error instanceof RowLocked)) throw error;
      if (tries === MAX_TRIES) {
        const message =
          "other sessions hold tables that have to be changed: nothing was; migrate again when they have ended";
        throw new Error(message, { cause: error });
      }
    }
    await sleep(PAUSE_MS);
  }
}

async function migrateOnce({ queries, columnTypes, migrationLock }: Database): Promise<string[]> {
  const migrations = Object.fromEntries(
    Object.entries(MIGRATIONS).map(([name, make]) => [name, make(columnTypes)]),
  );
  return queries.transaction().execute(async (transaction) => {
    if (migrationLock) await sql.raw(migrationLock).execute(transaction);
    const migrator = new Migrator({ db: transaction, provider: { getMigrations: async () => migrations } });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    return (results ?? []).map((result) => result.migrationName);
  });
}
