import { DatabaseSync } from "node:sqlite";
import { uuidV7 } from "../../src/lib/ids.ts";
import { openSqlite } from "../../src/storage/dialect/sqlite.ts";
import { migrate } from "../../src/storage/schema.ts";
import type { Accepted, Delivered, Store, Ticketed } from "./store.ts";

const PRAGMAS = ["synchronous", "secure_delete", "temp_store", "cache_size", "wal_autocheckpoint"];

/** The product's schema and PRAGMAs; its rows by one prepared statement each, which beats one JSON text per batch. */
export async function openSqliteStore(path: string): Promise<Store> {
  const product = openSqlite({ path, create: true });
  await migrate(product);
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false });
  for (const name of PRAGMAS) {
    const [row] = await product.run<Record<string, number>>(`pragma ${name}`, []);
    database.exec(`pragma ${name} = ${Object.values(row!)[0]}`);
  }
  await product.close();
  const begin = database.prepare("begin immediate");
  const commit = database.prepare("commit");
  const accept = createAccept(database);
  const ticket = createTicket(database);
  const deliver = createDeliver(database);
  return {
    lanes: 1,
    write({ accepted, ticketed, delivered }) {
      begin.run();
      for (const order of accepted) accept(order);
      for (const order of ticketed) ticket(order);
      for (const order of delivered) deliver(order);
      commit.run();
    },
    close: () => database.close(),
  };
}

/** The token of every claim: nobody else claims here. */
const CLAIM = uuidV7(Date.now());

function createAccept(database: DatabaseSync) {
  const insertKey = database.prepare(
    `insert into idempotency_keys (partner_id, key, fingerprint, trace_id, created_at) values (?, ?, ?, ?, ?)`,
  );
  const insertOrder = database.prepare(
    `insert into orders (id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, idempotency_key,
      raw_payload, created_at, updated_at) values (?, ?, ?, ?, ?, 'accepted', ?, ?, ?, ?)`,
  );
  const insertItem = database.prepare(
    `insert into order_items (order_id, partner_id, no, sku, qty, unit_price_minor, currency, visit_date, visit_time)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertJob = database.prepare(
    `insert into ticketing_jobs (id, order_id, partner_id, status, next_attempt_at, created_at, updated_at)
      values (?, ?, ?, 'pending', ?, ?, ?)`,
  );
  return (order: Accepted): void => {
    const { id, partnerId, traceId, key, atMs } = order;
    if (key !== null) insertKey.run(partnerId, key, order.fingerprint, traceId, atMs);
    insertOrder.run(
      id,
      partnerId,
      order.externalOrderId,
      traceId,
      order.callbackUrl,
      key,
      order.rawPayload,
      atMs,
      atMs,
    );
    let no = 0;
    for (const { sku, qty, unit_price_minor, currency, visit_date, visit_time } of order.items) {
      no += 1;
      insertItem.run(
        id,
        partnerId,
        no,
        sku,
        qty,
        unit_price_minor,
        currency,
        visit_date ?? null,
        visit_time ?? null,
      );
    }
    insertJob.run(id, id, partnerId, atMs, atMs, atMs);
  };
}

/** Job and attempt of a leg's first exchange, which has succeeded. A job bears its order's id. */
function createSettle(database: DatabaseSync, leg: "ticketing" | "ota_callback") {
  const endJob = database.prepare(
    `update ${leg}_jobs set status = 'succeeded', attempts = 1, run_attempts = 1, run_started_at = ?, lane = 1,
      next_attempt_at = null, last_status_code = ?, updated_at = ? where id = ?`,
  );
  const insertAttempt = database.prepare(
    `insert into ${leg}_attempts (job_id, no, order_id, partner_id, claim, code, at, duration_ms, answer)
      values (?, 1, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return ({ id, partnerId, code, startedAtMs, endedAtMs, answer }: Delivered): void => {
    endJob.run(startedAtMs, code, endedAtMs, id);
    insertAttempt.run(id, id, partnerId, CLAIM, code, startedAtMs, endedAtMs - startedAtMs, answer);
  };
}

function createTicket(database: DatabaseSync) {
  const settle = createSettle(database, "ticketing");
  const moveOrder = database.prepare(
    "update orders set pipeline_status = 'ticketed', reference = ?, ticketed_at = ?, updated_at = ? where id = ?",
  );
  const insertTicket = database.prepare(
    "insert into tickets (order_id, partner_id, no, body) values (?, ?, ?, ?)",
  );
  const insertJob = database.prepare(
    `insert into ota_callback_jobs (id, order_id, partner_id, status, next_attempt_at, created_at, updated_at,
      event, event_id, sequence, body) values (?, ?, ?, 'pending', ?, ?, ?, 'order.ticketed', ?, 1, ?)`,
  );
  return (order: Ticketed): void => {
    const { id, partnerId, endedAtMs: at } = order;
    settle(order);
    moveOrder.run(order.reference, at, at, id);
    let no = 0;
    for (const body of order.tickets) insertTicket.run(id, partnerId, (no += 1), body);
    insertJob.run(id, id, partnerId, at, at, at, order.eventId, order.body);
  };
}

function createDeliver(database: DatabaseSync) {
  const settle = createSettle(database, "ota_callback");
  const moveOrder = database.prepare(
    "update orders set pipeline_status = 'ota_callback_delivered', delivered_at = ?, updated_at = ? where id = ?",
  );
  return (order: Delivered): void => {
    settle(order);
    moveOrder.run(order.endedAtMs, order.endedAtMs, order.id);
  };
}
