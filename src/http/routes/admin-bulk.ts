// oxlint-disable oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
import { isDeepStrictEqual } from "node:util";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import {
  BULK_ACTIONS,
  BULK_RESULTS,
  type BulkAction,
  type BulkResult,
  countPossible,
  defaultPace,
  MAX_BULK_PACE,
} from "../../orders/bulk.ts";
import {
  ORDER_FILTER_PROPERTIES,
  orderFilterQuery,
  readOrderFilter,
} from "../../orders/order-filter-fields.ts";
import { integer, oneOf, schemasOf } from "../../orders/outward-fields.ts";
import type { BulkJob } from "../../storage/bulk-queries.ts";
import type { Storage } from "../../storage/open.ts";
import { adminSchema } from "../admin-schema.ts";
import { createBodyReader, Reason } from "../body.ts";
import { BulkJobView, bulkJobView, BulkResultView, bulkResultView } from "../bulk-view.ts";
import { headerValues } from "../headers.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { requireJson } from "../json-body.ts";
import { ORDER_ID, readOrderId } from "../list-query.ts";
import { always, jsonResponse } from "../openapi.ts";
import { operatorOf } from "../operator-of.ts";
import { readQuery } from "../order-filter-query.ts";
import { Problem } from "../problem-reply.ts";

export interface AdminBulkOptions {
  readonly bulkJobs: Storage["bulkJobs"];
  readonly bulkQueries: Storage["bulkQueries"];
  readonly orderSearch: Pick<Storage["orderSearch"], "countsByStatus">;
  /** Calls that a process makes at a time: what a job's pace goes by where nobody says. */
  readonly slots: Parameters<typeof defaultPace>[1];
}

const PAGE = 100;
const LIST_FIELDS = {
  before: integer("a bulk job's id: only older ones", 1, Number.MAX_SAFE_INTEGER, 42),
};
const SHOW_FIELDS = {
  after: integer("an order id: only results of orders after it", 1, Number.MAX_SAFE_INTEGER, 42),
  result: oneOf("what became of the order", BULK_RESULTS),
};

const NewBulk = Type.Object(
  {
    action: Type.Enum([...BULK_ACTIONS], { description: `one of ${BULK_ACTIONS.join(", ")}` }),
    filter: Type.Object(ORDER_FILTER_PROPERTIES, {
      minProperties: 1,
      description: "an object with at least one of the filters of GET /admin/orders",
      examples: [{ status: ["ticketing_exhausted"], created_from: "2026-08-25T00:00:00Z" }],
    }),
    reason: Reason,
    pace_per_sec: Type.Optional(
      Type.Number({
        minimum: 0.1,
        maximum: MAX_BULK_PACE,
        description: `orders per second: a number from 0.1 to ${MAX_BULK_PACE}`,
        examples: [2],
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: "true to count only, else false" })),
  },
  { additionalProperties: false, description: "an object with action, filter and reason" },
);
const readNew = createBodyReader({
  ...NewBulk,
  properties: { ...NewBulk.properties, filter: Type.Object({}) },
});
const readCancel = createBodyReader(Type.Object({ reason: Reason }, { additionalProperties: false }));

/** `/admin/bulk`: what is done to all orders of a filter, as durable jobs. */
export function addAdminBulkRoutes(app: FastifyInstance, options: AdminBulkOptions): void {
  const { bulkJobs, bulkQueries, orderSearch, slots } = options;
  const json = async (request: Parameters<typeof requireJson>[0]) => requireJson(request);

  async function jobOf(params: unknown): Promise<BulkJob> {
    const id = readOrderId((params as { id: string }).id);
    const job = id === null ? null : await bulkQueries.find(id);
    if (job === null) throw new Problem("not-found", { hint: "there is no such bulk job" });
    return job;
  }

  app.post("/admin/bulk", { onRequest: json, schema: CREATE }, async (request, reply) => {
    const { action, filter: given, reason, dry_run: isDry = false, ...more } = readNew(request) as Body;
    const read = readOrderFilter(given);
    if (!read.ok) {
      const errors = read.problems.map(({ pointer, detail }) => ({ pointer: `/filter${pointer}`, detail }));
      throw new Problem("invalid-body", { errors });
    }
    const { filter } = read;
    // Also a filter that is given and says nothing, as an empty list does, means every order.
    if (orderFilterQuery(filter).size === 0) {
      throw new Problem("invalid-body", {
        errors: [{ pointer: "/filter", detail: "must name at least one filter" }],
      });
    }
    const requestKey = readIdempotencyKey(headerValues(request, "idempotency-key"));
    const { counts, atLeast } = await orderSearch.countsByStatus(filter);
    const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
    if (isDry) return { action, count, possible: countPossible(action, counts), at_least: atLeast };
    const pacePerSec = more.pace_per_sec ?? defaultPace(action, slots);
    const job = { action, filter, total: count, pacePerSec };
    const act = { actor: operatorOf(request).name, reason, ...(requestKey === null ? {} : { requestKey }) };
    const { id, repeated } = await bulkJobs.create(job, act, null);
    const made = (await bulkQueries.find(id))!;
    if (repeated) {
      const isSame = made.action === action && isDeepStrictEqual(made.filter, filter);
      if (!isSame) throw new Problem("key-reused");
      void reply.header("idempotent-replayed", "true");
    }
    return reply.code(201).header("location", `/admin/bulk/${id}`).send(bulkJobView(made));
  });

  app.get("/admin/bulk", { schema: LIST }, async (request) => {
    const before = readQuery(request.query as object, LIST_FIELDS).get("before")?.[0] ?? null;
    const jobs = await bulkQueries.list(before as number | null, PAGE);
    return jobs.map(bulkJobView);
  });

  app.get("/admin/bulk/:id", { schema: SHOW }, async (request) => {
    const asked = readQuery(request.query as object, SHOW_FIELDS);
    const result = (asked.get("result")?.[0] ?? null) as BulkResult | null;
    const afterOrderId = Number(asked.get("after")?.[0] ?? 0);
    const job = await jobOf(request.params);
    const results = await bulkQueries.results(job.id, { result, afterOrderId, limit: PAGE });
    const next = results.length === PAGE ? results.at(-1)!.orderId : null;
    return { ...bulkJobView(job), results: results.map(bulkResultView), next_after: next };
  });

  app.post("/admin/bulk/:id/cancel", { onRequest: json, schema: CANCEL }, async (request) => {
    const job = await jobOf(request.params);
    const { reason } = readCancel(request);
    const isEnded = await bulkJobs.cancel(job.id, { actor: operatorOf(request).name, reason }, null);
    const now = await jobOf(request.params);
    if (!isEnded && now.status === "done") {
      throw new Problem("not-possible", { hint: `bulk job ${job.id} is done already` });
    }
    return bulkJobView(now);
  });
}

interface Body {
  readonly action: BulkAction;
  readonly filter: object;
  readonly reason: string;
  readonly pace_per_sec?: number;
  readonly dry_run?: boolean;
}

const Id = Type.Object({ id: Type.Integer({ ...ORDER_ID, description: "the bulk job's id" }) });
const IdempotencyKey = Type.String({
  pattern: '^(?!""$)[!-~]{1,255}$',
  description: "so that a repeated click makes one job; of this operator",
  examples: ["7f3c9a52"],
});
const ACT_PROBLEMS = ["invalid-json", "invalid-body", "body-too-large", "unsupported-media-type"] as const;

const CREATE = adminSchema({
  operationId: "createBulk",
  summary: "Retry, resend, cancel or close all orders of a filter",
  description:
    "With `dry_run` the orders are counted and nothing is done. Without it a durable job is made, which the serving " +
    "processes work at its pace: each order is acted on once, also when a process dies half-way. Orders that come later " +
    "are not meant, nor those that have moved when their turn comes. The same Idempotency-Key makes one job.",
  headers: Type.Object({ "Idempotency-Key": Type.Optional(IdempotencyKey) }),
  consumes: ["application/json"],
  body: NewBulk,
  answers: {
    200: jsonResponse(
      "The count of a dry run.",
      Type.Object({
        action: Type.Enum([...BULK_ACTIONS]),
        count: Type.Integer({ minimum: 0, description: "orders that the filter finds", examples: [40] }),
        possible: Type.Integer({
          minimum: 0,
          description: "those that stand where it can be done now",
          examples: [38],
        }),
        at_least: Type.Boolean({ description: "true: there are more" }),
      }),
    ),
    201: jsonResponse("The job, or the one that was made with this Idempotency-Key.", BulkJobView, {
      Location: always(Type.String({ description: "the job's path", examples: ["/admin/bulk/7"] })),
      "Idempotent-Replayed": Type.Literal("true", { description: "only on a repeat" }),
    }),
  },
  problems: [...ACT_PROBLEMS, "invalid-idempotency-key", "key-reused"],
});

const LIST = adminSchema({
  operationId: "listBulk",
  summary: `Bulk jobs, newest first, ${PAGE} at a time`,
  description: "Each with how far it has come. `before` with the last one's id brings the next page.",
  querystring: Type.Object(schemasOf(LIST_FIELDS)),
  answers: { 200: jsonResponse("A page of jobs.", Type.Array(BulkJobView)) },
  problems: ["invalid-query"],
});

const SHOW = adminSchema({
  operationId: "getBulk",
  summary: "A bulk job's progress, and what became of each order",
  description: `Up to ${PAGE} results, by order id; \`next_after\` is the \`after\` of the next page, or null.`,
  params: Id,
  querystring: Type.Object(schemasOf(SHOW_FIELDS)),
  answers: {
    200: jsonResponse(
      "The job.",
      Type.Object({
        ...BulkJobView.properties,
        results: Type.Array(BulkResultView),
        next_after: Type.Union([Type.Integer(), Type.Null()], {
          description: "`after` of the next page",
          examples: [null],
        }),
      }),
    ),
  },
  problems: ["invalid-query", "not-found"],
});

const CANCEL = adminSchema({
  operationId: "cancelBulk",
  summary: "End a bulk job where it is",
  description: "What it has done stays.",
  params: Id,
  consumes: ["application/json"],
  body: Type.Object({ reason: Reason }, { additionalProperties: false }),
  answers: { 200: jsonResponse("The job, at its end.", BulkJobView) },
  problems: [...ACT_PROBLEMS, "not-found", "not-possible"],
});
