import type { BulkAction, BulkResult } from "../orders/bulk.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import type { Database, Run } from "./database.ts";
import { type ActsInTransaction, createActs, type LockedOrder, lockingOrders } from "./operator-actions.ts";
import { type Act, createRecordAct } from "./operator-record.ts";

export interface NewBulkJob {
  readonly action: BulkAction;
  readonly filter: OrderFilter;
  /** Orders that the filter finds now. */
  readonly total: number;
  /** Orders per second. */
  readonly pacePerSec: number;
}

/** One step of a job: the next orders that its filter has found. */
export interface BulkStep {
  readonly bulkId: number;
  /** Where the job stood when they were looked up: somebody else may have gone on meanwhile. */
  readonly afterId: number;
  /** Ascending. */
  readonly orderIds: readonly number[];
  /** There are no others. */
  readonly isLast: boolean;
  /** The orders are passed over, as somebody holds their rows. */
  readonly passOver?: boolean;
}

export interface BulkProgress {
  readonly acted: number;
  readonly refused: number;
  readonly isDone: boolean;
}

/** Acts upon many orders, as durable jobs (issue 6): what writes. */
export interface BulkJobs {
  /** Once for a request key of the same actor: a repeat is given the job that was made. */
  create(
    job: NewBulkJob,
    act: Act,
    now: number | null,
  ): Promise<{ readonly id: number; readonly repeated: boolean }>;
  /**
   * Acts on the orders and moves the job on, in ONE transaction: each order is acted on exactly once, wherever a process
   * dies, and however many of them work the job.
   * @returns null when the job has ended or another process has taken this step
   * @throws RowLocked when somebody holds a row of an order
   */
  step(step: BulkStep, now: number | null): Promise<BulkProgress | null>;
  /** Ends a job where it is; what it has done stays. @returns false when there is no such job, or it has ended */
  cancel(bulkId: number, act: Act, now: number | null): Promise<boolean>;
}

/** A job catches up with its pace what it is behind, but not more than this: a poll's pause, not an outage. */
const MAX_BEHIND_MS = 1_000;

interface JobRow {
  action: BulkAction;
  filter: string;
  actor: string;
  reason: string;
}

export function createBulkJobs({ transact, words }: Database): BulkJobs {
  const acts = createActs(words);
  const recordAct = createRecordAct(words);
  const insert = `with clock as (select ${words.now("$8")} as now)
    insert into bulk_jobs (partner_id, action, filter, actor, reason, pace_per_sec, total, status, up_to_id,
      next_step_at, created_at, updated_at)
    select $1, $2, $3, $4, $5, $6, $7, 'running', (select coalesce(max(id), 0) from orders),
      clock.now, clock.now, clock.now from clock
    returning id`;
  // Of clicks that come at once, one makes the job.
  const lockActor = `select name from operators where name = $1 ${words.forUpdate}`;
  const madeUnder = `select detail from operator_actions
    where order_id is null and request_key = $1 and actor = $2 and action like 'bulk %'`;
  // The lock makes one process's step the only one; the cursor tells whether it is still the next.
  const lock = `select action, filter, actor, reason from bulk_jobs
    where id = $1 and status = 'running' and after_id = $2 ${words.forUpdate}`;
  const locking = lockingOrders(words, words.amongIds("$1"));
  const readOrders = `select id, partner_id, pipeline_status as status, buyer_blanked_at, failures_told from orders
    where id ${words.amongIds("$1")} order by id`;
  const result = `with clock as (select ${words.now("$3")} as now)
    insert into bulk_results (bulk_id, order_id, partner_id, result, order_status, at)
    select $2, r.order_id, r.holder, r.outcome, o.pipeline_status, clock.now
    from ${words.rows("$1", { order_id: "integer", holder: "text", outcome: "text" })} r, orders o, clock
    where o.id = r.order_id`;
  const moveOn = `with clock as (select ${words.now("$6")} as now)
    update bulk_jobs set after_id = $2, acted = acted + $3, refused = refused + $4,
      status = case when $5 = 1 then 'done' else status end,
      ended_at = case when $5 = 1 then (select now from clock) else null end,
      next_step_at = ${words.greatest}(next_step_at, (select now from clock) - ${MAX_BEHIND_MS})
        + cast(($3 + $4) * 1000 / pace_per_sec as integer),
      updated_at = (select now from clock)
    where id = $1
    returning acted, refused`;
  const end = `with clock as (select ${words.now("$2")} as now)
    update bulk_jobs set status = 'cancelled', ended_at = (select now from clock), updated_at = (select now from clock)
    where id = $1 and status = 'running' returning partner_id, action`;

  async function workIn(
    tx: Run,
    { bulkId, orderIds, passOver = false }: BulkStep,
    now: number | null,
    job: JobRow,
  ) {
    const ids = JSON.stringify(orderIds);
    if (!passOver) for (const text of locking.jobs) await tx(text, [ids]);
    const orders = await tx<LockedOrder>(passOver ? readOrders : locking.orders, [ids]);
    const { statuses } = JSON.parse(job.filter) as OrderFilter;
    const act = { actor: job.actor, reason: job.reason, detail: { bulk_id: bulkId } };
    // It may have moved since the filter found it.
    const isMeant = ({ status }: LockedOrder) => statuses.length === 0 || statuses.includes(status);
    const outcomeOf = async (order: LockedOrder): Promise<BulkResult> => {
      if (passOver) return "locked";
      return isMeant(order) ? actOn(acts, job.action, tx, order, act, now) : "refused";
    };
    // All at once: their statements need not wait for each other.
    const results = await Promise.all(
      orders.map(async (order) => ({
        order_id: order.id,
        holder: order.partner_id,
        outcome: await outcomeOf(order),
      })),
    );
    if (results.length > 0) await tx(result, [JSON.stringify(results), bulkId, now]);
    const acted = results.filter(({ outcome }) => outcome === "done" || outcome === "requested").length;
    return { acted, refused: results.length - acted };
  }

  return {
    create: ({ action, filter, total, pacePerSec }, act, now) =>
      transact(async (tx) => {
        const partnerId = filter.partnerId ?? "";
        const { actor, reason, requestKey } = act;
        if (requestKey !== undefined) {
          await tx(lockActor, [actor]);
          const [made] = await tx<{ detail: string }>(madeUnder, [requestKey, actor]);
          if (made) return { id: (JSON.parse(made.detail) as { bulk_id: number }).bulk_id, repeated: true };
        }
        const parameters = [partnerId, action, JSON.stringify(filter), actor, reason, pacePerSec, total, now];
        const [row] = await tx<{ id: number }>(insert, parameters);
        const detail = { bulk_id: row!.id, orders: total };
        await recordAct(tx, { partnerId, orderId: null }, `bulk ${action}`, { ...act, detail }, now);
        return { id: row!.id, repeated: false };
      }),
    step: (step, now) =>
      transact(async (tx) => {
        const [job] = await tx<JobRow>(lock, [step.bulkId, step.afterId]);
        if (!job) return null;
        const { acted, refused } = await workIn(tx, step, now, job);
        const afterId = step.orderIds.at(-1) ?? step.afterId;
        const isLast = step.isLast ? 1 : 0;
        const [row] = await tx<{ acted: number; refused: number }>(moveOn, [
          step.bulkId,
          afterId,
          acted,
          refused,
          isLast,
          now,
        ]);
        return { acted: row!.acted, refused: row!.refused, isDone: step.isLast };
      }),
    cancel: (bulkId, act, now) =>
      transact(async (tx) => {
        const [job] = await tx<{ partner_id: string; action: string }>(end, [bulkId, now]);
        if (!job) return false;
        const subject = { partnerId: job.partner_id, orderId: null };
        await recordAct(tx, subject, "bulk cancel", { ...act, detail: { bulk_id: bulkId } }, now);
        return true;
      }),
  };
}

async function actOn(
  acts: ActsInTransaction,
  action: BulkAction,
  tx: Run,
  order: LockedOrder,
  act: Act,
  now: number | null,
): Promise<BulkResult> {
  const { kind } = await acts[action](tx, order.id, act, now, order);
  if (kind === "requested") return "requested";
  return kind === "refused" || kind === "not_found" || kind === "repeated" ? "refused" : "done";
}
