// Fastify and pg-boss: a queue for each leg. A job is sent in the transaction that makes it necessary, fetched in
// batches, and completed, again in batches, in the transaction that writes what its attempt brought.
import type pg from "pg";
import { type Db, type Job, type JobInsert, PgBoss } from "pg-boss";
import { acceptInBatches } from "./common/accept.ts";
import { inBatches } from "./common/batches.ts";
import { createIntake } from "./common/intake.ts";
import { createLegs } from "./common/legs.ts";
import type { CallbackTask, Settlement, TicketingTask } from "./common/orders.ts";
import { createSchema, openPool, settleCallbacks, settleTicketing, transaction } from "./common/postgres.ts";
import { createPump } from "./common/pump.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";

const TICKETING = "ticketing";
const CALLBACK = "ota-callback";
const FETCH_BATCH = 100;
const SETTLE_BATCH = 200;

const settings = readSettings();
const legs = createLegs(settings);
const pool = openPool(settings.databaseUrl, 10);
await createSchema(pool);

/** pg-boss on our own pool, so that its statements are prepared once for each connection. */
const statements = new Map<string, string>();
function onClient(client: Pick<pg.ClientBase | pg.Pool, "query">): Db {
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
  concurrency: 1,
  enqueue: (client, tasks) =>
    send(
      client,
      TICKETING,
      tasks.map((data) => ({ data })),
    ),
  onCommitted: () => ticketing.wake(),
});

function send(client: pg.PoolClient, queue: string, jobs: JobInsert[]): Promise<unknown> {
  return boss.insert(queue, jobs, { db: onClient(client) });
}

interface Done<Task> {
  readonly id: string;
  readonly settlement: Settlement<Task>;
}

/** Results, retries, callbacks and completions of many jobs in one transaction; its statements go out together. */
function settleInBatches<Task extends object>(queue: string, write: typeof settleTicketing) {
  return inBatches<Done<Task>, void>({
    maxBatch: SETTLE_BATCH,
    run: async (batch) => {
      const settlements = batch.map(({ settlement }) => settlement);
      const again = settlements.flatMap(({ again }) =>
        again === null ? [] : [{ data: again.task, startAfter: new Date(again.dueAt).toISOString() }],
      );
      const callbacks = settlements.flatMap(({ callback }) =>
        callback === null ? [] : [{ data: callback }],
      );
      await transaction(pool, (client) =>
        Promise.all([
          write(
            client,
            settlements.map(({ row }) => row),
          ),
          again.length > 0 && send(client, queue, again),
          callbacks.length > 0 && send(client, CALLBACK, callbacks),
          boss.complete(
            queue,
            batch.map(({ id }) => id),
            null,
            { db: onClient(client) },
          ),
        ]),
      );
      if (callbacks.length > 0) callbackPump.wake();
      return batch.map(() => undefined);
    },
  });
}

function pump<Task extends object>(
  queue: string,
  concurrency: number,
  attempt: (task: Task) => Promise<Settlement<Task>>,
  write: typeof settleTicketing,
) {
  const settle = settleInBatches<Task>(queue, write);
  return createPump<Job<Task>>({
    fetch: () => boss.fetch<Task>(queue, { batchSize: FETCH_BATCH }),
    batchSize: FETCH_BATCH,
    refillBelow: FETCH_BATCH / 2,
    concurrency,
    pollMs: 500,
    run: async ({ id, data }) => settle({ id, settlement: await attempt(data) }),
  });
}

const ticketing = pump<TicketingTask>(
  TICKETING,
  settings.ticketingConcurrency,
  legs.ticketing,
  settleTicketing,
);
const callbackPump = pump<CallbackTask>(
  CALLBACK,
  settings.callbackConcurrency,
  legs.callback,
  settleCallbacks,
);

await serve(createIntake(settings, accept), settings, async () => {
  // What was fetched and not begun is given back: failing a job makes it wait for its next try, which is at once.
  const [tickets, callbacks] = await Promise.all([ticketing.stop(), callbackPump.stop()]);
  if (tickets.length > 0)
    await boss.fail(
      TICKETING,
      tickets.map(({ id }) => id),
    );
  if (callbacks.length > 0)
    await boss.fail(
      CALLBACK,
      callbacks.map(({ id }) => id),
    );
  await boss.stop();
  await pool.end();
});
