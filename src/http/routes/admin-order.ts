import type { FastifyInstance, FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { Clock } from "../../lib/clock.ts";
import { parseStrictJson } from "../../lib/strict-json.ts";
import { createBuyerMask } from "../../orders/buyer-mask.ts";
import { oneOf, schemasOf } from "../../orders/outward-fields.ts";
import type { Exchange } from "../../pipeline/exchange.ts";
import type { Disclosures } from "../../storage/disclosures.ts";
import type { OrderQueries, OrderStory } from "../../storage/order-queries.ts";
import { AdminOrderView, adminOrderView } from "../admin-order-view.ts";
import { adminSchema } from "../admin-schema.ts";
import { ORDER_ID, readOrderId } from "../list-query.ts";
import { jsonResponse } from "../openapi.ts";
import { operatorOf, requireActing } from "../operator-of.ts";
import { readQuery } from "../order-filter-query.ts";
import { Problem } from "../problem-reply.ts";

export interface AdminOrderOptions {
  readonly orders: Pick<OrderQueries, "story" | "circumstances">;
  readonly disclosures: Disclosures;
  /** How orders are put to ticketing. */
  readonly exchange: Pick<Exchange, "request">;
  /** Of the retry schedule. */
  readonly attemptsPerRun: number;
  readonly clock: Clock;
}

/** `GET /admin/orders/{id}`: everything, with the verdict. */
export function addAdminOrderRoute(app: FastifyInstance, options: AdminOrderOptions): void {
  const { orders, exchange, attemptsPerRun, clock } = options;

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
  app.get("/admin/orders/:id", { schema: SCHEMA }, async (request) => {
    const reveal = readQuery(request.query as object, QUERY).has("reveal");
    const id = readOrderId((request.params as { id: string }).id);
    const story = id === null ? null : await orders.story(id, null);
    if (story === null) throw new Problem("not-found", { hint: "there is no such order" });
    if (reveal) await recordReveal(options.disclosures, request, story);
    const mask = reveal ? null : createBuyerMask(story.order.raw_payload);
    return adminOrderView(story, {
      ...(await orders.circumstances(story.order.partner_id)),
      nowMs: clock.wallMs(),
      attemptsPerRun,
      mask,
      request: requestOf(exchange, story, mask?.payload ?? story.order.raw_payload),
    });
  });
}

async function recordReveal(
  { record }: Disclosures,
  request: FastifyRequest,
  { order }: OrderStory,
): Promise<void> {
  const { name: actor } = requireActing(operatorOf(request));
  const act = { actor, reason: "the buyer's data was shown" };
  await record({ partnerId: order.partner_id, orderId: order.id }, "reveal", act, null);
}

/** What ticketing would be sent, made from the payload as it is shown: what is hidden there can't show here. */
function requestOf(
  exchange: Pick<Exchange, "request">,
  { order }: OrderStory,
  payload: string,
): AdminOrderView["request"] {
  const parsed = parseStrictJson(payload);
  if (!parsed.ok) return { body: null, headers: {}, problem: "the payload is not JSON that can be taken" };
  const { id: orderId, trace_id: traceId, partner_id: partnerId } = order;
  const made = exchange.request({ orderId, traceId, partnerId }, parsed);
  if (!made.ok) return { body: null, headers: {}, problem: made.reason };
  return { body: made.body, headers: { ...made.headers }, problem: null };
}

const QUERY = { reveal: oneOf("whose data is shown, which is recorded", ["buyer"]) };

const SCHEMA = adminSchema({
  operationId: "explainOrder",
  summary: "One order: what happened, what comes next, and everything on record",
  description:
    "The buyer's data is masked wherever it stands, unless `reveal=buyer` asks for it, which needs role operator and is " +
    "recorded among the order's actions.",
  params: Type.Object({ id: Type.Integer({ ...ORDER_ID, description: "the order's id" }) }),
  querystring: Type.Object(schemasOf(QUERY)),
  answers: { 200: jsonResponse("The order.", AdminOrderView) },
  problems: ["invalid-query", "not-found"],
});
