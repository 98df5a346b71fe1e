import type { ParsedJson } from "../lib/strict-json.ts";
import type { AttemptError } from "../orders/outcome.ts";
import { onFirstClaim, orderAfterJob } from "../orders/transitions.ts";
import type { JobStatus, Leg } from "../orders/states.ts";
import { createExplainCancelled } from "./cancelled.ts";
import {
  CALLBACK_CLAIM_COLUMNS,
  CLAIM_COLUMNS,
  type ClaimRow,
  eventColumn,
  speaksForOrder,
} from "./claim-row.ts";
import { noOpenCircuit } from "./open-circuit.ts";
import type { Database, Parameter, Run, SqlWords } from "./database.ts";
import { createMoveOrders } from "./moves.ts";
import { LEG_TABLES } from "./tables.ts";

/** A claim on a job: what a settle must name, and where the attempt stands in its run. */
export interface Claim {
  readonly jobId: number;
  readonly orderId: number;
  readonly partnerId: string;
  readonly claim: string;
  /** The attempt's number over the job's life, from 1. */
  readonly no: number;
  readonly attemptInRun: number;
  /** Epoch milliseconds of the database. */
  readonly runStartedAt: number;
  readonly startedAt: number;
}

/** A claim whose holder is gone. */
export interface ExpiredClaim extends Claim {
  readonly traceId: string;
  /** False for a callback of another event than `order.ticketed`. */
  readonly movesOrder: boolean;
  readonly leaseUntil: number;
}

/** A claimed job with all that its attempt needs. */
export interface ClaimedJob extends Claim {
  readonly dueAt: number;
  /** Of the lane of retries. */
  readonly isRetry: boolean;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly rawPayload: string;
  /** The same taken apart, by whoever has done so on the way. */
  readonly payload?: ParsedJson;
  readonly callbackUrl: string;
  /** What is told and whom, of the callback leg. */
  readonly callback: {
    readonly event: { readonly name: string; readonly id: string; readonly body: string };
    /** Null: no restriction beyond the configuration's. */
    readonly hosts: readonly string[] | null;
    /** As sealed. */
    readonly signingSecret: string | null;
    readonly previousSigningSecret: string | null;
    readonly previousSigningSecretUntil: number | null;
  } | null;
}

/** A claim to be made: its token, who makes it, and for how long. */
export interface NewClaim {
  readonly claim: string;
  readonly claimedBy: string;
  readonly leaseMs: number;
}

export interface ClaimTerms extends NewClaim {
  readonly now: number | null;
}

/** A partner with attempts in flight here. */
export interface BusyPartner {
  readonly partnerId: string;
  /** Free slots. */
  readonly slots: number;
  readonly firstAttempts: number;
  readonly retries: number;
}

export interface ClaimRequest extends ClaimTerms {
  readonly limit: number;
  /** Free slots of the partners that have jobs in flight here. */
  readonly busy: readonly BusyPartner[];
  /** Slots of every other partner. */
  readonly slotsPerPartner: number;
  /** The watermark in epoch milliseconds, or 0 for a full look. */
  readonly since: number;
}

/** A leg's jobs as a queue (SPEC section 5). */
export interface JobQueue {
  /** Takes due jobs under a lease; an order's first attempt moves the order. */
  claim(request: ClaimRequest): Promise<ClaimedJob[]>;
  /** Takes one of the jobs that an open circuit holds, to see whether its target works again. */
  claimProbe(target: string, request: ClaimTerms): Promise<ClaimedJob[]>;
  /** Gives claims back whose attempt was not begun: as if they had not been taken. */
  giveBack(claims: readonly Claim[], now: number | null): Promise<void>;
  /** Claims whose lease is over; with `all`, every open claim. */
  expired(limit: number, all: boolean, now: number | null): Promise<ExpiredClaim[]>;
  /** Gives back whatever was claimed under this token: for a claim whose COMMIT was in doubt. */
  abandon(claim: string, now: number | null): Promise<void>;
}

interface OrderRow {
  id: number;
  external_order_id: string;
  trace_id: string;
  raw_payload?: string;
  callback_url: string;
  callback_hosts?: string | null;
  signing_secret?: string | null;
  previous_signing_secret?: string | null;
  previous_signing_secret_until?: number | null;
}

export function createJobQueue({ run, transact, words }: Database, leg: Leg): JobQueue {
  const { jobs } = LEG_TABLES[leg];
  const moveOrders = createMoveOrders(words);
  const explainCancelled = createExplainCancelled(words);
  const readClaimed = createReadClaimed(words, leg);
  const clock = (parameter: string): string => `with clock as (select ${words.now(parameter)} as now)`;

  const claimThese = (due: string): string => `${clock("$1")}, due as materialized (${due})
    update ${jobs} set
      status = 'running', claim = $2, claimed_by = $3,
      claimed_at = (select now from clock), lease_until = (select now from clock) + $4,
      attempts = attempts + 1, run_attempts = run_attempts + 1,
      run_started_at = coalesce(run_started_at, (select now from clock)),
      updated_at = (select now from clock)
    where id ${words.amongFew("select id from due")}
    returning ${leg === "callback" ? CALLBACK_CLAIM_COLUMNS : CLAIM_COLUMNS}`;
  const claimDue = claimThese(
    words.dueJobs(jobs, {
      limit: "$5",
      busy: "$6",
      slotsPerPartner: "$7",
      partners: noOpenCircuit(leg, "p.partner_id"),
      since: "$8",
    }),
  );
  // The one that has rested longest, so that no order bears all the probes of an outage.
  const claimHeld = claimThese(`select j.id from ${jobs} j
    where j.held_until is not null and j.status = 'pending' and $5 in ('', j.partner_id)
    order by j.updated_at, j.id limit 1 ${words.forUpdateSkipLocked}`);
  const giveBackClaims = `${clock("$2")}
    update ${jobs} as j set
      status = coalesce(ends_as, 'pending'), ends_as = null,
      claim = null, claimed_by = null, claimed_at = null, lease_until = null,
      attempts = attempts - 1, run_attempts = run_attempts - 1,
      run_started_at = case when run_attempts = 1 then null else run_started_at end,
      next_attempt_at = coalesce(held_until, next_attempt_at),
      updated_at = (select now from clock)
    from ${words.rows("$1", { job_id: "integer", held: "uuid" })} r
    where j.id = r.job_id and j.claim = r.held
    returning order_id, status${eventColumn(leg)}`;
  const expiredClaims = `${clock("$1")}
    select ${CLAIM_COLUMNS}${eventColumn(leg)}, (select o.trace_id from orders o where o.id = order_id) as trace_id from ${jobs}
    where status = 'running' and (lease_until < (select now from clock) or $2 = 1)
    order by lease_until limit $3`;

  const claimedUnder = `select ${CLAIM_COLUMNS} from ${jobs} where status = 'running' and claim = $1`;

  async function giveBackIn(tx: Run, claims: readonly Claim[], now: number | null): Promise<void> {
    if (claims.length === 0) return;
    const rows = claims.map(({ jobId, claim }) => ({ job_id: jobId, held: claim }));
    const returned = await tx<{ order_id: number; status: JobStatus; event?: string }>(giveBackClaims, [
      JSON.stringify(rows),
      now,
    ]);
    // A cancel that came meanwhile takes effect: nothing is in flight any more.
    const moves = returned.filter(speaksForOrder).flatMap(({ order_id: orderId, status }) => {
      const to = orderAfterJob(leg, status);
      return to === null ? [] : [{ orderId, to, reason: null, reference: null }];
    });
    const moved = await moveOrders(tx, moves, now);
    await explainCancelled(tx, [...moved.keys()]);
  }

  const giveBack = (claims: readonly Claim[], now: number | null): Promise<void> =>
    transact((tx) => giveBackIn(tx, claims, now));

  const { from: unclaimed, to: worked } = onFirstClaim(leg);
  // Somebody may hold an order's row, in a psql session for instance: that order waits, the others don't.
  const moveClaimed = `${clock("$2")}
    update orders set pipeline_status = '${worked}', blocked_reason = null, updated_at = (select now from clock)
    where id ${words.amongFew(`select id from orders
      where id ${words.amongIds("$1")} and pipeline_status = '${unclaimed}' ${words.forUpdateSkipLocked}`)}
    returning id`;
  const stillUnclaimed = `select id from orders where id ${words.amongIds("$1")} and pipeline_status = '${unclaimed}'`;

  /** Moves the orders whose leg begins. @returns those that somebody else holds */
  async function beginLeg(
    tx: Run,
    claimed: readonly ClaimRow[],
    now: number | null,
  ): Promise<ReadonlySet<number>> {
    const first = claimed
      .filter((row) => row.attempts === 1 && speaksForOrder(row))
      .map((row) => row.order_id);
    if (first.length === 0) return new Set();
    const moved = await tx<{ id: number }>(moveClaimed, [JSON.stringify(first), now]);
    if (moved.length === first.length) return new Set();
    const held = await tx<{ id: number }>(stillUnclaimed, [JSON.stringify(first)]);
    return new Set(held.map((row) => row.id));
  }

  const claim = (text: string, terms: ClaimTerms, due: readonly Parameter[]): Promise<ClaimedJob[]> =>
    transact(async (tx) => {
      const { now } = terms;
      const taken = await tx<ClaimRow>(text, [now, terms.claim, terms.claimedBy, terms.leaseMs, ...due]);
      if (taken.length === 0) return [];
      const held = await beginLeg(tx, taken, now);
      await giveBackIn(tx, taken.filter((row) => held.has(row.order_id)).map(claimOf), now);
      const claimed = taken.filter((row) => !held.has(row.order_id));
      const orderIds = claimed.map((row) => row.order_id);
      return readClaimed(tx, orderIds, Promise.resolve(claimed));
    });

  return {
    claim: (request) => {
      const { limit, busy, slotsPerPartner, since } = request;
      const busyRows = busy.map(({ partnerId, slots, firstAttempts, retries }) => ({
        partner_id: partnerId,
        slots,
        first_attempts: firstAttempts,
        retries,
      }));
      return claim(claimDue, request, [limit, JSON.stringify(busyRows), slotsPerPartner, since]);
    },
    claimProbe: (target, terms) => claim(claimHeld, terms, [target]),
    giveBack,
    async expired(limit, all, now) {
      const rows = await run<ClaimRow & { trace_id: string }>(expiredClaims, [now, all ? 1 : 0, limit]);
      return rows.map((row) => ({
        ...claimOf(row),
        traceId: row.trace_id,
        movesOrder: speaksForOrder(row),
        leaseUntil: row.lease_until,
      }));
    },
    async abandon(claim, now) {
      await giveBack((await run<ClaimRow>(claimedUnder, [claim])).map(claimOf), now);
    },
  };
}

/** Brings what the attempts of claimed jobs need, in the transaction of the claim: asked at once for the orders that are known. */
export type ReadClaimed = (
  tx: Run,
  orderIds: readonly number[],
  claimed: Promise<readonly ClaimRow[]>,
) => Promise<ClaimedJob[]>;

export function createReadClaimed(words: SqlWords, leg: Leg): ReadClaimed {
  // Each leg reads what it needs: the payload may be large, and a partner's secrets are read as they are now.
  const ordersOf =
    leg === "ticketing"
      ? `select id, external_order_id, trace_id, raw_payload, callback_url from orders where id ${words.amongIds("$1")}`
      : `select o.id, o.external_order_id, o.trace_id, o.callback_url, p.callback_hosts,
          p.signing_secret, p.previous_signing_secret, p.previous_signing_secret_until
        from orders o join partners p on p.partner_id = o.partner_id where o.id ${words.amongIds("$1")}`;
  return async (tx, orderIds, claimed) => {
    const read = orderIds.length === 0 ? [] : tx<OrderRow>(ordersOf, [JSON.stringify(orderIds)]);
    const [rows, orders] = await Promise.all([claimed, read]);
    const orderOf = new Map(orders.map((order) => [order.id, order]));
    return rows.map((row) => claimedJob(row, orderOf.get(row.order_id)!));
  };
}

function claimOf(row: ClaimRow): Claim {
  return {
    jobId: row.id,
    orderId: row.order_id,
    partnerId: row.partner_id,
    claim: row.claim,
    no: row.attempts,
    attemptInRun: row.run_attempts,
    runStartedAt: row.run_started_at,
    startedAt: row.claimed_at,
  };
}

function claimedJob(row: ClaimRow, order: OrderRow): ClaimedJob {
  return {
    ...claimOf(row),
    dueAt: row.next_attempt_at,
    isRetry: row.lane === 1,
    externalOrderId: order.external_order_id,
    traceId: order.trace_id,
    rawPayload: order.raw_payload ?? "",
    callbackUrl: order.callback_url,
    callback: row.event_id === undefined ? null : callbackOf(row, order),
  };
}

function callbackOf(row: ClaimRow, order: OrderRow): ClaimedJob["callback"] {
  const hosts = order.callback_hosts ?? null;
  return {
    event: { name: row.event!, id: row.event_id!, body: row.body! },
    hosts: hosts === null ? null : (JSON.parse(hosts) as string[]),
    signingSecret: order.signing_secret ?? null,
    previousSigningSecret: order.previous_signing_secret ?? null,
    previousSigningSecretUntil: order.previous_signing_secret_until ?? null,
  };
}

/** What an attempt brought, as its row keeps it. */
export interface AttemptRecord {
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly durationMs: number | null;
  /** The first 4 KiB of the answer. */
  readonly answer: string | null;
  readonly note: string | null;
}
