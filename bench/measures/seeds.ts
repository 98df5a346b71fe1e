import type { DatabaseKind } from "../load/databases.ts";
import { ITEMS, NUMBER, orderText } from "../load/order-text.ts";
import { OTHER_PARTNER } from "../load/secrets.ts";

// Statements that fill a migrated database with orders as WaveGate would have left them.

interface Words {
  /** A table `s` of the numbers from 0. */
  numbers(count: number): string;
  /** A UUID of version 7 of these epoch milliseconds. */
  uuid(ms: string): string;
}

const WORDS: Readonly<Record<DatabaseKind, Words>> = {
  postgres: {
    numbers: (count) => `generate_series(cast(0 as bigint), ${count - 1}) as s(n)`,
    uuid: (ms) => `uuidv7(to_timestamp((${ms}) / 1000.0) - clock_timestamp())`,
  },
  sqlite: {
    numbers: (count) =>
      `(with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${count - 1})
        select n from numbers) s`,
    uuid: (ms) =>
      `lower(printf('%08x-%04x-7', (${ms}) >> 16, (${ms}) & 65535) || substr(hex(randomblob(2)), 2) || '-8' ||
        substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))`,
  },
};

const DAY_MS = 86_400_000;
/** Over how long the finished orders came. */
const FINISHED_SPAN_MS = 90 * DAY_MS;
/** One finished order in so many needed a second attempt at ticketing. */
const SECOND_ATTEMPT_EVERY = 20;
const FINGERPRINT = "fingerprint".padEnd(64, "0");
const TWO = "(select 1 as no union all select 2) two";

/** Orders that were delivered over the last three months, each with all its rows. */
export function finishedOrders(kind: DatabaseKind, count: number): string[] {
  const { uuid } = WORDS[kind];
  const begin = Date.now() - FINISHED_SPAN_MS;
  const tries = `case when ${numberOf("f")} % ${SECOND_ATTEMPT_EVERY} = 0 then 2 else 1 end`;
  const callback = JSON.stringify({
    event: "order.ticketed",
    event_id: `evt_${"0".repeat(32)}`,
    occurred_at: "2026-01-01T00:00:00.000Z",
    order: {
      external_order_id: `f-${NUMBER}`,
      id: 1_000_000,
      items: ITEMS,
      reference: `REF-${NUMBER}`,
      status: "ticketed",
      tickets: [`TICKET-${NUMBER}-1`, `TICKET-${NUMBER}-2`],
      trace_id: "00000000-0000-7000-8000-000000000000",
    },
    sequence: 1,
  });
  const attempt = (leg: string, from: string, columns: string): string =>
    `insert into ${leg}_attempts (job_id, no, order_id, partner_id, claim, code, at, duration_ms, answer)
    select ${columns} from ${from}`;
  const those = thoseOf("f");
  return [
    ...orders(kind, {
      prefix: "f",
      count,
      partner: "bench",
      callbackUrl: "https://partner.example/callbacks",
      status: "ota_callback_delivered",
      createdAt: `${begin} + n * ${FINISHED_SPAN_MS / count}`,
      endsAfterMs: 900,
    }),
    `insert into ticketing_jobs (id, order_id, partner_id, status, attempts, run_attempts, run_started_at, lane,
      last_status_code, created_at, updated_at, reference)
    select id, id, partner_id, 'succeeded', ${tries}, ${tries}, created_at + 5, 1, 200, created_at, ticketed_at, reference
    from ${those}`,
    attempt(
      "ticketing",
      `${those} and ${tries} = 2`,
      `id, 1, id, partner_id, ${uuid("created_at")}, 503, created_at + 5, 300, null`,
    ),
    attempt(
      "ticketing",
      those,
      `id, ${tries}, id, partner_id, ${uuid("ticketed_at")}, 200, ticketed_at - 400, 400,
      '{"reference":"' || reference || '","tickets":["TICKET-' || ${numberOf("f")} || '-1"]}'`,
    ),
    `insert into tickets (order_id, partner_id, no, body, code)
    select order_id, partner_id, no, '"' || code || '"', code from
      (select id as order_id, partner_id, no, 'TICKET-' || ${numberOf("f")} || '-' || no as code
      from ${TWO} cross join ${those}) given`,
    `insert into ota_callback_jobs (order_id, partner_id, status, attempts, run_attempts, run_started_at, lane,
      last_status_code, created_at, updated_at, event, event_id, sequence, body)
    select id, partner_id, 'succeeded', 1, 1, ticketed_at, 1, 200, ticketed_at, delivered_at, 'order.ticketed',
      'evt_' || replace(cast(trace_id as text), '-', ''), 1, ${filledIn(callback, numberOf("f"))}
    from ${those}`,
    attempt(
      "ota_callback",
      "ota_callback_jobs",
      `id, 1, order_id, partner_id, ${uuid("created_at")}, 200, created_at, 40, null`,
    ),
  ];
}

/** Orders whose ticketing failed once and is due again long after every run. */
export function waitingOrders(kind: DatabaseKind, count: number): string[] {
  const dueAt = Date.now() + DAY_MS;
  const callbackUrl = "https://partner.example/callbacks";
  return pendingOrders(kind, {
    prefix: "w",
    count,
    partner: "bench",
    callbackUrl,
    failedBefore: true,
    dueAt,
  });
}

export type BacklogKind = "first attempts" | "retries" | "another partner's";

/** Orders whose ticketing is due, and whose callbacks the load expects. */
export function dueOrders(
  kind: DatabaseKind,
  { count, backlog, callbackUrl }: { count: number; backlog: BacklogKind; callbackUrl: string },
): string[] {
  return pendingOrders(kind, {
    prefix: "s",
    count,
    partner: backlog === "another partner's" ? OTHER_PARTNER : "bench",
    callbackUrl,
    failedBefore: backlog === "retries",
    dueAt: Date.now() - 1_000,
  });
}

interface Pending {
  readonly prefix: string;
  readonly count: number;
  readonly partner: string;
  readonly callbackUrl: string;
  readonly failedBefore: boolean;
  readonly dueAt: number;
}

function pendingOrders(kind: DatabaseKind, pending: Pending): string[] {
  const { prefix, failedBefore, dueAt } = pending;
  const { uuid } = WORDS[kind];
  const status = failedBefore ? "ticketing_processing" : "accepted";
  const createdAt = String(Date.now() - 5_000);
  const job = failedBefore ? "1, 1, created_at, 1, 503" : "0, 0, null, 0, null";
  return [
    ...orders(kind, { ...pending, status, createdAt, endsAfterMs: null }),
    `insert into ticketing_jobs (id, order_id, partner_id, status, attempts, run_attempts, run_started_at, lane,
      last_status_code, next_attempt_at, created_at, updated_at)
    select id, id, partner_id, 'pending', ${job}, ${dueAt}, created_at, created_at from ${thoseOf(prefix)}`,
    `insert into ticketing_attempts (job_id, no, order_id, partner_id, claim, code, at, duration_ms)
    select id, 1, id, partner_id, ${uuid("created_at")}, 503, created_at, 20 from ${thoseOf(prefix)}
      and ${failedBefore ? "true" : "false"}`,
  ];
}

interface Orders {
  readonly prefix: string;
  readonly count: number;
  readonly partner: string;
  readonly callbackUrl: string;
  readonly status: string;
  /** Of the order `n`, in SQL. */
  readonly createdAt: string;
  /** Null: they have not ended. */
  readonly endsAfterMs: number | null;
}

function orders(kind: DatabaseKind, given: Orders): string[] {
  const { prefix, count, partner, callbackUrl, status, createdAt, endsAfterMs } = given;
  const { numbers, uuid } = WORDS[kind];
  const at = `cast(${createdAt} as ${kind === "sqlite" ? "integer" : "bigint"})`;
  const ends =
    endsAfterMs === null
      ? `null, null, null, ${at}`
      : `'REF-' || n, ${at} + ${endsAfterMs - 20}, ${at} + ${endsAfterMs}, ${at} + ${endsAfterMs}`;
  const items = ITEMS.map(
    ({ sku, qty, unit_price_minor: price, currency, visit_date: date }, index) =>
      `select ${index + 1} as no, '${sku}' as sku, ${qty} as qty, ${price} as price, '${currency}' as currency,
        '${date}' as visit_date`,
  );
  return [
    `insert into orders (external_order_id, partner_id, trace_id, callback_url, pipeline_status, idempotency_key,
      raw_payload, created_at, reference, ticketed_at, delivered_at, updated_at)
    select '${prefix}-' || n, '${partner}', ${uuid(at)}, '${callbackUrl}', '${status}', '${prefix}-key-' || n,
      ${filledIn(orderText(prefix, callbackUrl), "n")}, ${at}, ${ends}
    from ${numbers(count)}`,
    `insert into order_items (order_id, partner_id, no, sku, qty, unit_price_minor, currency, visit_date)
    select id, partner_id, no, sku, qty, price, currency, visit_date
    from (${items.join(" union all ")}) items cross join ${thoseOf(prefix)}`,
    `insert into idempotency_keys (partner_id, key, fingerprint, trace_id, created_at)
    select partner_id, idempotency_key, '${FINGERPRINT}', trace_id, created_at from ${thoseOf(prefix)}`,
  ];
}

/** Rows of orders by the prefix of their external ids; further conditions may follow. */
function thoseOf(prefix: string): string {
  return `orders where external_order_id >= '${prefix}-' and external_order_id < '${prefix}.'`;
}

function numberOf(prefix: string): string {
  return `cast(substr(external_order_id, ${prefix.length + 2}) as integer)`;
}

/** A JSON text with the number in its places. */
function filledIn(text: string, number: string): string {
  return `replace('${text.replaceAll("'", "''")}', '${NUMBER}', cast(${number} as text))`;
}
