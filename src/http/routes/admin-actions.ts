import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { type Leg, ORDER_STATUSES, type OrderStatus } from "../../orders/states.ts";
import { onRetry } from "../../orders/transitions.ts";
import { resolveTicketed } from "../../pipeline/resolve.ts";
import type { Refused, Retried } from "../../storage/operator-actions.ts";
import type { Act } from "../../storage/operator-record.ts";
import type { Storage } from "../../storage/open.ts";
import { adminSchema } from "../admin-schema.ts";
import { createBodyReader, Reason } from "../body.ts";
import { headerValues } from "../headers.ts";
import { readIdempotencyKey } from "../idempotency-key.ts";
import { requireJson } from "../json-body.ts";
import { ORDER_ID, readOrderId } from "../list-query.ts";
import { jsonResponse } from "../openapi.ts";
import { operatorOf } from "../operator-of.ts";
import { Id } from "../order-view.ts";
import { Problem } from "../problem-reply.ts";

export interface AdminActionsOptions {
  readonly orders: Pick<Storage["orders"], "story">;
  readonly operatorActions: Storage["operatorActions"];
  /** A leg may have work. */
  readonly announce: (leg: Leg) => void;
}

/** What an act has made of its order. */
interface Done {
  readonly kind: "done" | "requested";
  readonly status: OrderStatus;
}

const VERBS = ["retry", "resend", "cancel", "resolve", "close"] as const;
type Verb = (typeof VERBS)[number];

/** How the records of an act begin: a request key that was used for another one is refused. */
const RECORDED: Record<Verb, RegExp> = {
  retry: /^retry /,
  resend: /^resend /,
  cancel: /^cancel$/,
  resolve: /^(mark ticketed|retry ticketing)$/,
  close: /^close$/,
};

const Plain = Type.Object(
  { reason: Reason },
  { additionalProperties: false, description: "an object with a reason" },
);
const Code = Type.String({
  pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]{1,255}$",
  description: "a text of 1 to 255 characters on one line",
  examples: ["A1"],
});
const RESOLUTION =
  "an object with reason and ticketed; exactly if that is true, with tickets, a reference or both";
const Resolution = Type.Object(
  {
    reason: Reason,
    ticketed: Type.Boolean({
      description: "true: ticketing has issued the tickets; false: it knows nothing of the order",
      examples: [true],
    }),
    tickets: Type.Optional(
      Type.Array(Code, { minItems: 1, maxItems: 1000, description: "a list of 1 to 1000 ticket codes" }),
    ),
    reference: Type.Optional(
      Type.String({ ...Code, description: "ticketing's reference: 1 to 255 characters", examples: ["TK-9"] }),
    ),
  },
  {
    additionalProperties: false,
    description: RESOLUTION,
  },
);
const IdempotencyKey = Type.String({
  pattern: '^(?!""$)[!-~]{1,255}$',
  description: "so that a repeated click acts once: it holds for this order",
  examples: ["7f3c9a52"],
});
type Body = Static<typeof Plain> & Partial<Static<typeof Resolution>>;
const readPlain = createBodyReader(Plain);
const readResolution = createBodyReader(Resolution);

/** `POST /admin/orders/{id}/retry|resend|cancel|resolve|close`: what an operator does to one order. */
export function addAdminActionRoutes(app: FastifyInstance, options: AdminActionsOptions): void {
  const { operatorActions: actions, announce } = options;

  async function retry(id: number, act: Act): Promise<Done | Refused> {
    return begun(await actions.retry(id, act, null));
  }
  function begun(done: Retried): Done | Refused {
    if (done.kind !== "retried") return done;
    announce(done.leg);
    return { kind: "done", status: done.to };
  }
  async function resend(id: number, act: Act): Promise<Done | Refused> {
    const done = await actions.resend(id, act, null);
    if (done.kind !== "resent") return done;
    announce("callback");
    return { kind: "done", status: "ota_callback_pending" };
  }
  async function cancel(id: number, act: Act): Promise<Done | Refused> {
    const done = await actions.cancel(id, act, null);
    if (done.kind === "requested") return { kind: "requested", status: "ticketing_processing" };
    return done.kind === "cancelled" ? { kind: "done", status: "cancelled" } : done;
  }
  async function close(id: number, act: Act): Promise<Done | Refused> {
    const done = await actions.close(id, act, null);
    return done.kind === "closed" ? { kind: "done", status: "closed" } : done;
  }
  async function resolve(id: number, act: Act, body: Body): Promise<Done | Refused> {
    const { ticketed = false, tickets = [], reference = null } = body;
    if (ticketed !== (tickets.length > 0 || reference !== null)) {
      throw new Problem("invalid-body", { errors: [{ pointer: "", detail: `must be ${RESOLUTION}` }] });
    }
    if (!ticketed) return begun(await actions.retryTicketing(id, act, null));
    const done = await resolveTicketed(options, id, { tickets, reference }, act, Date.now());
    if (done.kind !== "ticketed") return done;
    announce("callback");
    return { kind: "done", status: "ticketed" };
  }

  const acts = { retry, resend, cancel, resolve, close };
  for (const verb of VERBS) {
    const read: (request: FastifyRequest) => Body = verb === "resolve" ? readResolution : readPlain;
    app.post(
      `/admin/orders/:id/${verb}`,
      { onRequest: async (request) => requireJson(request), schema: schemaOf(verb) },
      async (request, reply) => {
        const id = readOrderId((request.params as { id: string }).id);
        if (id === null) throw new Problem("not-found", { hint: "there is no such order" });
        const body = read(request);
        const requestKey = readIdempotencyKey(headerValues(request, "idempotency-key"));
        const { name: actor } = operatorOf(request);
        const act = { actor, reason: body.reason, ...(requestKey === null ? {} : { requestKey }) };
        return answer(reply, verb, id, await acts[verb](id, act, body));
      },
    );
  }
}

function answer(reply: FastifyReply, verb: Verb, id: number, outcome: Done | Refused): FastifyReply {
  const { kind } = outcome;
  if (kind === "not_found") throw new Problem("not-found", { hint: "there is no such order" });
  const { status } = outcome;
  if (kind === "refused") {
    const hint = outcome.why ?? `order ${id} is ${status}, from where ${REFUSED[verb]}`;
    throw new Problem("not-possible", { hint, members: { order_id: id, order_status: status } });
  }
  if (kind === "repeated" && !RECORDED[verb].test(outcome.action)) throw new Problem("key-reused");
  if (kind === "repeated") void reply.header("idempotent-replayed", "true");
  return reply.send({
    order_id: id,
    action: verb,
    result: kind === "requested" ? "requested" : "done",
    order_status: status,
  });
}

const REFUSED: Record<Verb, string> = {
  retry: `nothing can be retried: it must be one of ${ORDER_STATUSES.filter((status) => onRetry(status)).join(", ")}`,
  resend: "nothing can be sent again: it must be ota_callback_delivered",
  cancel: "it can't be cancelled any more",
  resolve: "it can't be resolved: ticketing must have come to a stop",
  close: "it can't be closed: it must stand still",
};

const ActView = Type.Object({
  order_id: Id,
  action: Type.Enum([...VERBS], { description: "what was asked for" }),
  result: Type.Enum(["done", "requested"], {
    description: "requested: an attempt is in flight; if it succeeds, the order is ticketed all the same",
  }),
  order_status: Type.Enum([...ORDER_STATUSES], {
    description: "where the order stands now",
    examples: ["ticketing_processing"],
  }),
});

const SUMMARIES: Record<Verb, readonly [summary: string, description: string]> = {
  retry: [
    "Work an order again that stands still",
    "A new run of its leg, due at once. Ticketing gets the same Idempotency-Key as before.",
  ],
  resend: [
    "Send a delivered callback once more",
    "A new run of the callback: the same event, byte for byte, under the same `event_id`.",
  ],
  cancel: [
    "End an order before it is ticketed",
    "An attempt in flight is never revoked: if it brings tickets, the order is ticketed all the same.",
  ],
  resolve: [
    "Say what ticketing said of an order",
    "Ticketed: the codes are stored and the partner is told. Not ticketed: ticketing is called again.",
  ],
  close: ["Close an order as handled outside", "It is at its end: nothing more is done or told."],
};

function schemaOf(verb: Verb): object {
  const [summary, description] = SUMMARIES[verb];
  return adminSchema({
    operationId: `${verb}Order`,
    summary,
    description: `${description} Recorded with the operator and the reason. The same Idempotency-Key acts once.`,
    params: Type.Object({ id: Type.Integer({ ...ORDER_ID, description: "the order's id" }) }),
    headers: Type.Object({ "Idempotency-Key": Type.Optional(IdempotencyKey) }),
    consumes: ["application/json"],
    body: verb === "resolve" ? Resolution : Plain,
    answers: {
      200: jsonResponse("Done, or done before with this Idempotency-Key.", ActView, {
        "Idempotent-Replayed": Type.Literal("true", { description: "only on a repeat" }),
      }),
    },
    problems: [
      "invalid-json",
      "invalid-body",
      "invalid-idempotency-key",
      "not-found",
      "not-possible",
      "body-too-large",
      "unsupported-media-type",
      "key-reused",
    ],
  });
}
