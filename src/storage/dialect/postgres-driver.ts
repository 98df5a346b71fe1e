import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from "kysely";
import type pg from "pg";

/**
 * Kysely's way to the pool. Its own driver passes the errors of `pg` on as they are; here what is asked dynamically
 * fails as the fixed statements do.
 */
export function createDriver(pool: pg.Pool, translate: (error: unknown) => unknown): Driver {
  const clients = new WeakMap<DatabaseConnection, pg.PoolClient>();
  const fail = (error: unknown): never => {
    throw translate(error);
  };
  async function command(held: DatabaseConnection, text: string): Promise<void> {
    await clients.get(held)!.query(text).catch(fail);
  }
  return {
    init: async () => {},
    acquireConnection: async () => {
      const client = await pool.connect().catch(fail);
      const held: DatabaseConnection = {
        executeQuery: async <Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> => {
          const { rows, rowCount } = await client.query(sql, [...parameters]).catch(fail);
          return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) };
        },
        streamQuery: () => {
          throw new Error("not supported: read in pages");
        },
      };
      clients.set(held, client);
      return held;
    },
    beginTransaction: (held) => command(held, "begin"),
    commitTransaction: (held) => command(held, "commit"),
    rollbackTransaction: (held) => command(held, "rollback"),
    // The pool drops a client whose connection has broken.
    releaseConnection: async (held) => clients.get(held)?.release(),
    destroy: async () => {},
  };
}
