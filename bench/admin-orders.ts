import { sql } from "kysely";
import type { Database } from "../src/storage/database.ts";

/** The orders come evenly over two months. */
export const FIRST_AT = Date.UTC(2026, 0, 1);
export const LAST_AT = FIRST_AT + 60 * 86_400_000;
/** The newest are on their way. */
const ON_THEIR_WAY = 300;

const SPAN_MS = LAST_AT - FIRST_AT;

interface Dialect {
  uuid(n: string): string;
  /** `YYYY-MM-DD`, so many days after the first. */
  day(first: string, days: string): string;
  readonly tidy: string;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  PostgreSQL: {
    uuid: (n) => `(lpad(to_hex(${n}), 8, '0') || '-0000-7000-8000-000000000000')::uuid`,
    day: (first, days) => `to_char(date '${first}' + (${days})::integer, 'YYYY-MM-DD')`,
    tidy: "vacuum analyze",
  },
  SQLite: {
    uuid: (n) => `printf('%08x-0000-7000-8000-000000000000', ${n})`,
    day: (first, days) => `date('${first}', (${days}) || ' days')`,
    tidy: "analyze",
  },
};

/** Statuses of a thousand orders; the rest is delivered. */
const STATUS = `case
  when n > $last - ${ON_THEIR_WAY} then case n % 3 when 0 then 'accepted' when 1 then 'ticketing_processing'
    else 'ota_callback_pending' end
  when n % 1000 < 3 then 'ticketing_blocked' when n % 1000 < 28 then 'ticketing_exhausted'
  when n % 1000 < 29 then 'ticketing_unknown' when n % 1000 < 31 then 'ota_callback_blocked'
  when n % 1000 < 36 then 'ota_callback_exhausted' when n % 1000 < 41 then 'cancelled'
  when n % 1000 < 43 then 'closed' else 'ota_callback_delivered' end`;
const IS_TICKETED = "(s like 'ota_%')";
const JOB = `case s when 'accepted' then 'pending' when 'ticketing_processing' then 'pending'
  when 'ticketing_blocked' then 'blocked' when 'ticketing_exhausted' then 'exhausted'
  when 'ticketing_unknown' then 'unknown' when 'cancelled' then 'cancelled' when 'closed' then 'closed'
  else 'succeeded' end`;
const CALLBACK_JOB = `case s when 'ota_callback_pending' then 'pending' when 'ota_callback_blocked' then 'blocked'
  when 'ota_callback_exhausted' then 'exhausted' else 'succeeded' end`;
const CODE = (job: string): string => `case ${job} when 'succeeded' then 200 when 'exhausted' then 503
  when 'blocked' then 404 when 'closed' then 404 else null end`;
const ERROR = (job: string): string => `case ${job} when 'unknown' then 'timeout' else null end`;

/** Fills an empty, migrated database with orders of the two months before a moment. */
export async function fillWithOrders(
  { queries, name }: Database,
  orders: number,
  lastAt = LAST_AT,
): Promise<void> {
  const { uuid, day, tidy } = DIALECTS[name]!;
  const step = Math.floor(SPAN_MS / orders);
  const at = `(${lastAt - SPAN_MS} + n * ${step})`;
  const firstDay = new Date(lastAt - SPAN_MS).toISOString().slice(0, 10);
  const partner = "case when n % 2 = 0 then 'big' else 'p' || (n % 19) end";
  const run = (text: string) => sql.raw(text.replaceAll("$last", String(orders))).execute(queries);
  // Once more as columns, so that what follows from an order's status needn't say it again.
  const series = `with recursive series(n) as (select cast(1 as bigint) union all select n + 1 from series where n < ${orders}),
    given as (select n, ${STATUS} as s, ${partner} as p, ${at} as at from series)`;
  const insert = (table: string, columns: string, select: string) =>
    run(
      name === "SQLite"
        ? `insert into ${table} (${columns}) ${series} ${select}`
        : `${series} insert into ${table} (${columns}) ${select}`,
    );

  for (let n = 0; n < 20; n += 1) {
    const id = n === 19 ? "big" : `p${n}`;
    await run(
      `insert into partners (partner_id, name, token_digest, created_at, updated_at) values ('${id}', '${id}', '', 0, 0)`,
    );
  }
  await insert(
    "orders",
    `id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, reference, created_at, updated_at, raw_payload`,
    `select n, p, 'EXT-' || n, ${uuid("n")}, 'https://partner.example.com/ota/callback', s,
      case when ${IS_TICKETED} then 'REF-' || n else null end, at, at, '{"buyer":"${"x".repeat(400)}"}' from given`,
  );
  await insert(
    "order_items",
    "order_id, partner_id, no, sku, qty, unit_price_minor, currency, visit_date",
    `select n, p, item, 'ADULT-DAY', 1 + n % 4, 129900, 'THB', ${day(firstDay, `n * 60 / ${orders} + n % 14`)}
      from given cross join (select 1 as item union all select 2) items`,
  );
  const tickets = `from given cross join (select 1 as no union all select 2) t where ${IS_TICKETED}`;
  await insert(
    "tickets",
    "order_id, partner_id, no, body, code",
    `select n, p, no, '{"code":"TC-' || n || '-' || no || '"}', 'TC-' || n || '-' || no ${tickets}`,
  );
  const jobColumns = `id, order_id, partner_id, status, attempts, run_attempts, lane, next_attempt_at, last_status_code,
    last_error, created_at, updated_at`;
  const job = (status: string): string => `select n, n, p, ${status}, 1, 1, 0,
    case when ${status} = 'pending' then at + n % 2 * 3600000 else null end, ${CODE(status)}, ${ERROR(status)}, at, at`;
  await insert(
    "ticketing_jobs",
    `${jobColumns}, reference`,
    `${job(JOB)}, case when ${IS_TICKETED} then 'REF-' || n else null end from given`,
  );
  await insert(
    "ota_callback_jobs",
    `${jobColumns}, event, event_id, sequence, body`,
    `${job(CALLBACK_JOB)}, 'order.ticketed', 'evt_' || n, 1, '{}' from given where ${IS_TICKETED}`,
  );
  const attemptColumns = "job_id, no, order_id, partner_id, claim, code, error, at, duration_ms, answer";
  const attempt = (status: string, no: string): string =>
    `select n, ${no}, n, p, ${uuid("n")}, ${CODE(status)}, ${ERROR(status)}, at + (${no}) * 1000, 20, 'an answer'`;
  const exhausted = `cross join (with recursive nos(no) as (select 1 union all select no + 1 from nos where no < 15)
    select no from nos) a where s = 'ticketing_exhausted'`;
  await insert(
    "ticketing_attempts",
    attemptColumns,
    `${attempt(JOB, "1")} from given where s not in ('accepted', 'ticketing_exhausted', 'cancelled')`,
  );
  await insert("ticketing_attempts", attemptColumns, `${attempt(JOB, "no")} from given ${exhausted}`);
  await insert(
    "ota_callback_attempts",
    attemptColumns,
    `${attempt(CALLBACK_JOB, "1")} from given where ${IS_TICKETED}`,
  );
  await insert(
    "auth_events",
    "partner_id, reason, ip, minute, count, last_at",
    `select p, 'wrong_token', '192.0.2.' || (n % 250), at, 1, at from given where n % 10 = 0`,
  );
  await insert(
    "rejected_requests",
    "partner_id, status, problem, reason, external_order_id, ip, count, at",
    `select p, 400, 'invalid-order', 'the body is not a valid order', 'EXT-' || n, '192.0.2.1', 1, at from given where n % 5 = 0`,
  );
  await run(tidy);
}
