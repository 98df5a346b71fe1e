import type pg from "pg";
import { acceptInBatches } from "./accept.ts";
import { inBatches } from "./batches.ts";
import type { AttemptRow } from "./orders.ts";
import { createSchema, GATHER_MS, openPool, settleCallbacks, settleTicketing } from "./postgres.ts";
import {
  type Store,
  type UnfinishedOrder,
  unfinishedOrder,
  unfinishedQuery,
  type UnfinishedRow,
} from "./store.ts";

const MAX_BATCH = 200;

export async function openPostgresStore(databaseUrl: string): Promise<Store> {
  const pool = openPool(databaseUrl, 10);
  await createSchema(pool);
  const settle = (write: typeof settleTicketing) =>
    inBatches<AttemptRow, void>({
      run: async (rows) => {
        await write(pool, rows);
        return rows.map(() => undefined);
      },
      maxBatch: MAX_BATCH,
      gatherMs: GATHER_MS,
    });
  return {
    accept: acceptInBatches({ pool }),
    settleTicketing: settle(settleTicketing),
    settleCallback: settle(settleCallbacks),
    unfinished: () => unfinishedOrders(pool),
    close: () => pool.end(),
  };
}

/** What a process that died left behind. */
export async function unfinishedOrders(pool: pg.Pool): Promise<UnfinishedOrder[]> {
  const { rows } = await pool.query<UnfinishedRow>(unfinishedQuery("json_agg(t.body order by t.no)::text"));
  return rows.map(unfinishedOrder);
}
