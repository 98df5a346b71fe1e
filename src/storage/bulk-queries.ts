import type { Selectable } from "kysely";
import type { BulkAction, BulkResult, BulkStatus } from "../orders/bulk.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import type { OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import type { BulkJobsTable } from "./tables.ts";

export interface BulkJob {
  readonly id: number;
  readonly action: BulkAction;
  readonly filter: OrderFilter;
  readonly actor: string;
  readonly reason: string;
  readonly status: BulkStatus;
  readonly pacePerSec: number;
  /** Orders that the filter found when the job was made. */
  readonly total: number;
  readonly upToId: number;
  readonly afterId: number;
  readonly acted: number;
  readonly refused: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
}

export interface BulkOrderResult {
  readonly orderId: number;
  readonly partnerId: string;
  readonly externalOrderId: string | null;
  readonly result: BulkResult;
  readonly orderStatus: OrderStatus | null;
  readonly at: number;
}

/** Acts upon many orders: what reads. */
export interface BulkQueries {
  /** The running jobs whose next step is due, oldest first. */
  due(now: number | null): Promise<BulkJob[]>;
  find(id: number): Promise<BulkJob | null>;
  /** Newest first. */
  list(beforeId: number | null, limit: number): Promise<BulkJob[]>;
  /** By order id, ascending. */
  results(
    id: number,
    page: { readonly result: BulkResult | null; readonly afterOrderId: number; readonly limit: number },
  ): Promise<BulkOrderResult[]>;
}

/** Jobs that are worked at a time: the others wait for their turn. */
const MAX_RUNNING = 20;

export function createBulkQueries({ run, queries, words }: Database): BulkQueries {
  const due = `select * from bulk_jobs where status = 'running' and next_step_at <= ${words.now("$1")}
    order by id limit ${MAX_RUNNING}`;
  return {
    due: async (now) => (await run<Selectable<BulkJobsTable>>(due, [now])).map(bulkJobOf),
    async find(id) {
      const row = await queries.selectFrom("bulk_jobs").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : bulkJobOf(row);
    },
    async list(beforeId, limit) {
      let query = queries.selectFrom("bulk_jobs").selectAll().orderBy("id", "desc").limit(limit);
      if (beforeId !== null) query = query.where("id", "<", beforeId);
      return (await query.execute()).map(bulkJobOf);
    },
    async results(id, { result, afterOrderId, limit }) {
      let query = queries
        .selectFrom("bulk_results as r")
        .leftJoin("orders as o", "o.id", "r.order_id")
        .select([
          "r.order_id as orderId",
          "r.partner_id as partnerId",
          "o.external_order_id as externalOrderId",
          "r.result",
          "r.order_status as orderStatus",
          "r.at",
        ])
        .where("r.bulk_id", "=", id)
        .where("r.order_id", ">", afterOrderId)
        .orderBy("r.order_id")
        .limit(limit);
      if (result !== null) query = query.where("r.result", "=", result);
      return query.execute();
    },
  };
}

function bulkJobOf(row: Selectable<BulkJobsTable>): BulkJob {
  return {
    id: row.id,
    action: row.action,
    filter: JSON.parse(row.filter) as OrderFilter,
    actor: row.actor,
    reason: row.reason,
    status: row.status,
    pacePerSec: row.pace_per_sec,
    total: row.total,
    upToId: row.up_to_id,
    afterId: row.after_id,
    acted: row.acted,
    refused: row.refused,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    endedAt: row.ended_at,
  };
}
