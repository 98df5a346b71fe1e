import pg from "pg";
import { uuidV7 } from "../../src/lib/ids.ts";
import { openPostgres } from "../../src/storage/dialect/postgres.ts";
import { migrate } from "../../src/storage/schema.ts";
import type { Store } from "./store.ts";

/**
 * The product's schema. A batch is one prepared statement, and so one round trip, with one JSON text for each step; the
 * next batch is on its way while one runs, on the same connection: several connections only made smaller batches.
 */
export async function openPostgresStore(url: string): Promise<Store> {
  const product = openPostgres({ url, poolSize: 1, prepared: true });
  await migrate(product);
  await product.close();

  // A plan made while the tables were empty would scan them for ever.
  const options = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off";
  const client = new pg.Client({ connectionString: url, options, pipeline: true });
  await client.connect();
  return {
    lanes: 2,
    async write({ accepted, ticketed, delivered }) {
      const values = [accepted, ticketed, delivered].map((rows) => JSON.stringify(rows));
      await client.query({ name: "write", text: WRITE, values });
    },
    close: () => client.end(),
  };
}

const rows = (parameter: string, columns: string): string =>
  `select * from json_to_recordset(${parameter}::json) as fields(${columns})`;

const EXCHANGED = `"id" bigint, "partnerId" text, "startedAtMs" bigint, "endedAtMs" bigint, "code" bigint, "answer" text`;

/** Jobs and attempts of a leg's first exchanges, which have succeeded. A job bears its order's id. */
const settle = (leg: "ticketing" | "ota_callback", from: string): string => `
  ${leg}_jobs_ended as (
    update ${leg}_jobs j set status = 'succeeded', attempts = 1, run_attempts = 1, run_started_at = r."startedAtMs",
      lane = 1, next_attempt_at = null, last_status_code = r.code, updated_at = r."endedAtMs"
    from ${from} r where j.id = r.id
  ), ${leg}_attempted as (
    insert into ${leg}_attempts (job_id, no, order_id, partner_id, claim, code, at, duration_ms, answer)
    select id, 1, id, "partnerId", '${uuidV7(Date.now())}'::uuid, code, "startedAtMs", "endedAtMs" - "startedAtMs", answer
    from ${from}
  )`;

const WRITE = `with accepted as materialized (
    ${rows(
      "$1",
      `"id" bigint, "partnerId" text, "externalOrderId" text, "traceId" uuid, "callbackUrl" text,
      "rawPayload" text, "items" json, "key" text, "fingerprint" text, "atMs" bigint`,
    )}
  ), keys as (
    insert into idempotency_keys (partner_id, key, fingerprint, trace_id, created_at)
    select "partnerId", key, fingerprint, "traceId", "atMs" from accepted where key is not null
  ), new_orders as (
    insert into orders (id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, idempotency_key,
      raw_payload, created_at, updated_at)
    select id, "partnerId", "externalOrderId", "traceId", "callbackUrl", 'accepted', key, "rawPayload", "atMs", "atMs"
    from accepted
  ), items as (
    insert into order_items (order_id, partner_id, no, sku, qty, unit_price_minor, currency, visit_date, visit_time)
    select a.id, a."partnerId", i.no, i.sku, i.qty, i.unit_price_minor, i.currency, i.visit_date, i.visit_time
    from accepted a, rows from (json_to_recordset(a.items) as (sku text, qty bigint, unit_price_minor bigint,
      currency text, visit_date text, visit_time text)) with ordinality
      as i(sku, qty, unit_price_minor, currency, visit_date, visit_time, no)
  ), jobs as (
    insert into ticketing_jobs (id, order_id, partner_id, status, next_attempt_at, created_at, updated_at)
    select id, id, "partnerId", 'pending', "atMs", "atMs", "atMs" from accepted
  ), ticketed as materialized (
    ${rows("$2", `${EXCHANGED}, "reference" text, "tickets" json, "eventId" text, "body" text`)}
  ), ${settle("ticketing", "ticketed")}, orders_ticketed as (
    update orders o set pipeline_status = 'ticketed', reference = r.reference, ticketed_at = r."endedAtMs",
      updated_at = r."endedAtMs"
    from ticketed r where o.id = r.id
  ), new_tickets as (
    insert into tickets (order_id, partner_id, no, body)
    select r.id, r."partnerId", t.no, t.body
    from ticketed r, json_array_elements_text(r.tickets) with ordinality as t(body, no)
  ), events as (
    insert into ota_callback_jobs (id, order_id, partner_id, status, next_attempt_at, created_at, updated_at, event,
      event_id, sequence, body)
    select id, id, "partnerId", 'pending', "endedAtMs", "endedAtMs", "endedAtMs", 'order.ticketed', "eventId", 1, body
    from ticketed
  ), delivered as materialized (
    ${rows("$3", EXCHANGED)}
  ), ${settle("ota_callback", "delivered")}
  update orders o set pipeline_status = 'ota_callback_delivered', delivered_at = r."endedAtMs", updated_at = r."endedAtMs"
  from delivered r where o.id = r.id`;
