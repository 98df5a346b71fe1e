import type { FastifyInstance } from "fastify";
import { type Static, type TSchema, Type } from "typebox";
import type { Clock } from "../../lib/clock.ts";
import { isoTime, isoTimeOrNull } from "../../lib/iso-time.ts";
import {
  ORDER_FILTER_FIELDS,
  ORDER_FILTER_PROPERTIES,
  orderFilterOf,
} from "../../orders/order-filter-fields.ts";
import { oneOf } from "../../orders/outward-fields.ts";
import { JOB_STATUSES, type Leg, LEGS, ORDER_STATUSES } from "../../orders/states.ts";
import type { ListedJob } from "../../storage/job-rows.ts";
import type { ListedOrder } from "../../storage/order-rows.ts";
import type { OrderSearch } from "../../storage/order-search.ts";
import { adminSchema } from "../admin-schema.ts";
import { jsonResponse } from "../openapi.ts";
import { cursorOf, listQuery, nextLink, readFilterQuery } from "../order-filter-query.ts";
import {
  AttemptError,
  ExternalOrderId,
  HeldUntil,
  Id,
  NextAttemptAt,
  nullable,
  PartnerId,
  Time,
  TraceId,
} from "../order-view.ts";

export interface AdminOrdersOptions {
  readonly orderSearch: OrderSearch;
  readonly clock: Clock;
}

const Count = (description: string, example: number) =>
  Type.Integer({ minimum: 0, description, examples: [example] });
const Next = nullable(
  Type.String({
    description:
      "the next page's `cursor`; null at the end. A page looks at so many rows at most and may be short before it",
    examples: ["123"],
  }),
);
export const Link = {
  Link: Type.String({
    description: 'the next page, if there is one: `<...>; rel="next"` (RFC 8288)',
    examples: ['</admin/orders?status=ticketing_blocked&cursor=123>; rel="next"'],
  }),
};
const Standing = Type.Enum([...ORDER_STATUSES], { examples: ["ticketing_blocked"] });
const Answered = Type.Union([Type.Integer(), Type.Null()], {
  description: "the status of the last answer, if one came",
  examples: [422],
});
/** A page of a list: its rows under their name, and the cursor of the next. */
export const pageSchema = (name: string, row: TSchema) =>
  Type.Object({ [name]: Type.Array(row), next: Next });

const ListedOrderView = Type.Object({
  id: Id,
  partner_id: PartnerId,
  external_order_id: ExternalOrderId,
  trace_id: TraceId,
  status: Standing,
  blocked_reason: nullable(
    Type.String({ description: "why it stands there", examples: ["ticketing answered 422"] }),
  ),
  reference: Type.Union([Type.String(), Type.Null()], { description: "ticketing's", examples: [null] }),
  created_at: Time,
  updated_at: Time,
  age_secs: Count("since it was accepted", 421),
  visit_from: nullable(Type.String({ format: "date", description: "the first visit" })),
  visit_to: nullable(Type.String({ format: "date", description: "the last visit" })),
  items: Count("how many it has", 1),
  qty: Count("of all items", 2),
  totals: Type.Array(
    Type.Object({
      currency: Type.String({ examples: ["THB"] }),
      minor: Type.Integer({ description: "in minor units", examples: [259800] }),
    }),
    { description: "one for each currency" },
  ),
  tickets: Count("how many it has", 0),
  leg: Type.Enum([...LEGS], { description: "what it has come to: the callback once there is one" }),
  attempts: Type.Object({ ticketing: Count("so far", 1), callback: Count("so far", 0) }),
  run_attempts: Count("of that leg's present run: what the retry schedule counts", 1),
  next_attempt_at: NextAttemptAt,
  held_until: HeldUntil,
  last_status_code: Answered,
  last_error: AttemptError,
});
export type ListedOrderView = Static<typeof ListedOrderView>;

const JobView = Type.Object({
  leg: Type.Enum([...LEGS]),
  id: Type.Integer({ description: "of its leg", examples: [123] }),
  order_id: Id,
  partner_id: PartnerId,
  event: Type.Union([Type.String(), Type.Null()], {
    description: "of a callback: what it tells",
    examples: [null],
  }),
  sequence: Type.Union([Type.Integer(), Type.Null()], {
    description: "of a callback: as which of its order's events",
    examples: [null],
  }),
  status: Type.Enum([...JOB_STATUSES], { examples: ["blocked"] }),
  attempts: Count("so far", 1),
  run_attempts: Count("of its present run", 1),
  next_attempt_at: NextAttemptAt,
  held_until: HeldUntil,
  claimed_by: Type.Union([Type.String(), Type.Null()], {
    description: "the process that is at it",
    examples: [null],
  }),
  lease_until: Type.Union([Time, Type.Null()], {
    description: "until when that process may be",
    examples: [null],
  }),
  last_status_code: Answered,
  last_error: AttemptError,
  created_at: Time,
  updated_at: Time,
});

export const CountsView = Type.Object({
  counts: Type.Partial(Type.Record(Type.Enum([...ORDER_STATUSES]), Type.Integer({ minimum: 0 })), {
    description: "of each status that the filter allows",
    examples: [{ ticketing_blocked: 3, ota_callback_delivered: 1204 }],
  }),
  total: Count("of all of them", 1207),
  at_least: Type.Boolean({
    description: "true: there are more than were worth counting; each number is a lower bound",
  }),
});

const ORDERS = listQuery(ORDER_FILTER_FIELDS, 1);
const JOBS = listQuery({ ...ORDER_FILTER_FIELDS, leg: oneOf("the leg", LEGS) }, 1);

/** `GET /admin/orders`, `/admin/orders/counts`, `/admin/jobs`. */
export function addAdminOrdersRoutes(app: FastifyInstance, { orderSearch, clock }: AdminOrdersOptions): void {
  app.get("/admin/orders", { schema: ORDERS_SCHEMA }, async (request, reply) => {
    const query = request.query as object;
    const { values, after, limit } = ORDERS.read(query);
    const { orders, next } = await orderSearch.page(orderFilterOf(values), after?.[0] ?? null, limit);
    const cursor = next === null ? null : cursorOf([next]);
    if (cursor !== null) void reply.header("link", nextLink("/admin/orders", query, cursor));
    const now = clock.wallMs();
    return { orders: orders.map((order) => orderView(order, now)), next: cursor };
  });

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
  app.get("/admin/orders/counts", { schema: COUNTS_SCHEMA }, async (request) => {
    const { counts, atLeast } = await orderSearch.countsByStatus(readFilterQuery(request.query as object));
    const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    return { counts, total, at_least: atLeast };
  });

  app.get("/admin/jobs", { schema: JOBS_SCHEMA }, async (request, reply) => {
    const query = request.query as object;
    const { values, one, after, limit } = JOBS.read(query);
    const leg = one("leg") as Leg | null;
    const { jobs, next } = await orderSearch.jobs(orderFilterOf(values), leg, after?.[0] ?? null, limit);
    const cursor = next === null ? null : cursorOf([next]);
    if (cursor !== null) void reply.header("link", nextLink("/admin/jobs", query, cursor));
    return { jobs: jobs.map(jobView), next: cursor };
  });
}

function orderView(order: ListedOrder, now: number): ListedOrderView {
  return {
    id: order.id,
    partner_id: order.partnerId,
    external_order_id: order.externalOrderId,
    trace_id: order.traceId,
    status: order.status,
    blocked_reason: order.blockedReason,
    reference: order.reference,
    created_at: isoTime(order.createdAt),
    updated_at: isoTime(order.updatedAt),
    age_secs: Math.max(0, Math.floor((now - order.createdAt) / 1000)),
    visit_from: order.visitFrom,
    visit_to: order.visitTo,
    items: order.items,
    qty: order.qty,
    totals: order.totals.map(({ currency, minor }) => ({ currency, minor })),
    tickets: order.tickets,
    leg: order.leg,
    attempts: order.attempts,
    run_attempts: order.runAttempts,
    next_attempt_at: isoTimeOrNull(order.nextAttemptAt),
    held_until: isoTimeOrNull(order.heldUntil),
    last_status_code: order.code,
    last_error: order.error,
  };
}

function jobView(job: ListedJob): Static<typeof JobView> {
  return {
    ...job,
    next_attempt_at: isoTimeOrNull(job.next_attempt_at),
    held_until: isoTimeOrNull(job.held_until),
    lease_until: isoTimeOrNull(job.lease_until),
    created_at: isoTime(job.created_at),
    updated_at: isoTime(job.updated_at),
  };
}

const ORDERS_SCHEMA = adminSchema({
  operationId: "findOrders",
  summary: "Find orders, newest first",
  description:
    "`q` finds an order by any of its names; every filter may be combined with every other. Cursors stay where they are " +
    "when orders come in between.",
  querystring: ORDERS.schema,
  answers: { 200: jsonResponse("A page of orders.", pageSchema("orders", ListedOrderView), Link) },
  problems: ["invalid-query"],
});

const COUNTS_SCHEMA = adminSchema({
  operationId: "countOrders",
  summary: "Count the orders of a filter by status",
  description:
    "Takes the filters of `GET /admin/orders`. Beyond a bound it says how many there are at least.",
  querystring: Type.Object(ORDER_FILTER_PROPERTIES),
  answers: { 200: jsonResponse("How many stand where.", CountsView) },
  problems: ["invalid-query"],
});

const JOBS_SCHEMA = adminSchema({
  operationId: "findJobs",
  summary: "The jobs of the orders of a filter, newest order first",
  description: "`code` and `error` are then the job's own. A page holds the jobs of `limit` orders.",
  querystring: JOBS.schema,
  answers: { 200: jsonResponse("A page of jobs.", pageSchema("jobs", JobView), Link) },
  problems: ["invalid-query"],
});
