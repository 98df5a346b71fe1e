import type { Generated } from "kysely";
import type { BulkAction, BulkResult, BulkStatus } from "../orders/bulk.ts";
import type { AttemptError } from "../orders/outcome.ts";
import type { JobStatus, Leg, OrderStatus } from "../orders/states.ts";

// Times are epoch milliseconds in a 64-bit integer on every database: one form to compare, index and read.

export interface PartnersTable {
  partner_id: string;
  name: string;
  token_digest: string;
  previous_token_digest: string | null;
  previous_token_until: number | null;
  /** JSON array; null: from anywhere. */
  allowlist_cidrs: string | null;
  /** Null: the configuration's. */
  rate_capacity: number | null;
  rate_per_sec: number | null;
  /** Sealed; null: the configuration's. */
  signing_secret: string | null;
  previous_signing_secret: string | null;
  previous_signing_secret_until: number | null;
  /** JSON array; null: no restriction beyond the configuration's. */
  callback_hosts: string | null;
  reject_repeats: number;
  /** How long an outage may hold this partner's orders; null: the configuration's. */
  hold_limit_secs: number | null;
  /** 1: is told of orders that come to stand without tickets. */
  failure_events: Generated<number>;
  /** 1: made by `--dev` or `demo`, and does not exist outside them. */
  development: number;
  disabled_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface OperatorsTable {
  name: string;
  /** Empty: sees every partner's orders, as all operators do. */
  partner_id: Generated<string>;
  token_digest: string;
  previous_token_digest: string | null;
  previous_token_until: number | null;
  role: "viewer" | "operator";
  development: number;
  disabled_at: number | null;
  created_at: number;
}

export interface OrdersTable {
  id: Generated<number>;
  partner_id: string;
  external_order_id: string;
  trace_id: string;
  callback_url: string;
  pipeline_status: OrderStatus;
  /** Why the order stands where it does, when that needs a word. */
  blocked_reason: string | null;
  reference: string | null;
  /** As the partner sent it; the key's row is found by it. */
  idempotency_key: string | null;
  raw_payload: string;
  created_at: number;
  updated_at: number;
  ticketed_at: number | null;
  delivered_at: number | null;
  /** Failure events that the partner has been told: the next event's sequence is one more. */
  failures_told: Generated<number>;
  /** Set when the buyer's data was blanked wherever a copy lay. */
  buyer_blanked_at: number | null;
}

export interface OrderItemsTable {
  order_id: number;
  partner_id: string;
  no: number;
  sku: string;
  qty: number;
  unit_price_minor: number;
  currency: string;
  visit_date: string | null;
  visit_time: string | null;
}

export interface TicketsTable {
  order_id: number;
  partner_id: string;
  no: number;
  /** The ticket as ticketing gave it, as JSON. */
  body: string;
  /** What the ticket is found by; null: it has no such thing. */
  code: string | null;
}

export interface IdempotencyKeysTable {
  partner_id: string;
  key: string;
  fingerprint: string;
  trace_id: string;
  created_at: number;
}

export interface JobsTable {
  id: Generated<number>;
  order_id: number;
  partner_id: string;
  status: JobStatus;
  /** Attempts begun since the job was made: the number of the last one. */
  attempts: number;
  /** The same within the run: since the job was made or last retried by an operator. */
  run_attempts: number;
  run_started_at: number | null;
  /** 0: the first attempt, 1: a retry. Claims take from both in turns, so that retries can't crowd new orders out. */
  lane: number;
  next_attempt_at: number | null;
  /** Set while an open circuit holds the job: when it is given up. */
  held_until: number | null;
  /** The token that a settle must hold; null while nobody holds the job. */
  claim: string | null;
  claimed_by: string | null;
  claimed_at: number | null;
  lease_until: number | null;
  /** What the job becomes when its claim ends, whatever the attempt brings short of success. */
  ends_as: JobStatus | null;
  last_status_code: number | null;
  last_error: AttemptError | null;
  created_at: number;
  updated_at: number;
}

export interface TicketingJobsTable extends JobsTable {
  /**
   * The order's, which is found by it here: an index of orders that named it would cost every other index an entry when the
   * order is ticketed, and this row pays that anyway.
   */
  reference: string | null;
}

export interface CallbackJobsTable extends JobsTable {
  event: string;
  event_id: string;
  sequence: number;
  body: string;
}

/** Append-only; one row for each claim that ended. */
export interface AttemptsTable {
  job_id: number;
  no: number;
  order_id: number;
  partner_id: string;
  claim: string;
  code: number | null;
  error: AttemptError | null;
  at: number;
  duration_ms: number | null;
  answer: string | null;
  note: string | null;
}

/** Results that came after their claim had ended. */
export interface LateResultsTable extends AttemptsTable {
  id: Generated<number>;
  leg: Leg;
  recorded_at: number;
}

export interface AuthEventsTable {
  id: Generated<number>;
  /** The partner named in the request, known or not. */
  partner_id: string;
  reason: string;
  ip: string | null;
  user_agent: string | null;
  /** Start of the minute that the row counts. */
  minute: number;
  count: number;
  last_at: number;
}

/** Requests with orders that were refused; equal ones of a moment share a row. */
export interface RejectedRequestsTable {
  id: Generated<number>;
  /** The partner named in the request, known or not. */
  partner_id: string;
  status: number;
  /** The problem's name. */
  problem: string;
  reason: string;
  /** Null: it could not be read, or the row sums up several. */
  external_order_id: string | null;
  ip: string | null;
  count: number;
  /** Of the last of them. */
  at: number;
}

export interface OperatorActionsTable {
  id: Generated<number>;
  partner_id: string;
  order_id: number | null;
  actor: string;
  action: string;
  reason: string;
  /** JSON: what else is to be told of it, nothing secret. */
  detail: string | null;
  /** The Idempotency-Key that it was asked under. */
  request_key: string | null;
  at: number;
}

/** An act upon all orders of a filter, worked in small steps; see bulk-jobs.ts. */
export interface BulkJobsTable {
  id: Generated<number>;
  /** The filter's partner; empty: every partner's orders. */
  partner_id: string;
  action: BulkAction;
  /** JSON of an OrderFilter. */
  filter: string;
  actor: string;
  reason: string;
  status: BulkStatus;
  pace_per_sec: number;
  /** Orders that the filter found when the job was made. */
  total: number;
  /** No order after this one: those that came later are not meant. */
  up_to_id: number;
  /** Orders up to this one are dealt with. */
  after_id: number;
  acted: number;
  refused: number;
  next_step_at: number;
  created_at: number;
  updated_at: number;
  ended_at: number | null;
}

export interface BulkResultsTable {
  bulk_id: number;
  order_id: number;
  partner_id: string;
  result: BulkResult;
  /** The order's, after it was acted on, or which it was refused for. */
  order_status: OrderStatus | null;
  at: number;
}

/** Distinct orders that failed at a target in a row, none succeeding between. */
export interface CircuitFailuresTable {
  leg: Leg;
  /** Empty: ticketing, which all partners share. */
  partner_id: string;
  order_id: number;
  job_id: number;
  /** 1: the failure blocked the order, which is taken back when the target proves to be at fault. */
  blocked: number;
  at: number;
}

export interface CircuitsTable {
  leg: Leg;
  partner_id: string;
  state: "open" | "closed";
  reason: string | null;
  opened_at: number;
  closed_at: number | null;
  next_probe_at: number;
  probes: number;
}

export interface RateBucketsTable {
  partner_id: string;
  kind: string;
  tokens: number;
  /** Requests that the last take let through. */
  granted: number;
  updated_at: number;
}

/** That nothing is worked; see hold.ts. */
export interface HoldsTable {
  /** Empty: of all partners, which is the only one there is. */
  partner_id: string;
  actor: string;
  reason: string;
  since: number;
}

/** Browsers in which operators have signed in; see operator-sessions.ts. */
export interface OperatorSessionsTable {
  id: string;
  digest: string;
  previous_digest: string | null;
  previous_until: number | null;
  /** Empty, as of all operators. */
  partner_id: Generated<string>;
  operator: string;
  token_digest: string;
  created_at: number;
  seen_at: number;
  rotated_at: number;
}

/** The tables by their names (SPEC section 6). */
export interface Tables {
  partners: PartnersTable;
  operators: OperatorsTable;
  orders: OrdersTable;
  order_items: OrderItemsTable;
  tickets: TicketsTable;
  idempotency_keys: IdempotencyKeysTable;
  ticketing_jobs: TicketingJobsTable;
  ticketing_attempts: AttemptsTable;
  ota_callback_jobs: CallbackJobsTable;
  ota_callback_attempts: AttemptsTable;
  late_results: LateResultsTable;
  auth_events: AuthEventsTable;
  rejected_requests: RejectedRequestsTable;
  operator_actions: OperatorActionsTable;
  bulk_jobs: BulkJobsTable;
  bulk_results: BulkResultsTable;
  rate_buckets: RateBucketsTable;
  circuit_failures: CircuitFailuresTable;
  circuits: CircuitsTable;
  holds: HoldsTable;
  operator_sessions: OperatorSessionsTable;
}

/** A leg's two tables, and the job column that finds an order's: a ticketing job bears its order's id. */
export const LEG_TABLES = {
  ticketing: { jobs: "ticketing_jobs", attempts: "ticketing_attempts", jobOfOrder: "id" },
  callback: { jobs: "ota_callback_jobs", attempts: "ota_callback_attempts", jobOfOrder: "order_id" },
} as const satisfies Record<Leg, { jobs: keyof Tables; attempts: keyof Tables; jobOfOrder: keyof JobsTable }>;
