// Fastify and graphile-worker: a task for each leg. Jobs are added in the transaction that makes them necessary,
// fetched through the local queue, and completed in batches.
import type pg from "pg";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { acceptInBatches } from "./common/accept.ts";
import { inBatches } from "./common/batches.ts";
import { createIntake } from "./common/intake.ts";
import { createLegs } from "./common/legs.ts";
import type { OrderJob, Settlement } from "./common/orders.ts";
import { callbackTasks, ticketingTasks } from "./common/postgres-tasks.ts";
import {
  type Client,
  createSchema,
  GATHER_MS,
  openPool,
  settleCallbacks,
  settleTicketing,
  transaction,
} from "./common/postgres.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";

const BATCH = 200;

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

interface NewJob extends OrderJob {
  readonly identifier: "ticketing" | "ota_callback";
  readonly runAt: string | null;
}

function addJobs(client: pg.PoolClient, jobs: readonly NewJob[]): Promise<unknown> {
  const given = jobs.map(({ identifier, runAt, orderId, attempt }) => ({
    identifier,
    run_at: runAt,
    payload: { orderId, attempt },
  }));
  return client.query({
    name: "add_jobs",
    text: `select count(*) from graphile_worker.add_jobs(array(
      select row(identifier, payload, null, run_at, null, null, null, null)::graphile_worker.job_spec
      from json_to_recordset($1::json) as j (identifier text, payload json, run_at timestamptz)))`,
    values: [JSON.stringify(given)],
  });
}

const accept = acceptInBatches({
  pool,
  enqueue: (client, tasks) =>
    addJobs(
      client,
      tasks.map((task) => ({ ...task, identifier: "ticketing", runAt: null })),
    ),
});

/** Orders are read for many jobs at once, and results written for many at once. */
function createLeg<Task extends OrderJob>(
  identifier: NewJob["identifier"],
  read: (client: Client, jobs: readonly OrderJob[]) => Promise<Task[]>,
  attempt: (task: Task) => Promise<Settlement<Task>>,
  write: typeof settleTicketing,
): (job: unknown) => Promise<void> {
  const readInBatches = inBatches<OrderJob, Task>({ maxBatch: BATCH, run: (jobs) => read(pool, jobs) });
  const settle = inBatches<Settlement<Task>, void>({
    maxBatch: BATCH,
    gatherMs: GATHER_MS,
    run: async (batch) => {
      // The schedule is not exponential: a retry is a new job, in the transaction that writes the failed attempt.
      const jobs = batch.flatMap(({ again, callback }): NewJob[] => {
        if (again) return [{ ...again.task, identifier, runAt: new Date(again.dueAt).toISOString() }];
        return callback ? [{ ...callback, identifier: "ota_callback", runAt: null }] : [];
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
  return async (job) => settle(await attempt(await readInBatches(job as OrderJob)));
}

const runner = await run({
  pgPool: pool,
  noHandleSignals: true,
  taskList: {
    ticketing: createLeg("ticketing", ticketingTasks, legs.ticketing, settleTicketing),
    ota_callback: createLeg("ota_callback", callbackTasks, legs.callback, settleCallbacks),
  },
  logger,
  preset: {
    worker: {
      // Beside the calls in flight (each leg has its own limit), jobs that wait for their orders or their commit.
      concurrentJobs: 256,
      pollInterval: 500,
      localQueue: { size: 500 },
      completeJobBatchDelay: 25,
      failJobBatchDelay: 25,
    },
  },
});

await serve(createIntake(settings, accept), settings, async () => {
  await runner.stop();
  await utils.release();
  await pool.end();
});
