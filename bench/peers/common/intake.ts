import { hash, timingSafeEqual } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { uuidV7 } from "./ids.ts";
import type { Acceptance, NewOrder, OrderInput } from "./orders.ts";
import type { Settings } from "./settings.ts";

interface JsonBody {
  readonly text: string;
  readonly value: OrderInput;
}

const MAX_BODY_BYTES = 262_144;

/** The HTTP side, the same for every peer: Fastify, its own JSON parser, schemas compiled once, no logger. */
export function createIntake(
  settings: Settings,
  accept: (order: NewOrder) => Promise<Acceptance>,
): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
  });
  // Fastify's own parser, but the text is kept: the raw payload is stored as it came.
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, text, done) => {
    void parse(request, String(text), (error, value: OrderInput) =>
      error ? done(error) : done(null, { text, value }),
    );
  });

  app.get("/health", async () => ({ status: "ok" }));
  app.post(
    "/orders",
    {
      schema: {
        body: { type: "object", properties: { value: ORDER_SCHEMA } },
        response: { 201: ACCEPTED_SCHEMA },
      },
      onRequest: (request, _reply, done) => {
        const { "x-partner-id": partner, "x-partner-token": token } = request.headers;
        const digest = hash("sha256", String(token), "buffer");
        const isRight = partner === settings.partnerId && timingSafeEqual(digest, settings.tokenDigest);
        done(isRight ? undefined : refusal(401, "invalid partner"));
      },
    },
    async (request, reply) => {
      const { text, value } = request.body as JsonBody;
      const key = request.headers["idempotency-key"];
      const result = await accept({
        traceId: uuidV7(),
        partnerId: settings.partnerId,
        key: typeof key === "string" ? key : null,
        fingerprint: hash("sha256", text, "base64"),
        rawPayload: text,
        input: value,
        createdAt: Date.now(),
      });
      if (result.kind === "key_reused") throw refusal(422, "the key was used with another body");
      if (result.kind === "replayed") void reply.header("idempotent-replayed", "true");
      const { id, traceId, partnerId, externalOrderId, createdAt } = result.order;
      return reply
        .code(201)
        .header("x-trace-id", traceId)
        .send({
          id,
          order_id: id,
          partner_id: partnerId,
          external_order_id: externalOrderId,
          trace_id: traceId,
          pipeline_status: "accepted",
          created_at: new Date(createdAt).toISOString(),
        });
    },
  );
  return app;
}

function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode });
}

const text = (pattern: string, maxLength: number) => ({ type: "string", pattern, maxLength });

const ORDER_SCHEMA = {
  type: "object",
  required: ["external_order_id", "callback_url", "items"],
  properties: {
    external_order_id: text("^[!-~]+$", 128),
    callback_url: text("^https?://[^\\s\\\\#]+$", 2048),
    items: {
      type: "array",
      minItems: 1,
      maxItems: 500,
      items: {
        type: "object",
        required: ["sku", "qty", "unit_price_minor", "currency"],
        properties: {
          sku: text("^[^\\u0000]+$", 255),
          qty: { type: "integer", minimum: 1, maximum: 10_000 },
          unit_price_minor: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          currency: text("^[A-Z]{3}$", 3),
          visit_date: text("^\\d{4}-\\d{2}-\\d{2}$", 10),
          visit_time: text("^\\d{2}:\\d{2}$", 5),
        },
      },
    },
    buyer: { type: "object" },
  },
};

const ACCEPTED_SCHEMA = {
  type: "object",
  properties: {
    id: { type: "integer" },
    order_id: { type: "integer" },
    partner_id: { type: "string" },
    external_order_id: { type: "string" },
    trace_id: { type: "string" },
    pipeline_status: { type: "string" },
    created_at: { type: "string" },
  },
};
