// Fastify and BullMQ: orders in PostgreSQL, a queue for each leg in Redis (AOF, appendfsync always).
//
// The two can't commit together. The order is committed first and the 201 sent; a process that dies before its
// `addBulk` leaves an order without a job, and one that dies after a result was written and before the job was
// completed makes that job run again. The first is mended at the next start, by a sweep over unfinished orders whose
// jobs have ids of their order's (what is in the queue is not added twice); the second is BullMQ's stalled check.
import { type Job, type JobsOptions, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { acceptInBatches } from "./common/accept.ts";
import { inBatches } from "./common/batches.ts";
import { createIntake } from "./common/intake.ts";
import { callbackTask, createLegs } from "./common/legs.ts";
import type { CallbackTask, Settlement, TicketingTask } from "./common/orders.ts";
import { createSchema, GATHER_MS, openPool, settleCallbacks, settleTicketing } from "./common/postgres.ts";
import { unfinishedOrders } from "./common/postgres-store.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";

const SETTLE_BATCH = 200;
/** A worker fetches one job after the other until it has as many as it may run: several do so side by side. */
const WORKERS = 8;
/** For each call that may be in flight: one job whose call that is, and one whose result is being written. */
const JOBS_PER_CALL = 2;

const settings = readSettings();
const legs = createLegs(settings);
const pool = openPool(settings.databaseUrl, 10);
await createSchema(pool);

/** A connection of its own for each queue and worker, as BullMQ advises for what must not wait for one another. */
const connect = (): Redis =>
  new Redis(settings.redisUrl, { maxRetriesPerRequest: null, enableAutoPipelining: true });
const jobOptions: JobsOptions = {
  attempts: settings.offsetsMs.length,
  backoff: { type: "custom" },
  removeOnComplete: true,
  removeOnFail: true,
};

/** The attempt failed, and the next is due then; not a fault of the worker. */
class Again extends Error {
  readonly dueAt: number;
  constructor(dueAt: number) {
    super("again");
    this.dueAt = dueAt;
  }
}

function startLeg<Task extends TicketingTask | CallbackTask>(
  name: string,
  callsAtOnce: number,
  attempt: (task: Task) => Promise<Settlement<Task>>,
  write: typeof settleTicketing,
  onSettled: (settlements: readonly Settlement<Task>[]) => Promise<void>,
) {
  const connections = [connect(), connect()] as const;
  const queue = new Queue(name, { connection: connections[0], defaultJobOptions: jobOptions });
  const settle = inBatches<Settlement<Task>, void>({
    maxBatch: SETTLE_BATCH,
    gatherMs: GATHER_MS,
    run: async (batch) => {
      await write(
        pool,
        batch.map(({ row }) => row),
      );
      await onSettled(batch);
      return batch.map(() => undefined);
    },
  });
  const process = async (job: Job<Task>): Promise<void> => {
    const settlement = await attempt({ ...job.data, attempt: job.data.attempt + job.attemptsMade });
    await settle(settlement);
    if (settlement.again !== null) throw new Again(settlement.again.dueAt);
  };
  const startWorker = () => {
    const worker = new Worker<Task>(name, process, {
      connection: connections[1],
      autorun: false,
      concurrency: Math.ceil((JOBS_PER_CALL * callsAtOnce) / WORKERS),
      maxStalledCount: 1000,
      settings: {
        backoffStrategy: (_attempts, _type, error) =>
          error instanceof Again ? Math.max(0, error.dueAt - Date.now()) : 1000,
      },
    });
    worker.on("error", (error) => console.error(error));
    return worker;
  };
  const workers = Array.from({ length: WORKERS }, startWorker);
  return {
    start: () => {
      for (const worker of workers) worker.run().catch((error: unknown) => console.error(error));
    },
    add: (tasks: readonly Task[]) =>
      // The id, so that the sweep adds no job that is there already.
      queue.addBulk(tasks.map((data) => ({ name, data, opts: { jobId: `order-${data.orderId}` } }))),
    async close() {
      await Promise.all(workers.map((worker) => worker.close()));
      await queue.close();
      for (const connection of connections) connection.disconnect();
    },
  };
}

const callbacks = startLeg<CallbackTask>(
  "ota-callback",
  settings.callbackConcurrency,
  legs.callback,
  settleCallbacks,
  async () => {},
);
const ticketing = startLeg<TicketingTask>(
  "ticketing",
  settings.ticketingConcurrency,
  legs.ticketing,
  settleTicketing,
  async (settlements) => {
    const tasks = settlements.flatMap(({ callback }) => (callback === null ? [] : [callback]));
    if (tasks.length > 0) await callbacks.add(tasks);
  },
);

// Before the workers begin: a job that ended between the look and the adding would be added again.
const unfinished = await unfinishedOrders(pool);
const resumed = unfinished.map((order) => ({ ...order, attempt: order.attempts + 1 }));
await ticketing.add(resumed.filter(({ isTicketed }) => !isTicketed));
await callbacks.add(resumed.flatMap((order) => (order.isTicketed ? [callbackTask(order, order)] : [])));
ticketing.start();
callbacks.start();

const accept = acceptInBatches({
  pool,
  onCommitted: (tasks) => void ticketing.add(tasks).catch((error: unknown) => console.error(error)),
});

await serve(createIntake(settings, accept), settings, async () => {
  await ticketing.close();
  await callbacks.close();
  await pool.end();
});
