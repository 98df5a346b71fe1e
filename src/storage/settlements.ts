import type { JobStatus, Leg } from "../orders/states.ts";
import type { TargetHealth } from "../orders/target-health.ts";
import { LOST, onFirstClaim, orderAfterJob } from "../orders/transitions.ts";
import { createExplainCancelled } from "./cancelled.ts";
import { eventColumn, speaksForOrder } from "./claim-row.ts";
import { createCircuitReports } from "./circuits.ts";
import { type Database, type Run, rowSet, type SqlWords } from "./database.ts";
import { type AttemptRecord, type Claim, type ClaimedJob, type NewClaim, createReadClaimed } from "./jobs.ts";
import { createMoveOrders, type Move, type Moved, type MoveOrders } from "./moves.ts";
import { targetOf } from "./open-circuit.ts";
import { LEG_TABLES } from "./tables.ts";
import { createWriteTickets, REFERENCE_OF_ORDER, type Ticketed } from "./tickets.ts";

/** The end of a claim: what the attempt brought and what it makes of the job. */
export interface Settlement {
  readonly claim: Claim;
  readonly attempt: AttemptRecord;
  readonly job: JobStatus;
  /** Epoch milliseconds; null unless the job is pending again. */
  readonly dueAt: number | null;
  /** One clause for the order, when it comes to stand still. */
  readonly reason: string | null;
  /** Of a ticketing success. */
  readonly ticketed: Ticketed | null;
  /** A slot is set aside for the callback that a ticketing success brings: its job is written claimed. */
  readonly callbackClaim?: NewClaim | null;
  /** What the attempt says of its target, and the clause that says it. */
  readonly health: TargetHealth;
  readonly finding: string;
  /** Set by the settle itself: the target's circuit is open. */
  readonly onHold?: boolean;
}

/**
 * `settled`: the claim was held and the attempt has its row. `late`: the claim had ended; the result is kept as late.
 * `held`: settled, but the target's circuit is open: the attempt doesn't count in its run, and the job waits.
 * `dropped`: somebody else settled it before (of a lost attempt, or of one whose COMMIT was in doubt).
 */
export interface Settled {
  readonly result: "settled" | "late" | "dropped" | "held";
  readonly job: JobStatus;
  /** True when the order moved to `ticketed`: its callback is `callback`, or waits in the queue. */
  readonly ticketed: boolean;
  readonly callback: ClaimedJob | null;
}

export interface Settlements {
  /**
   * Ends claims of a leg in one transaction, each fenced by its token: attempt row, job, order, tickets and callback
   * job. Safe to run again after an unknown COMMIT. Results stand in the order of the input.
   */
  settle(settlements: readonly Settlement[], now: number | null): Promise<Settled[]>;
}

export interface CircuitSettings {
  /** Distinct orders in a row that open a circuit; 0: never. */
  readonly threshold: number;
  readonly probeMs: number;
}

export function createSettlements(database: Database, leg: Leg, circuit: CircuitSettings): Settlements {
  const { transact, words } = database;
  const circuits = createCircuitReports(words, leg, circuit.threshold);
  const { jobs } = LEG_TABLES[leg];
  const moveOrders = createMoveOrders(words);
  const writeAttempts = createWriteAttempts(words, leg);
  const recordLate = createRecordLate(words, leg);
  const writeTickets = createWriteTickets(words);
  const readCallbacks = createReadClaimed(words, "callback");
  const explainCancelled = createExplainCancelled(words);
  const now = words.now("$2");
  const endFields = leg === "ticketing" ? { ...END_FIELDS, new_reference: "text" as const } : END_FIELDS;
  const endClaims = `${words.updateRows(
    `${jobs} as j`,
    {
      status:
        "case when r.new_status = 'succeeded' then r.new_status else coalesce(ends_as, r.new_status) end",
      lane: "1",
      run_attempts: "run_attempts - r.hold",
      next_attempt_at: `case
        when ends_as is not null then null
        when r.hold = 1 then coalesce(held_until, ${now})
        else r.due_at end`,
      held_until: "case when r.hold = 1 and ends_as is null then held_until else null end",
      claim: "null",
      claimed_by: "null",
      claimed_at: "null",
      lease_until: "null",
      ends_as: "null",
      last_status_code: "r.code",
      last_error: "r.attempt_error",
      updated_at: now,
      // A late success may have told it before.
      ...(leg === "ticketing" && { reference: "coalesce(reference, r.new_reference)" }),
    },
    "j.id = r.job_id and j.claim = r.held",
    endFields,
  )} returning id, status${eventColumn(leg)}`;

  async function endClaimsOf(
    tx: Run,
    settlements: readonly Settlement[],
    now: number | null,
  ): Promise<Map<number, EndedRow>> {
    const rows = settlements.map(({ claim, attempt, job, dueAt, onHold, ticketed }) => ({
      job_id: claim.jobId,
      held: claim.claim,
      new_status: job,
      due_at: dueAt,
      code: attempt.code,
      attempt_error: attempt.error,
      hold: onHold ? 1 : 0,
      ...(leg === "ticketing" && { new_reference: ticketed?.reference ?? null }),
    }));
    const ended = await tx<EndedRow>(endClaims, [rowSet(endFields, rows), now]);
    return new Map(ended.map((row) => [row.id, row]));
  }

  /** While a target's circuit is open, its failures cost no attempt and block nothing: the jobs wait. */
  async function withHolds(tx: Run, settlements: readonly Settlement[]): Promise<Settlement[]> {
    const failing = settlements.filter(({ health, job }) => health === "failing" && job !== "unknown");
    const open = await circuits.open(tx, failing.map(targetOfSettlement));
    return settlements.map((settlement) =>
      failing.includes(settlement) && open.has(targetOfSettlement(settlement))
        ? { ...settlement, job: "pending", dueAt: null, reason: null, onHold: true }
        : settlement,
    );
  }

  const targetOfSettlement = ({ claim }: Settlement): string => targetOf(leg, claim.partnerId);

  async function reportHealth(tx: Run, settled: readonly Settlement[], now: number | null): Promise<void> {
    const telling = settled.filter(({ health, onHold }) => health !== null && onHold !== true);
    if (telling.length === 0) return;
    const reports = telling.map((settlement) => ({
      target: targetOfSettlement(settlement),
      orderId: settlement.claim.orderId,
      jobId: settlement.claim.jobId,
      failing: settlement.health === "failing",
      blocked: settlement.job === "blocked",
      finding: settlement.finding,
    }));
    await circuits.report(tx, reports, circuit.probeMs, now);
  }

  async function settleIn(tx: Run, given: readonly Settlement[], now: number | null): Promise<Settled[]> {
    const settlements = await withHolds(tx, given);
    const ended = await endClaimsOf(tx, settlements, now);
    const held = settlements.filter(({ claim }) => ended.has(claim.jobId));
    if (held.length > 0) void writeAttempts(tx, held);
    const moves = held.flatMap((settlement) => moveOf(leg, settlement, ended.get(settlement.claim.jobId)!));
    const moved = await moveOrders(tx, moves, now);
    const missed = settlements.filter(({ claim }) => !ended.has(claim.jobId));
    const late = missed.length === 0 ? NO_LATE : await recordLate(tx, missed, moveOrders, now);
    const isTicketed = ({ claim, ticketed }: Settlement): boolean =>
      ticketed !== null && (moved.has(claim.orderId) || late.ticketed.has(claim.orderId));
    const fresh = settlements.filter(isTicketed);
    const tickets = fresh.map((settlement) => {
      const { orderId } = settlement.claim;
      return ticketedOrder(settlement, moved.get(orderId) ?? late.ticketed.get(orderId)!);
    });
    const beginning = tickets.filter(({ claim }) => claim !== null).map(({ orderId }) => orderId);
    const callbacks = await readCallbacks(tx, beginning, writeTickets(tx, tickets, now));
    const callbackOf = new Map(callbacks.map((job) => [job.orderId, job]));
    const cancelled = settlements.filter(
      ({ claim, ticketed }) =>
        ended.get(claim.jobId)?.status === "cancelled" ||
        (ticketed !== null && late.recorded.has(claim.jobId)),
    );
    await explainCancelled(
      tx,
      cancelled.map(({ claim }) => claim.orderId),
    );
    await reportHealth(tx, held, now);
    return settlements.map((settlement): Settled => {
      const { claim, job, onHold } = settlement;
      const ticketed = isTicketed(settlement);
      const callback = callbackOf.get(claim.orderId) ?? null;
      const status = ended.get(claim.jobId)?.status;
      if (status !== undefined)
        return { result: onHold === true ? "held" : "settled", job: status, ticketed, callback };
      return { result: late.recorded.has(claim.jobId) ? "late" : "dropped", job, ticketed, callback };
    });
  }

  return { settle: (settlements, now) => transact((tx) => settleIn(tx, settlements, now)) };
}

/** Its callback begins at once where the order has moved on to that. */
function ticketedOrder({ claim, ticketed, callbackClaim }: Settlement, { status, failuresTold }: Moved) {
  const begins = status === onFirstClaim("callback").to;
  return {
    orderId: claim.orderId,
    partnerId: claim.partnerId,
    ticketed: ticketed!,
    told: failuresTold,
    claim: begins ? (callbackClaim ?? null) : null,
  };
}

/** The job may have become something else than the attempt asked for: cancelled, or ticketed by a late result. */
function moveOf(leg: Leg, settlement: Settlement, ended: EndedRow): Move[] {
  const { claim, reason, ticketed, callbackClaim } = settlement;
  const to = orderAfterJob(leg, ended.status);
  if (to === null || !speaksForOrder(ended)) return [];
  const callbackBegins = ticketed !== null && (callbackClaim ?? null) !== null;
  return [{ orderId: claim.orderId, to, reason, reference: ticketed?.reference ?? null, callbackBegins }];
}

interface EndedRow {
  id: number;
  status: JobStatus;
  event?: string;
}

const END_FIELDS = {
  job_id: "integer",
  held: "uuid",
  new_status: "text",
  due_at: "integer",
  code: "integer",
  attempt_error: "text",
  hold: "integer",
} as const;

const ATTEMPT_COLUMNS = {
  job_id: "integer",
  no: "integer",
  order_id: "integer",
  partner_id: "text",
  claim: "uuid",
  code: "integer",
  error: "text",
  at: "integer",
  duration_ms: "integer",
  answer: "text",
  note: "text",
} as const;
const ATTEMPT_NAMES = Object.keys(ATTEMPT_COLUMNS).join(", ");

function attemptRows(settlements: readonly Settlement[]) {
  return settlements.map(({ claim, attempt }) => ({
    job_id: claim.jobId,
    no: claim.no,
    order_id: claim.orderId,
    partner_id: claim.partnerId,
    claim: claim.claim,
    code: attempt.code,
    error: attempt.error,
    at: claim.startedAt,
    duration_ms: attempt.durationMs,
    answer: attempt.answer,
    note: attempt.note,
  }));
}

function createWriteAttempts(words: SqlWords, leg: Leg) {
  const values = Object.fromEntries(Object.keys(ATTEMPT_COLUMNS).map((name) => [name, `r.${name}`]));
  const text = words.insertRows(LEG_TABLES[leg].attempts, values, ATTEMPT_COLUMNS);
  return (tx: Run, settlements: readonly Settlement[]) =>
    tx(text, [rowSet(ATTEMPT_COLUMNS, attemptRows(settlements))]);
}

interface Late {
  /** Jobs whose result was kept as late. */
  readonly recorded: ReadonlySet<number>;
  /** Orders that a late success of ticketing has made ticketed. */
  readonly ticketed: ReadonlyMap<number, Moved>;
}
const NO_LATE: Late = { recorded: new Set(), ticketed: new Map() };

/**
 * Results whose claim has ended (SPEC section 4): kept, without any power over the schedule. Only a 2xx of ticketing
 * still counts: the tickets exist, so the order is ticketed, whoever holds the job now.
 */
function createRecordLate(words: SqlWords, leg: Leg) {
  const { attempts } = LEG_TABLES[leg];
  // An attempt row with this claim that isn't `lost` is our own, written by a COMMIT that we never heard of.
  const insertLate = `with clock as (select ${words.now("$2")} as now)
    insert into late_results (leg, recorded_at, ${ATTEMPT_NAMES})
    select '${leg}', (select now from clock), ${ATTEMPT_NAMES} from ${words.rows("$1", ATTEMPT_COLUMNS)} r
    where not exists (
      select 1 from ${attempts} a where a.job_id = r.job_id and a.no = r.no and a.claim = r.claim
        and coalesce(a.error, '') <> '${LOST}')
    on conflict (job_id, leg, claim) do nothing
    returning job_id`;
  const endJobs = `with clock as (select ${words.now("$2")} as now)
    update ticketing_jobs set
      ends_as = case when status = 'running' then 'succeeded' else null end,
      next_attempt_at = null, held_until = null, ${REFERENCE_OF_ORDER},
      status = case when status = 'running' then status else 'succeeded' end,
      updated_at = (select now from clock)
    where id ${words.amongIds("$1")}`;
  return async (
    tx: Run,
    missed: readonly Settlement[],
    moveOrders: MoveOrders,
    now: number | null,
  ): Promise<Late> => {
    const results = missed.filter(({ attempt }) => attempt.error !== LOST);
    if (results.length === 0) return NO_LATE;
    const rows = await tx<{ job_id: number }>(insertLate, [JSON.stringify(attemptRows(results)), now]);
    const recorded = new Set(rows.map((row) => row.job_id));
    const successes = results.filter(({ claim, ticketed }) => ticketed !== null && recorded.has(claim.jobId));
    const ticketed = await moveOrders(
      tx,
      successes.map(({ claim, ticketed }) => ({
        orderId: claim.orderId,
        to: "ticketed",
        reason: null,
        reference: ticketed!.reference,
      })),
      now,
    );
    const jobIds = successes
      .filter(({ claim }) => ticketed.has(claim.orderId))
      .map(({ claim }) => claim.jobId);
    if (jobIds.length > 0) await tx(endJobs, [JSON.stringify(jobIds), now]);
    return { recorded, ticketed };
  };
}
