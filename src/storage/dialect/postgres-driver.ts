import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from "kysely";
import type pg from "pg";

/** A dynamic query that has no answer by then is given up, with its connection. */
const QUERY_TIMEOUT_MS = 30_000;

/**
 * Kysely's way to the pool. Its own driver passes the errors of `pg` on as they are; here what is asked dynamically
 * fails as the fixed statements do.
 */
export function createDriver(pool: pg.Pool, translate: (error: unknown) => unknown): Driver {
  const clients = new WeakMap<DatabaseConnection, pg.PoolClient>();
  // A silent server must not keep a reader waiting; a migration may take its time.
  const unhurried = new WeakSet<DatabaseConnection>();
  const broken = new WeakSet<DatabaseConnection>();
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
          const limit = unhurried.has(held) ? {} : { query_timeout: QUERY_TIMEOUT_MS };
          const query = { text: sql, values: [...parameters], ...limit };
          const { rows, rowCount } = await client.query(query).catch((error: unknown) => {
            // Also after a timeout: the answer may still come, and nobody must take it for another's.
            broken.add(held);
            return fail(error);
          });
          return { rows: rows as Row[], numAffectedRows: BigInt(rowCount ?? 0) };
        },
        streamQuery: () => {
          throw new Error("not supported: read in pages");
        },
      };
      clients.set(held, client);
      return held;
    },
    beginTransaction: (held) => {
      unhurried.add(held);
      return command(held, "begin");
    },
    commitTransaction: (held) => command(held, "commit"),
    rollbackTransaction: (held) => command(held, "rollback"),
    releaseConnection: async (held) => clients.get(held)?.release(broken.has(held)),
    destroy: async () => {},
  };
}
