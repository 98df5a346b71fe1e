import type { FastifyInstance, FastifyReply } from "fastify";
import { Type } from "typebox";
import { isoTime } from "../../lib/iso-time.ts";
import { ATTEMPT_ERRORS, type AttemptError } from "../../orders/outcome.ts";
import { flag, integer, oneOf, text, time } from "../../orders/outward-fields.ts";
import { type Leg, LEGS } from "../../orders/states.ts";
import type { ListAttempts } from "../../storage/attempt-list.ts";
import { AUTH_FAILURES } from "../../storage/auth-events.ts";
import type { ListPage, Lists } from "../../storage/lists.ts";
import { adminSchema } from "../admin-schema.ts";
import { jsonResponse } from "../openapi.ts";
import { cursorOf, type ListAsked, listQuery, nextLink } from "../order-filter-query.ts";
import {
  AttemptError as Failure,
  AttemptNo,
  DurationMs,
  Id,
  Note,
  nullable,
  PartnerId,
  Time,
} from "../order-view.ts";
import { Link, pageSchema } from "./admin-orders.ts";

export interface AdminListsOptions {
  readonly lists: Lists;
  readonly listAttempts: ListAttempts;
}

const SPAN = {
  since: time("a time or date (RFC 3339): from then on"),
  until: time("a time or date (RFC 3339): before it"),
};
const partner = text("a partner's id", 128, "ota-one");

const ATTEMPTS = listQuery(
  {
    leg: oneOf("the leg", LEGS),
    code: integer("the HTTP status that arrived", 100, 999, 503),
    error: oneOf("what went wrong", ATTEMPT_ERRORS),
    failed: flag("true: only attempts that brought no 2xx"),
    partner,
    order: integer("an order id", 1, Number.MAX_SAFE_INTEGER, 42),
    ...SPAN,
  },
  4,
);
const AUTH_EVENTS = listQuery(
  {
    partner,
    reason: oneOf("the reason", AUTH_FAILURES),
    ip: text("an address", 64, "198.51.100.7"),
    ...SPAN,
  },
  2,
);
const REJECTIONS = listQuery(
  {
    partner,
    external_order_id: text("the partner's order id, where it could be read", 128, "EXT-42"),
    status: integer("the HTTP status of the answer", 400, 499, 422),
    ...SPAN,
  },
  2,
);

/** `GET /admin/attempts`, `/admin/auth-events`, `/admin/rejections`. */
export function addAdminListRoutes(app: FastifyInstance, { lists, listAttempts }: AdminListsOptions): void {
  app.get("/admin/attempts", { schema: ATTEMPTS_SCHEMA }, async (request, reply) => {
    const asked = ATTEMPTS.read(request.query as object);
    const filter = {
      leg: asked.one("leg") as Leg | null,
      code: numberOf(asked, "code"),
      error: asked.one("error") as AttemptError | null,
      failed: asked.one("failed") === true,
      partnerId: textOf(asked, "partner"),
      orderId: numberOf(asked, "order"),
      ...spanOf(asked),
    };
    const page = await listAttempts(filter, asked.after, asked.limit);
    return answer(reply, "attempts", page, ({ at, ...row }) => ({ ...row, at: isoTime(at) }));
  });

  app.get("/admin/auth-events", { schema: AUTH_EVENTS_SCHEMA }, async (request, reply) => {
    const asked = AUTH_EVENTS.read(request.query as object);
    const filter = {
      partnerId: textOf(asked, "partner"),
      reason: textOf(asked, "reason"),
      ip: textOf(asked, "ip"),
      ...spanOf(asked),
    };
    const page = await lists.authEvents(filter, asked.after, asked.limit);
    return answer(reply, "auth_events", page, ({ minute, last_at, ...row }) => ({
      ...row,
      minute: isoTime(minute),
      last_at: isoTime(last_at),
    }));
  });

  app.get("/admin/rejections", { schema: REJECTIONS_SCHEMA }, async (request, reply) => {
    const asked = REJECTIONS.read(request.query as object);
    const filter = {
      partnerId: textOf(asked, "partner"),
      externalOrderId: textOf(asked, "external_order_id"),
      status: numberOf(asked, "status"),
      ...spanOf(asked),
    };
    const page = await lists.rejections(filter, asked.after, asked.limit);
    return answer(reply, "rejections", page, ({ at, ...row }) => ({ ...row, at: isoTime(at) }));
  });
}

function answer<Row>(
  reply: FastifyReply,
  name: string,
  { rows, next }: ListPage<Row>,
  view: (row: Row) => object,
): object {
  const cursor = cursorOf(next);
  const { url, query } = reply.request;
  if (cursor !== null) void reply.header("link", nextLink(url.split("?")[0]!, query as object, cursor));
  return { [name]: rows.map(view), next: cursor };
}

function textOf({ one }: ListAsked, name: string): string | null {
  return one(name) as string | null;
}

function numberOf({ one }: ListAsked, name: string): number | null {
  return one(name) as number | null;
}

function spanOf(asked: ListAsked) {
  return { since: numberOf(asked, "since"), until: numberOf(asked, "until") };
}

const RowId = Type.Integer({ minimum: 1, examples: [871] });
const Ip = nullable(Type.String({ description: "the address it came from", examples: ["198.51.100.7"] }));

const AttemptView = Type.Object({
  leg: Type.Enum([...LEGS]),
  order_id: Id,
  job_id: Type.Integer({ minimum: 1, description: "of its leg", examples: [123] }),
  partner_id: PartnerId,
  no: AttemptNo,
  code: Type.Union([Type.Integer(), Type.Null()], {
    description: "the HTTP status, if one arrived",
    examples: [503],
  }),
  error: Failure,
  at: Time,
  duration_ms: DurationMs,
  note: Note,
});
export const AuthEventView = Type.Object({
  id: RowId,
  partner_id: Type.String({ description: "as the request named it; `*`: several", examples: ["demo"] }),
  reason: Type.Enum([...AUTH_FAILURES], { examples: ["wrong_token"] }),
  ip: Ip,
  user_agent: nullable(Type.String({ description: "as the request said it", examples: ["curl/8.14.1"] })),
  minute: Type.String({
    format: "date-time",
    description: "the minute that is counted",
    examples: ["2026-08-25T07:09:00.000Z"],
  }),
  count: Type.Integer({ minimum: 1, description: "how many there were", examples: [4] }),
  last_at: Time,
});
export const RejectionView = Type.Object({
  id: RowId,
  partner_id: Type.String({
    description: "as the request named it, empty if it didn't; `*`: several",
    examples: ["demo"],
  }),
  status: Type.Integer({ description: "what was answered", examples: [422] }),
  problem: Type.String({
    description: "the problem's name: `urn:wavegate:problem:<name>`",
    examples: ["key-reused"],
  }),
  reason: Type.String({
    description: "why, in a few words",
    examples: ["this Idempotency-Key was used with another payload"],
  }),
  external_order_id: nullable(Type.String({ description: "where it could be read", examples: ["EXT-42"] })),
  ip: Ip,
  count: Type.Integer({ description: "requests that were refused alike within moments", examples: [1] }),
  at: Type.String({ format: "date-time", description: "of the last of them" }),
});

const ATTEMPTS_SCHEMA = adminSchema({
  operationId: "findAttempts",
  summary: "Attempts of both legs across orders",
  description:
    "Failed attempts (`failed=true`, an `error`, or a `code` of 300 and more) come newest first. Where others are meant too, " +
    "the newest order comes first, with all of its attempts: a page may then hold somewhat more than `limit`.",
  querystring: ATTEMPTS.schema,
  answers: { 200: jsonResponse("A page of attempts.", pageSchema("attempts", AttemptView), Link) },
  problems: ["invalid-query"],
});

const AUTH_EVENTS_SCHEMA = adminSchema({
  operationId: "findAuthEvents",
  summary: "Requests that were turned away at the door, counted by minute",
  description:
    "Wrong or missing credentials, disabled partners, addresses that are not allowed. Kept for AUTH_EVENTS_DAYS.",
  querystring: AUTH_EVENTS.schema,
  answers: { 200: jsonResponse("A page of failures.", pageSchema("auth_events", AuthEventView), Link) },
  problems: ["invalid-query"],
});

const REJECTIONS_SCHEMA = adminSchema({
  operationId: "findRejections",
  summary: "Orders that were refused: for when a partner says that it sent one, and there is none",
  description:
    "What `POST /orders` answered with 400, 401, 403, 409, 422 or 429. Equal requests of a moment share a row, and beyond " +
    "some twenty rows of a partner (of strangers: of an address) and minute the rest is counted by problem.",
  querystring: REJECTIONS.schema,
  answers: {
    200: jsonResponse("A page of refused requests.", pageSchema("rejections", RejectionView), Link),
  },
  problems: ["invalid-query"],
});
