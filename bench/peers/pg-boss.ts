// Fastify and pg-boss: a queue for each leg. A job is sent in the transaction that makes it necessary, fetched in
// batches, and ended, again in batches, in the transaction that writes what its attempt brought.
import type pg from "pg";
import { type Db, type JobInsert, PgBoss } from "pg-boss";
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
import { createPump } from "./common/pump.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";

const TICKETING = "ticketing";
const CALLBACK = "ota-callback";
const FETCH_BATCH = 100;
const SETTLE_BATCH = 200;
const IN_HAND = 256;

const settings = readSettings();
const legs = createLegs(settings);
const pool = openPool(settings.databaseUrl, 10);
await createSchema(pool);

/** pg-boss on our own pool, so that its statements are prepared once for each connection. */
const statements = new Map<string, string>();
function onClient(client: Client): Db {
  return {
    executeSql(text, values) {
      if (values === undefined || values.length === 0) return client.query(text);
      let name = statements.get(text);
      if (name === undefined) statements.set(text, (name = `boss_${statements.size}`));
      return client.query({ name, text, values });
    },
  };
}

const boss = new PgBoss({
  db: onClient(pool),
  schedule: false,
  superviseIntervalSeconds: 5,
  monitorIntervalSeconds: 5,
});
boss.on("error", (error) => console.error(error));
await boss.start();
for (const name of [TICKETING, CALLBACK]) {
  // An attempt takes 10 s at most; what a dead process held is given out again after 30.
  await boss.createQueue(name, { expireInSeconds: 30, retryLimit: 1000, deleteAfterSeconds: 3600 });
}

const accept = acceptInBatches({
  pool,
  enqueue: (client, tasks) => send(client, TICKETING, tasks.map(newJob)),
  onCommitted: () => ticketing.wake(),
});

function newJob({ orderId, attempt }: OrderJob): JobInsert<OrderJob> {
  return { data: { orderId, attempt } };
}

function send(client: pg.PoolClient, queue: string, jobs: JobInsert[]): Promise<unknown> {
  return boss.insert(queue, jobs, { db: onClient(client) });
}

interface Fetched<Task> {
  readonly jobId: string;
  readonly task: Task;
}

interface Done<Task> {
  readonly jobId: string;
  readonly settlement: Settlement<Task>;
}

/**
 * Results, retries, callbacks and the end of many jobs in one transaction; its statements go out together. Jobs that are
 * done are deleted (the documented "fetch then delete"): their history is in the attempts.
 */
function settleInBatches<Task extends OrderJob>(queue: string, write: typeof settleTicketing) {
  return inBatches<Done<Task>, void>({
    maxBatch: SETTLE_BATCH,
    gatherMs: GATHER_MS,
    run: async (batch) => {
      const settlements = batch.map(({ settlement }) => settlement);
      // The schedule is none that pg-boss knows: a retry is a new job.
      const again = settlements.flatMap(({ again }) =>
        again === null ? [] : [{ ...newJob(again.task), startAfter: new Date(again.dueAt).toISOString() }],
      );
      const callbacks = settlements.flatMap(({ callback }) => (callback === null ? [] : [newJob(callback)]));
      await transaction(pool, (client) =>
        Promise.all([
          write(
            client,
            settlements.map(({ row }) => row),
          ),
          again.length > 0 && send(client, queue, again),
          callbacks.length > 0 && send(client, CALLBACK, callbacks),
          boss.deleteJob(
            queue,
            batch.map(({ jobId }) => jobId),
            { db: onClient(client) },
          ),
        ]),
      );
      if (callbacks.length > 0) callbackPump.wake();
      return batch.map(() => undefined);
    },
  });
}

function startLeg<Task extends OrderJob>(
  queue: string,
  read: (client: Client, jobs: readonly OrderJob[]) => Promise<Task[]>,
  attempt: (task: Task) => Promise<Settlement<Task>>,
  write: typeof settleTicketing,
) {
  const settle = settleInBatches<Task>(queue, write);
  return createPump<Fetched<Task>>({
    fetch: async () => {
      const jobs = await boss.fetch<OrderJob>(queue, { batchSize: FETCH_BATCH });
      if (jobs.length === 0) return [];
      const tasks = await read(
        pool,
        jobs.map(({ data }) => data),
      );
      return jobs.map(({ id }, index) => ({ jobId: id, task: tasks[index]! }));
    },
    batchSize: FETCH_BATCH,
    refillBelow: FETCH_BATCH / 2,
    // Beside the calls in flight, those whose results are being written.
    concurrency: IN_HAND,
    pollMs: 500,
    run: async ({ jobId, task }) => settle({ jobId, settlement: await attempt(task) }),
  });
}

const ticketing = startLeg(TICKETING, ticketingTasks, legs.ticketing, settleTicketing);
const callbackPump = startLeg(CALLBACK, callbackTasks, legs.callback, settleCallbacks);

await serve(createIntake(settings, accept), settings, async () => {
  // What was fetched and not begun is given back: failing a job makes it wait for its next try, which is at once.
  const [tickets, callbacks] = await Promise.all([ticketing.stop(), callbackPump.stop()]);
  if (tickets.length > 0)
    await boss.fail(
      TICKETING,
      tickets.map(({ jobId }) => jobId),
    );
  if (callbacks.length > 0)
    await boss.fail(
      CALLBACK,
      callbacks.map(({ jobId }) => jobId),
    );
  await boss.stop();
  await pool.end();
});
