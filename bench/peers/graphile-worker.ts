// Fastify and graphile-worker: a task for each leg. Jobs are added in the transaction that makes them necessary,
// fetched through the local queue, and completed in batches.
import type pg from "pg";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { acceptInBatches } from "./common/accept.ts";
import { inBatches } from "./common/batches.ts";
import { createIntake } from "./common/intake.ts";
import { createLegs } from "./common/legs.ts";
import type { CallbackTask, Settlement, TicketingTask } from "./common/orders.ts";
import { createSchema, openPool, settleCallbacks, settleTicketing, transaction } from "./common/postgres.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";

const SETTLE_BATCH = 200;

const settings = readSettings();
const legs = createLegs(settings);
const pool = openPool(settings.databaseUrl, 20);
await createSchema(pool);
const logger = new Logger(() => (level, message) => level === "error" && console.error(message));
const utils = await makeWorkerUtils({ pgPool: pool, logger });
await utils.migrate();
await unlockWhatDied();

/** A killed process's jobs stay locked for four hours; this is the only process, so whoever holds them is dead. */
async function unlockWhatDied(): Promise<void> {
  const { rows } = await pool.query<{ locked_by: string }>(
    "select distinct locked_by from graphile_worker.jobs where locked_by is not null",
  );
  if (rows.length > 0) await utils.forceUnlockWorkers(rows.map((row) => row.locked_by));
}

interface NewJob {
  readonly identifier: "ticketing" | "ota_callback";
  readonly payload: object;
  readonly runAt: string | null;
}

function addJobs(client: pg.PoolClient, jobs: readonly NewJob[]): Promise<unknown> {
  return client.query({
    name: "add_jobs",
    text: `select count(*) from graphile_worker.add_jobs(array(
      select row(identifier, payload, null, run_at, null, null, null, null)::graphile_worker.job_spec
      from json_to_recordset($1::json) as j (identifier text, payload json, run_at timestamptz)))`,
    values: [
      JSON.stringify(jobs.map(({ identifier, payload, runAt }) => ({ identifier, payload, run_at: runAt }))),
    ],
  });
}

const accept = acceptInBatches({
  pool,
  concurrency: 1,
  enqueue: (client, tasks) =>
    addJobs(
      client,
      tasks.map((payload) => ({ identifier: "ticketing", payload, runAt: null })),
    ),
});

/** The schedule is not exponential: a retry is a new job, in the transaction that writes the failed attempt. */
function settleInBatches<Task extends object>(
  identifier: NewJob["identifier"],
  write: typeof settleTicketing,
) {
  return inBatches<Settlement<Task>, void>({
    maxBatch: SETTLE_BATCH,
    run: async (batch) => {
      const jobs = batch.flatMap(({ again, callback }): NewJob[] => {
        if (again) return [{ identifier, payload: again.task, runAt: new Date(again.dueAt).toISOString() }];
        return callback ? [{ identifier: "ota_callback", payload: callback, runAt: null }] : [];
      });
      await transaction(pool, (client) =>
        Promise.all([
          write(
            client,
            batch.map(({ row }) => row),
          ),
          jobs.length > 0 && addJobs(client, jobs),
        ]),
      );
      return batch.map(() => undefined);
    },
  });
}

const settleTicket = settleInBatches<TicketingTask>("ticketing", settleTicketing);
const settleCallback = settleInBatches<CallbackTask>("ota_callback", settleCallbacks);

const runner = await run({
  pgPool: pool,
  noHandleSignals: true,
  taskList: {
    ticketing: async (task) => settleTicket(await legs.ticketing(task as TicketingTask)),
    ota_callback: async (task) => settleCallback(await legs.callback(task as CallbackTask)),
  },
  logger,
  preset: {
    worker: {
      concurrentJobs: 128,
      pollInterval: 500,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});

await serve(createIntake(settings, accept), settings, async () => {
  await runner.stop();
  await utils.release();
  await pool.end();
});
