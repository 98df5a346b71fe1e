// A pipeline without an engine: the order is committed, then carried on in memory; what a dead process left
// unfinished is found in the tables at the next start. On SQLite or PostgreSQL, by DATABASE_URL.
import { createIntake } from "./common/intake.ts";
import { callbackTask, createLegs } from "./common/legs.ts";
import { type CallbackTask, ticketingTask, type TicketingTask } from "./common/orders.ts";
import { openPostgresStore } from "./common/postgres-store.ts";
import { serve } from "./common/serve.ts";
import { readSettings } from "./common/settings.ts";
import { openSqliteStore } from "./common/sqlite-store.ts";
import type { Store, UnfinishedOrder } from "./common/store.ts";

const settings = readSettings();
const legs = createLegs(settings);
const store = await openStore(settings.databaseUrl);

const app = createIntake(settings, async (order) => {
  const result = await store.accept(order);
  if (result.kind === "accepted") begin(sendToTicketing(ticketingTask(order, result.order.id)));
  return result;
});

async function sendToTicketing(task: TicketingTask): Promise<void> {
  const { row, again, callback } = await legs.ticketing(task);
  await store.settleTicketing(row);
  if (again !== null) later(again.dueAt, () => sendToTicketing(again.task));
  if (callback !== null) await tellPartner(callback);
}

async function tellPartner(task: CallbackTask): Promise<void> {
  const { row, again } = await legs.callback(task);
  await store.settleCallback(row);
  if (again !== null) later(again.dueAt, () => tellPartner(again.task));
}

/** What fails now (the database, most likely) is found again at the next start. */
function begin(way: Promise<void>): void {
  way.catch((error: unknown) => console.error(error));
}

function later(dueAt: number, step: () => Promise<void>): void {
  setTimeout(() => begin(step()), Math.max(0, dueAt - Date.now()));
}

function resume(order: UnfinishedOrder): Promise<void> {
  const { orderId, traceId, partnerId, input, attempts, isTicketed } = order;
  const task = { orderId, traceId, partnerId, input, attempt: attempts + 1 };
  if (!isTicketed) return sendToTicketing(task);
  return tellPartner({ ...callbackTask(task, order), attempt: attempts + 1 });
}

async function openStore(url: string): Promise<Store> {
  return url.startsWith("sqlite:") ? openSqliteStore(url.slice("sqlite:///".length)) : openPostgresStore(url);
}

for (const order of await store.unfinished()) begin(resume(order));
await serve(app, settings, async () => {
  // In memory is nothing that the tables don't know.
  await store.close();
});
