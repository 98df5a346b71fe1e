import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import { checkOrderInput, OrderInput } from "../../orders/order-input.ts";
import { MAX_CALLBACK_URL_CHARS } from "../../outbound/callback-url.ts";
import type { AcceptResult, IncomingOrder } from "../../pipeline/accept.ts";
import type { OrderWaits } from "../../pipeline/order-waits.ts";
import type { ReadEvents } from "../../storage/event-queries.ts";
import type { OrderQueries } from "../../storage/order-queries.ts";
import type { Partner } from "../../storage/partners.ts";
import type { Take } from "../../storage/rate-buckets.ts";
import type { AcceptedOrder } from "../../storage/orders.ts";
import type { Authentication } from "../authenticate.ts";
import { EventView, eventView } from "../event-view.ts";
import { EXAMPLE_ORDER } from "../example-order.ts";
import { headerValues } from "../headers.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { type JsonBody, requireJson } from "../json-body.ts";
import { ListQuery, nextLink, ORDER_ID, readListQuery, readOrderId } from "../list-query.ts";
import { always, jsonResponse, OPERATOR_SECURITY, PARTNER_SECURITY, problemResponses } from "../openapi.ts";
import { exampleOf } from "../openapi-examples.ts";
import { AcceptedView, acceptedView, OrderView, orderView, SummaryView, summaryView } from "../order-view.ts";
import { Problem } from "../problem-reply.ts";
import { AwaitedView, awaitedView, clientGone, readWaitMs, WaitQuery } from "../wait.ts";

export interface OrderRoutesOptions {
  readonly accept: (order: IncomingOrder) => Promise<AcceptResult>;
  readonly orders: Pick<OrderQueries, "list" | "story">;
  readonly readEvents: ReadEvents;
  readonly waits: Pick<OrderWaits, "standing">;
  readonly authenticate: Authentication;
  /** Takes a token. @throws Problem 429 */
  readonly spend: (partner: Partner, kind: Take["kind"]) => Promise<void>;
}

/** The partner who asks; in reads null for those who see every partner's orders. */
const PARTNER = "partner";

const IdempotencyKey = Type.String({
  // Two quotes alone are a pair around nothing.
  pattern: '^(?!""$)[!-~]{1,255}$',
  description: "the same key and payload give the same order again; recommended",
  examples: ["abc123"],
});
const OrderId = Type.Object({ id: Type.Integer({ ...ORDER_ID, description: "the order's id" }) });
/** What a document can say of it; its own check, which comes later, knows more. */
const CallbackUrl = Type.String({
  ...OrderInput.properties.callback_url,
  format: "uri",
  maxLength: MAX_CALLBACK_URL_CHARS,
});
const EXAMPLE = {
  external_order_id: EXAMPLE_ORDER.externalOrderId,
  callback_url: EXAMPLE_ORDER.callbackUrl,
  items: EXAMPLE_ORDER.items,
  buyer: { name: "Alex" },
};

/** `POST /orders`, `GET /orders`, `GET /orders/{id}` (SPEC section 3), and an order's events. */
export function addOrderRoutes(app: FastifyInstance, options: OrderRoutesOptions): void {
  const { accept, orders, readEvents, waits, authenticate, spend } = options;
  app.decorateRequest(PARTNER, null);

  app.post(
    "/orders",
    {
      // In SPEC's order: headers, token, source IP, rate limit, and only then the body.
      onRequest: async (request) => {
        const partner = await authenticate.partner(request);
        await spend(partner, "orders");
        requireJson(request);
        request.setDecorator(PARTNER, partner);
      },
      schema: POST_SCHEMA,
    },
    async (request, reply) => {
      const waitMs = readWaitMs(request.query as object);
      const payload = request.body as JsonBody;
      const { value, text, notPlainIntegers } = payload;
      const check = checkOrderInput(value, notPlainIntegers);
      if (!check.ok) throw new Problem("invalid-order", { errors: check.problems });
      const result = await accept({
        partner: request.getDecorator<Partner>(PARTNER),
        idempotencyKey: readIdempotencyKey(headerValues(request, "idempotency-key")),
        input: check.order,
        payload,
        rawPayload: text,
      });
      const order = acceptedOrder(result);
      if (result.kind === "replayed") void reply.header("idempotent-replayed", "true");
      if (waitMs === null) return created(reply, acceptedView(order));
      const standing = await waits.standing(order.id, waitMs, clientGone(reply));
      return created(reply, awaitedView(acceptedView(order), standing));
    },
  );

  app.register(async (reads) => {
    reads.addHook("onRequest", async (request) => {
      const partner = await authenticate.reader(request);
      if (partner !== null) await spend(partner, "reads");
      request.setDecorator(PARTNER, partner);
    });

    reads.get("/orders", { schema: LIST_SCHEMA }, async (request, reply) => {
      const partner = request.getDecorator<Partner | null>(PARTNER);
      const filter = readListQuery(request.query as object);
      const { limit } = filter;
      // One more than asked for tells whether there is a next page.
      const found = await orders.list({ ...filter, partnerId: partner?.id ?? null, limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      if (found.length > limit && last) void reply.header("link", nextLink(filter, last.id));
      return page.map(summaryView);
    });

    // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
    reads.get("/orders/:id", { schema: ONE_SCHEMA }, async (request) => {
      const partner = request.getDecorator<Partner | null>(PARTNER);
      const id = readOrderId((request.params as { id: string }).id);
      const story = id === null ? null : await orders.story(id, partner?.id ?? null);
      if (story === null) throw new Problem("not-found", { hint: "there is no such order" });
      return orderView(story, partner === null ? "operator" : "partner");
    });

    // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
    reads.get("/orders/:id/events", { schema: EVENTS_SCHEMA }, async (request) => {
      const partner = request.getDecorator<Partner | null>(PARTNER);
      const id = readOrderId((request.params as { id: string }).id);
      const events = id === null ? null : await readEvents(id, partner?.id ?? null);
      if (events === null) throw new Problem("not-found", { hint: "there is no such order" });
      return events.map(eventView);
    });
  });
}

/** @throws Problem when the order was refused */
function acceptedOrder(result: AcceptResult): AcceptedOrder {
  if (result.kind === "accepted" || result.kind === "replayed") return result.order;
  throw refusal(result);
}

function refusal(result: Exclude<AcceptResult, { kind: "accepted" | "replayed" }>): Problem {
  if (result.kind === "key_reused") return new Problem("key-reused");
  if (result.kind === "undecided") return new Problem("key-undecided", { headers: { "retry-after": "1" } });
  if (result.kind === "repeated") {
    const { orderId } = result;
    return new Problem("order-repeated", { hint: `order ${orderId}`, members: { order_id: orderId } });
  }
  const { reason } = result;
  return new Problem("invalid-callback-url", {
    hint: reason,
    errors: [{ pointer: "/callback_url", detail: reason }],
  });
}

function created(reply: FastifyReply, order: AwaitedView): FastifyReply {
  return reply
    .code(201)
    .headers({ location: `/orders/${order.id}`, "x-trace-id": order.trace_id })
    .send(order);
}

const READ_SECURITY = [PARTNER_SECURITY, OPERATOR_SECURITY];
const READ_PROBLEMS = ["invalid-partner", "source-not-allowed", "rate-limited"] as const;

const POST_SCHEMA = {
  operationId: "createOrder",
  tags: ["orders"],
  summary: "Hand in an order",
  description:
    "The order is durable when the 201 arrives. It is then ticketed, and the partner is told at `callback_url`. " +
    "Unknown fields are accepted and stored. JSON is strict: no duplicate names, no coercion. " +
    "With `wait` the answer comes when the order is ticketed or has come to stand, at the latest after that time: it then " +
    "has `status`, and of a ticketed order `reference` and `tickets`. An order that isn't ticketed by then goes on as " +
    "ever; a repeat with its Idempotency-Key and `wait` waits again. The callback comes in any case. " +
    "A `traceparent` (W3C Trace Context) that comes with the request is linked in the gateway's traces.",
  security: [PARTNER_SECURITY],
  consumes: ["application/json"],
  querystring: WaitQuery,
  headers: Type.Object({ "Idempotency-Key": Type.Optional(IdempotencyKey) }),
  body: Type.Object({ ...OrderInput.properties, callback_url: CallbackUrl }, { examples: [EXAMPLE] }),
  response: {
    201: jsonResponse(
      "Accepted; or accepted before with this Idempotency-Key.",
      AwaitedView,
      {
        Location: always(Type.String({ description: "the order's path", examples: ["/orders/123"] })),
        "X-Trace-Id": always(Type.String({ format: "uuid", description: "the order's trace id" })),
        "Idempotent-Replayed": Type.Literal("true", { description: "only on a repeat of the first answer" }),
      },
      {
        accepted: { summary: "without `wait`", value: exampleOf(AcceptedView) },
        ticketed: { summary: "with `wait`, ticketed in time", value: exampleOf(AwaitedView) },
      },
    ),
    ...problemResponses(
      "invalid-query",
      "invalid-json",
      "invalid-order",
      "invalid-idempotency-key",
      "invalid-callback-url",
      "invalid-partner",
      "source-not-allowed",
      "order-repeated",
      "key-undecided",
      "body-too-large",
      "unsupported-media-type",
      "key-reused",
      "rate-limited",
    ),
  },
};

const LIST_SCHEMA = {
  operationId: "listOrders",
  tags: ["orders"],
  summary: "List orders, newest first",
  description:
    "A partner sees its own orders, an operator everybody's. The next page, if there is one, is in `Link`. To find one of your " +
    "orders, ask for its `external_order_id`.",
  security: READ_SECURITY,
  querystring: ListQuery,
  response: {
    200: jsonResponse("A page of orders.", Type.Array(SummaryView), {
      Link: Type.String({
        description: 'the next page, if there is one: `<...>; rel="next"` (RFC 8288)',
        examples: ['</orders?limit=50&before=123>; rel="next"'],
      }),
    }),
    ...problemResponses("invalid-query", ...READ_PROBLEMS),
  },
};

const ONE_SCHEMA = {
  operationId: "getOrder",
  tags: ["orders"],
  summary: "One order with every attempt",
  description:
    "Where it stands, its tickets, and every attempt of both legs. A job that doesn't exist yet is `null`. An order of another " +
    "partner is `404`.",
  security: READ_SECURITY,
  params: OrderId,
  response: {
    200: jsonResponse("The order.", OrderView),
    ...problemResponses("not-found", ...READ_PROBLEMS),
  },
};

const EVENTS_SCHEMA = {
  operationId: "listOrderEvents",
  tags: ["orders"],
  summary: "What the partner was told of an order, and is about to be",
  description:
    "The events in their sequence, at most the newest 100, each with the stored body of its callback: for whoever has missed " +
    "one. Failure events are there for partners who have asked for them.",
  security: READ_SECURITY,
  params: OrderId,
  response: {
    200: jsonResponse("The order's events.", Type.Array(EventView)),
    ...problemResponses("not-found", ...READ_PROBLEMS),
  },
};
