import pg from "pg";
import type { AcceptedOrder, Acceptance, AttemptRow, NewOrder } from "./orders.ts";
import { POSTGRES_SCHEMA } from "./postgres-schema.ts";

export type Client = Pick<pg.ClientBase | pg.Pool, "query">;

/** How long a batch of writes waits for company when there is load. */
export const GATHER_MS = 4;

/** `pipeline`: statements of a transaction that don't need each other's results are sent together. */
export function openPool(connectionString: string, max: number): pg.Pool {
  // A plan that was made while the tables were small, and is kept, would scan them whole when they have grown.
  const options = "-c enable_seqscan=off";
  const pool = new pg.Pool({ connectionString, max, pipeline: true, options });
  pool.on("error", (error) => console.error(error));
  pool.on("connect", (client) => client.on("error", (error) => console.error(error)));
  return pool;
}

/** BEGIN goes out with the first statement; what fails rolls back. */
export async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const [, result] = await Promise.all([client.query("begin"), work(client)]);
    await client.query("commit");
    client.release();
    return result;
  } catch (error) {
    await client.query("rollback").then(
      () => client.release(),
      (broken: Error) => client.release(broken),
    );
    throw error;
  }
}

export async function createSchema(pool: pg.Pool): Promise<void> {
  await pool.query(POSTGRES_SCHEMA);
}

const ACCEPT = `
  with given as (
    select * from json_to_recordset($1::json) as g (
      trace_id uuid, partner_id text, external_order_id text, callback_url text, key text, fingerprint text,
      raw_payload text, items json, created_at bigint)
  ), keys as (
    insert into idempotency_keys (partner_id, key, fingerprint, trace_id, created_at)
    select partner_id, key, fingerprint, trace_id, created_at from given where key is not null
    order by partner_id, key
    on conflict do nothing returning trace_id
  ), accepted as (
    insert into orders (partner_id, external_order_id, trace_id, callback_url, pipeline_status, idempotency_key,
      raw_payload, created_at, updated_at)
    select partner_id, external_order_id, trace_id, callback_url, 'accepted', key, raw_payload, created_at, created_at
    from given where key is null or trace_id in (select trace_id from keys)
    returning id, trace_id
  ), items as (
    insert into order_items (order_id, partner_id, no, sku, qty, unit_price_minor, currency, visit_date, visit_time)
    select a.id, g.partner_id, i.no, i.sku, i.qty, i.unit_price_minor, i.currency, i.visit_date, i.visit_time
    from accepted a join given g on g.trace_id = a.trace_id
    cross join lateral rows from (json_to_recordset(g.items) as (
      sku text, qty bigint, unit_price_minor bigint, currency text, visit_date text, visit_time text)
    ) with ordinality as i (sku, qty, unit_price_minor, currency, visit_date, visit_time, no)
  )
  select id, trace_id from accepted`;

/** Writes orders, items and keys; the ids of those that were new, by trace id. The others' keys were taken. */
export async function insertOrders(
  client: Client,
  orders: readonly NewOrder[],
): Promise<Map<string, number>> {
  const given = orders.map(({ traceId, partnerId, key, fingerprint, rawPayload, input, createdAt }) => ({
    trace_id: traceId,
    partner_id: partnerId,
    external_order_id: input.external_order_id,
    callback_url: input.callback_url,
    key,
    fingerprint,
    raw_payload: rawPayload,
    items: input.items,
    created_at: createdAt,
  }));
  const { rows } = await client.query<{ id: string; trace_id: string }>({
    name: "accept",
    text: ACCEPT,
    values: [JSON.stringify(given)],
  });
  return new Map(rows.map((row) => [row.trace_id, Number(row.id)]));
}

/** What became of a key that was taken: its first order, if the body is the same. */
export async function findByKey(client: Client, order: NewOrder): Promise<Acceptance> {
  const { rows } = await client.query<{
    fingerprint: string;
    id: string;
    trace_id: string;
    external_order_id: string;
    created_at: string;
  }>({
    name: "find_by_key",
    text: `select k.fingerprint, o.id, o.trace_id, o.external_order_id, o.created_at
      from idempotency_keys k join orders o using (trace_id) where k.partner_id = $1 and k.key = $2`,
    values: [order.partnerId, order.key],
  });
  const first = rows[0];
  if (first === undefined) throw new Error("the key was taken, and is gone");
  if (first.fingerprint !== order.fingerprint) return { kind: "key_reused" };
  return {
    kind: "replayed",
    order: {
      id: Number(first.id),
      traceId: first.trace_id,
      partnerId: order.partnerId,
      externalOrderId: first.external_order_id,
      createdAt: Number(first.created_at),
    },
  };
}

const GIVEN_ATTEMPTS = `with given as (
    select * from json_to_recordset($1::json) as g (
      order_id bigint, partner_id text, no bigint, code bigint, error text, at bigint, duration_ms bigint,
      answer text, status text, reason text, reference text, tickets json)
  )`;
const insertAttempts = (leg: string): string => `attempts as (
    insert into ${leg}_attempts (order_id, no, partner_id, code, error, at, duration_ms, answer)
    select order_id, no, partner_id, code, error, at, duration_ms, answer from given
    on conflict do nothing
  )`;
const SETTLE_TICKETING = `${GIVEN_ATTEMPTS}, ${insertAttempts("ticketing")}, issued as (
    insert into tickets (order_id, partner_id, no, body)
    select g.order_id, g.partner_id, t.no, t.body
    from given g cross join lateral json_array_elements_text(g.tickets) with ordinality as t (body, no)
    on conflict do nothing
  )
  update orders o set pipeline_status = g.status, blocked_reason = g.reason, reference = g.reference,
    ticketed_at = case when g.status = 'ticketed' then g.at + g.duration_ms end, updated_at = g.at + g.duration_ms
  from given g where o.id = g.order_id and g.status is not null`;
const SETTLE_CALLBACK = `${GIVEN_ATTEMPTS}, ${insertAttempts("ota_callback")}
  update orders o set pipeline_status = g.status, blocked_reason = g.reason,
    delivered_at = case when g.status = 'ota_callback_delivered' then g.at + g.duration_ms end,
    updated_at = g.at + g.duration_ms
  from given g where o.id = g.order_id and g.status is not null`;

/** Writes attempts, tickets and the orders' new statuses. */
export async function settleTicketing(client: Client, rows: readonly AttemptRow[]): Promise<void> {
  await client.query({ name: "settle_ticketing", text: SETTLE_TICKETING, values: [JSON.stringify(rows)] });
}

/** Writes attempts and the orders' new statuses. */
export async function settleCallbacks(client: Client, rows: readonly AttemptRow[]): Promise<void> {
  await client.query({ name: "settle_callbacks", text: SETTLE_CALLBACK, values: [JSON.stringify(rows)] });
}

export function acceptedOrder(order: NewOrder, id: number): AcceptedOrder {
  const { traceId, partnerId, input, createdAt } = order;
  return { id, traceId, partnerId, externalOrderId: input.external_order_id, createdAt };
}
