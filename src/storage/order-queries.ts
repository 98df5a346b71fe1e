import type { Selectable } from "kysely";
import type { OrderItem } from "../orders/order-input.ts";
import type { OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { createReadHold, type Hold } from "./hold.ts";
import { ITEM_COLUMNS, itemOf } from "./order-items.ts";
import {
  LEG_TABLES,
  type AttemptsTable,
  type CallbackJobsTable,
  type CircuitsTable,
  type JobsTable,
  type LateResultsTable,
  type OperatorActionsTable,
  type OrdersTable,
} from "./tables.ts";

export interface OrderSummary {
  readonly id: number;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly status: OrderStatus;
  readonly createdAt: number;
}

export interface OrderFilter {
  /** Null: every partner's. */
  readonly partnerId: string | null;
  readonly status: OrderStatus | null;
  readonly externalOrderId: string | null;
  /** Only orders with a smaller id. */
  readonly before: number | null;
  readonly limit: number;
}

export type LateResult = Pick<
  Selectable<LateResultsTable>,
  "leg" | "job_id" | "no" | "code" | "error" | "at" | "duration_ms" | "answer" | "note" | "recorded_at"
>;

export interface JobStory {
  readonly job: Selectable<JobsTable>;
  readonly attempts: readonly Selectable<AttemptsTable>[];
}

/** An event that the partner is told of, as a job. */
export interface CallbackStory extends JobStory {
  readonly job: Selectable<CallbackJobsTable>;
}

/** All that is known of one order. */
export interface OrderStory {
  readonly order: Selectable<OrdersTable>;
  readonly items: readonly OrderItem[];
  /** As ticketing gave them, parsed. */
  readonly tickets: readonly unknown[];
  readonly ticketing: JobStory | null;
  /** That of `order.ticketed`, the one that moves the order. */
  readonly callback: CallbackStory | null;
  /** Every event's, in their sequence, at most 100. */
  readonly callbacks: readonly CallbackStory[];
  readonly late: readonly LateResult[];
  readonly actions: readonly Selectable<OperatorActionsTable>[];
  /** Ids of the partner's other orders with the same external order id, oldest first. */
  readonly sameExternalId: readonly number[];
}

/** What stands around an order: its targets' circuits, as they last opened, its partner, and whether anything is worked. */
export interface Circumstances {
  readonly hold: Hold | null;
  readonly circuits: readonly Selectable<CircuitsTable>[];
  readonly partner: { readonly name: string; readonly disabled_at: number | null } | null;
}

export interface OrderQueries {
  /** Newest first. */
  list(filter: OrderFilter): Promise<OrderSummary[]>;
  /** One order, or null; with `partnerId`, only if it is that partner's. */
  story(id: number, partnerId: string | null): Promise<OrderStory | null>;
  circumstances(partnerId: string): Promise<Circumstances>;
  /** Ids of the orders that a person may mean: an id, an external order id or a trace id. Newest first, at most 20. */
  find(reference: string): Promise<number[]>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SAME_EXTERNAL_ID_LIMIT = 100;
const EVENTS_LIMIT = 100;

export function createOrderQueries({ run, queries }: Database): OrderQueries {
  const readHold = createReadHold({ run });
  const summaries = queries
    .selectFrom("orders")
    .select([
      "id",
      "partner_id as partnerId",
      "external_order_id as externalOrderId",
      "trace_id as traceId",
      "pipeline_status as status",
      "created_at as createdAt",
    ]);

  async function itemsOf(orderId: number): Promise<OrderItem[]> {
    const rows = await queries
      .selectFrom("order_items")
      .select(ITEM_COLUMNS)
      .where("order_id", "=", orderId)
      .orderBy("no")
      .execute();
    return rows.map(itemOf);
  }

  async function ticketsOf(orderId: number): Promise<unknown[]> {
    const rows = await queries
      .selectFrom("tickets")
      .select("body")
      .where("order_id", "=", orderId)
      .orderBy("no")
      .execute();
    return rows.map((row) => JSON.parse(row.body) as unknown);
  }

  async function ticketingOf(orderId: number): Promise<JobStory | null> {
    const { jobs, attempts } = LEG_TABLES.ticketing;
    const job = await queries.selectFrom(jobs).selectAll().where("id", "=", orderId).executeTakeFirst();
    if (!job) return null;
    const rows = queries.selectFrom(attempts).selectAll().where("job_id", "=", orderId).orderBy("no");
    return { job, attempts: await rows.execute() };
  }

  async function callbacksOf(orderId: number): Promise<CallbackStory[]> {
    const { jobs, attempts } = LEG_TABLES.callback;
    const events = await queries
      .selectFrom(jobs)
      .selectAll()
      .where("order_id", "=", orderId)
      .orderBy("sequence")
      .limit(EVENTS_LIMIT)
      .execute();
    if (events.length === 0) return [];
    const ids = events.map(({ id }) => id);
    const rows = await queries
      .selectFrom(attempts)
      .selectAll()
      .where("job_id", "in", ids)
      .orderBy("job_id")
      .orderBy("no")
      .execute();
    const attemptsOf = Map.groupBy(rows, (row) => row.job_id);
    return events.map((job) => ({ job, attempts: attemptsOf.get(job.id) ?? [] }));
  }

  async function sameExternalIdOf(order: Selectable<OrdersTable>): Promise<number[]> {
    const rows = await queries
      .selectFrom("orders")
      .select("id")
      .where("external_order_id", "=", order.external_order_id)
      .where("partner_id", "=", order.partner_id)
      .where("id", "!=", order.id)
      .orderBy("id")
      .limit(SAME_EXTERNAL_ID_LIMIT)
      .execute();
    return rows.map((row) => row.id);
  }

  return {
    async list({ partnerId, status, externalOrderId, before, limit }) {
      let query = summaries.orderBy("id", "desc").limit(limit);
      if (partnerId !== null) query = query.where("partner_id", "=", partnerId);
      if (status !== null) query = query.where("pipeline_status", "=", status);
      if (externalOrderId !== null) query = query.where("external_order_id", "=", externalOrderId);
      if (before !== null) query = query.where("id", "<", before);
      return query.execute();
    },
    async story(id, partnerId) {
      const order = await queries.selectFrom("orders").selectAll().where("id", "=", id).executeTakeFirst();
      if (!order || (partnerId !== null && order.partner_id !== partnerId)) return null;
      const callbacks = await callbacksOf(id);
      return {
        order,
        items: await itemsOf(id),
        tickets: await ticketsOf(id),
        ticketing: await ticketingOf(id),
        callback: callbacks.findLast(({ job }) => job.event === "order.ticketed") ?? null,
        callbacks,
        late: await queries
          .selectFrom("late_results")
          .select([
            "leg",
            "job_id",
            "no",
            "code",
            "error",
            "at",
            "duration_ms",
            "answer",
            "note",
            "recorded_at",
          ])
          .where("order_id", "=", id)
          .orderBy("id")
          .execute(),
        actions: await queries
          .selectFrom("operator_actions")
          .selectAll()
          .where("order_id", "=", id)
          .orderBy("id")
          .execute(),
        sameExternalId: await sameExternalIdOf(order),
      };
    },
    async circumstances(partnerId) {
      const [hold, circuits, partner] = await Promise.all([
        readHold(),
        queries
          .selectFrom("circuits")
          .selectAll()
          .where((eb) =>
            eb.or([
              eb.and({ leg: "ticketing", partner_id: "" }),
              eb.and({ leg: "callback", partner_id: partnerId }),
            ]),
          )
          .execute(),
        queries
          .selectFrom("partners")
          .select(["name", "disabled_at"])
          .where("partner_id", "=", partnerId)
          .executeTakeFirst(),
      ]);
      return { hold, circuits, partner: partner ?? null };
    },
    async find(reference) {
      const id = /^[1-9][0-9]{0,15}$/.test(reference) ? Number(reference) : null;
      const rows = await queries
        .selectFrom("orders")
        .select("id")
        .where((eb) =>
          eb.or([
            eb("external_order_id", "=", reference),
            ...(id !== null && Number.isSafeInteger(id) ? [eb("id", "=", id)] : []),
            ...(UUID.test(reference) ? [eb("trace_id", "=", reference.toLowerCase())] : []),
          ]),
        )
        .orderBy("id", "desc")
        .limit(20)
        .execute();
      return rows.map((row) => row.id);
    },
  };
}
