import { sql, type Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import type { ColumnTypes } from "../database.ts";

// The columns are described in tables.ts.
//
// Indexes are few: an order is written once and changed five times, and each index is paid for each time. None
// names orders.pipeline_status, so that a change of status stays within its page (PostgreSQL's HOT updates). What may be
// large and never changes stands last in its row: PostgreSQL's log leaves it out of each change, SQLite passes it by.

const partners = (t: ColumnTypes): string[] => [
  `create table partners (
    partner_id ${t.text} primary key,
    name ${t.text} not null,
    token_digest ${t.text} not null,
    previous_token_digest ${t.text},
    previous_token_until ${t.integer},
    allowlist_cidrs ${t.text},
    rate_capacity ${t.real},
    rate_per_sec ${t.real},
    signing_secret ${t.text},
    previous_signing_secret ${t.text},
    previous_signing_secret_until ${t.integer},
    callback_hosts ${t.text},
    reject_repeats ${t.integer} not null default 0,
    hold_limit_secs ${t.integer},
    development ${t.integer} not null default 0,
    disabled_at ${t.integer},
    created_at ${t.integer} not null,
    updated_at ${t.integer} not null
  ) ${t.table}`,
  `create table operators (
    name ${t.text} primary key,
    partner_id ${t.text} not null default '',
    token_digest ${t.text} not null unique,
    role ${t.text} not null check (role in ('viewer', 'operator')),
    development ${t.integer} not null default 0,
    disabled_at ${t.integer},
    created_at ${t.integer} not null
  ) ${t.table}`,
  `create table rate_buckets (
    partner_id ${t.text} not null,
    kind ${t.text} not null,
    tokens ${t.real} not null,
    granted ${t.integer} not null,
    updated_at ${t.integer} not null,
    primary key (partner_id, kind)
  ) ${t.hotTable}`,
  `create table auth_events (
    id ${t.id},
    partner_id ${t.text} not null,
    reason ${t.text} not null,
    ip ${t.text},
    user_agent ${t.text},
    minute ${t.integer} not null,
    count ${t.integer} not null,
    last_at ${t.integer} not null
  ) ${t.table}`,
  `create index auth_events_by_partner on auth_events (partner_id, minute)`,
  `create unique index auth_events_by_minute on auth_events (minute, partner_id, reason, coalesce(ip, ''))`,
];

const orders = (t: ColumnTypes): string[] => [
  `create table orders (
    id ${t.id},
    partner_id ${t.text} not null,
    external_order_id ${t.text} not null,
    trace_id ${t.uuid} not null unique,
    callback_url ${t.text} not null,
    pipeline_status ${t.text} not null,
    blocked_reason ${t.text},
    reference ${t.text},
    idempotency_key ${t.text},
    created_at ${t.integer} not null,
    updated_at ${t.integer} not null,
    ticketed_at ${t.integer},
    delivered_at ${t.integer},
    buyer_blanked_at ${t.integer},
    raw_payload ${t.text} not null
  ) ${t.hotTable}`,
  `create index orders_with_buyers on orders (id) where buyer_blanked_at is null`,
  `create index orders_by_external_id on orders (external_order_id, partner_id)`,
  `create index orders_by_partner on orders (partner_id, id)`,
  `create table order_items (
    order_id ${t.integer} not null,
    partner_id ${t.text} not null,
    no ${t.integer} not null,
    sku ${t.text} not null,
    qty ${t.integer} not null,
    unit_price_minor ${t.integer} not null,
    currency ${t.text} not null,
    visit_date ${t.text},
    visit_time ${t.text},
    primary key (order_id, no)
  ) ${t.table}`,
  `create table tickets (
    order_id ${t.integer} not null,
    partner_id ${t.text} not null,
    no ${t.integer} not null,
    body ${t.text} not null,
    primary key (order_id, no)
  ) ${t.table}`,
  `create table idempotency_keys (
    partner_id ${t.text} not null,
    key ${t.text} not null,
    fingerprint ${t.text} not null,
    trace_id ${t.uuid} not null,
    created_at ${t.integer} not null,
    primary key (partner_id, key)
  ) ${t.table}`,
  `create table operator_actions (
    id ${t.id},
    partner_id ${t.text} not null,
    order_id ${t.integer},
    actor ${t.text} not null,
    action ${t.text} not null,
    reason ${t.text} not null,
    at ${t.integer} not null
  ) ${t.table}`,
  `create index operator_actions_by_order on operator_actions (order_id)`,
];

/** A leg's jobs are its queue: one index of what is due, by partner, and one of what is in flight. */
const leg = (t: ColumnTypes, prefix: string, eventColumns: string): string[] => [
  `create table ${prefix}_jobs (
    id ${t.id},
    order_id ${t.integer} not null,
    partner_id ${t.text} not null,
    status ${t.text} not null,
    attempts ${t.integer} not null default 0,
    run_attempts ${t.integer} not null default 0,
    run_started_at ${t.integer},
    lane ${t.integer} not null default 0,
    next_attempt_at ${t.integer},
    held_until ${t.integer},
    claim ${t.uuid},
    claimed_by ${t.text},
    claimed_at ${t.integer},
    lease_until ${t.integer},
    ends_as ${t.text},
    last_status_code ${t.integer},
    last_error ${t.text},
    created_at ${t.integer} not null,
    updated_at ${t.integer} not null${eventColumns}
  ) ${t.hotTable}`,
  `create index ${prefix}_jobs_due on ${prefix}_jobs (partner_id, lane, next_attempt_at)
    where status = 'pending'`,
  `create index ${prefix}_jobs_held on ${prefix}_jobs (held_until) where held_until is not null`,
  `create index ${prefix}_jobs_claimed on ${prefix}_jobs (lease_until) where status = 'running'`,
  `create table ${prefix}_attempts (
    job_id ${t.integer} not null,
    no ${t.integer} not null,
    order_id ${t.integer} not null,
    partner_id ${t.text} not null,
    claim ${t.uuid} not null,
    code ${t.integer},
    error ${t.text},
    at ${t.integer} not null,
    duration_ms ${t.integer},
    answer ${t.text},
    note ${t.text},
    primary key (job_id, no)
  ) ${t.table}`,
];

const lateResults = (t: ColumnTypes): string[] => [
  `create table late_results (
    id ${t.id},
    leg ${t.text} not null,
    job_id ${t.integer} not null,
    no ${t.integer} not null,
    order_id ${t.integer} not null,
    partner_id ${t.text} not null,
    claim ${t.uuid} not null,
    code ${t.integer},
    error ${t.text},
    at ${t.integer} not null,
    duration_ms ${t.integer},
    answer ${t.text},
    note ${t.text},
    recorded_at ${t.integer} not null,
    unique (job_id, leg, claim)
  ) ${t.table}`,
  `create index late_results_by_order on late_results (order_id)`,
];

/** What the attempts tell of the targets: orders that failed in a row, and circuits. `partner_id` is empty for ticketing. */
const circuits = (t: ColumnTypes): string[] => [
  `create table circuit_failures (
    leg ${t.text} not null,
    partner_id ${t.text} not null,
    order_id ${t.integer} not null,
    job_id ${t.integer} not null,
    blocked ${t.integer} not null,
    at ${t.integer} not null,
    primary key (leg, partner_id, order_id)
  ) ${t.hotTable}`,
  `create table circuits (
    leg ${t.text} not null,
    partner_id ${t.text} not null,
    state ${t.text} not null check (state in ('open', 'closed')),
    reason ${t.text},
    opened_at ${t.integer} not null,
    closed_at ${t.integer},
    next_probe_at ${t.integer} not null,
    probes ${t.integer} not null default 0,
    primary key (leg, partner_id)
  ) ${t.hotTable}`,
];

/** The tables of the first release. */
export function initial(types: ColumnTypes): Migration {
  const eventColumns = `,
    event ${types.text} not null,
    event_id ${types.text} not null,
    sequence ${types.integer} not null,
    body ${types.text} not null`;
  return {
    async up(db: Kysely<unknown>): Promise<void> {
      const statements = [
        ...partners(types),
        ...orders(types),
        ...leg(types, "ticketing", ""),
        ...leg(types, "ota_callback", eventColumns),
        // A ticketing job bears its order's id; callback jobs are one for each event.
        "create unique index ota_callback_jobs_by_order on ota_callback_jobs (order_id, sequence)",
        ...lateResults(types),
        ...circuits(types),
      ];
      for (const statement of statements) await sql.raw(statement).execute(db);
    },
  };
}
