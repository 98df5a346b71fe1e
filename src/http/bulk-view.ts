import { type Static, Type } from "typebox";
import { isoTime } from "../lib/iso-time.ts";
import { BULK_ACTIONS, BULK_RESULTS, BULK_STATUSES } from "../orders/bulk.ts";
import { orderFilterQuery } from "../orders/order-filter-fields.ts";
import { ORDER_STATUSES } from "../orders/states.ts";
import type { BulkJob, BulkOrderResult } from "../storage/bulk-queries.ts";
import { ExternalOrderId, Id, nullable, PartnerId, Time } from "./order-view.ts";

/** An act upon many orders, as the API and the command line show it. */
export const BulkJobView = Type.Object({
  id: Type.Integer({ minimum: 1, examples: [7] }),
  action: Type.Enum([...BULK_ACTIONS]),
  filter: Type.String({
    description: "as the query of GET /admin/orders",
    examples: ["status=ticketing_exhausted&created_from=2026-08-25T00%3A00%3A00.000Z"],
  }),
  status: Type.Enum([...BULK_STATUSES]),
  total: Type.Integer({
    minimum: 0,
    description: "orders that the filter found when the job was made",
    examples: [40],
  }),
  acted: Type.Integer({ minimum: 0, description: "orders that it was done to", examples: [12] }),
  refused: Type.Integer({
    minimum: 0,
    description: "orders that had moved meanwhile, or were held by somebody",
    examples: [1],
  }),
  pace_per_sec: Type.Number({ description: "orders per second", examples: [10] }),
  actor: Type.String({ description: "who began it", examples: ["kim"] }),
  reason: Type.String({ examples: ["ticketing is back"] }),
  created_at: Time,
  updated_at: Time,
  ended_at: Type.Union([Time, Type.Null()], { examples: [null] }),
});
export type BulkJobView = Static<typeof BulkJobView>;

export function bulkJobView(job: BulkJob): BulkJobView {
  return {
    id: job.id,
    action: job.action,
    filter: orderFilterQuery(job.filter).toString(),
    status: job.status,
    total: job.total,
    acted: job.acted,
    refused: job.refused,
    pace_per_sec: job.pacePerSec,
    actor: job.actor,
    reason: job.reason,
    created_at: isoTime(job.createdAt),
    updated_at: isoTime(job.updatedAt),
    ended_at: job.endedAt === null ? null : isoTime(job.endedAt),
  };
}

/** What became of one of its orders. */
export const BulkResultView = Type.Object({
  order_id: Id,
  partner_id: PartnerId,
  external_order_id: nullable(ExternalOrderId),
  result: Type.Enum([...BULK_RESULTS]),
  order_status: Type.Union([Type.Enum([...ORDER_STATUSES]), Type.Null()], {
    description: "after the act, or the one that it was refused for",
    examples: ["ticketing_processing"],
  }),
  at: Time,
});
export type BulkResultView = Static<typeof BulkResultView>;

export function bulkResultView(result: BulkOrderResult): BulkResultView {
  return {
    order_id: result.orderId,
    partner_id: result.partnerId,
    external_order_id: result.externalOrderId,
    result: result.result,
    order_status: result.orderStatus,
    at: isoTime(result.at),
  };
}
