import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { readTraceparent } from "../lib/trace-context.ts";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import { EVENT_STREAM } from "./headers.ts";

/** What stands for a path that isn't there, and for a method that a path hasn't: what strangers ask for must not become names. */
const NO_ROUTE = "unknown";
/** The client had gone before its answer was written. */
const CLIENT_GONE = 499;
const TRACE_HEADER = "x-trace-id";
const REPLAYED_HEADER = "idempotent-replayed";
/** The four fields. What a later version may say behind them is anything, and nobody reads it. */
const TRACEPARENT_CHARS = 55;

/** Tells of every request when it has been answered. */
export function tellAnswered(app: FastifyInstance, log: Log): void {
  // Not reply.elapsedTime: where nothing listens onResponse, Fastify takes no time, and says 0.
  const startedAt = new WeakMap<FastifyRequest, number>();
  app.addHook("onRequest", (request, _reply, done) => {
    startedAt.set(request, performance.now());
    done();
  });
  const tell = (request: FastifyRequest, reply: FastifyReply, status = statusOf(reply)): void => {
    const begunAt = startedAt.get(request);
    // An answer that can't be sent has another sent in its place.
    if (begunAt === undefined) return;
    startedAt.delete(request);
    const { url: route = NO_ROUTE, schema } = request.routeOptions;
    // Hidden: the routes that refuse every other method.
    const isThere = route !== NO_ROUTE && schema?.hide !== true;
    const event: WorkEvent = {
      event: "http.answered",
      method: isThere ? request.method : NO_ROUTE,
      route,
      status,
      duration_ms: tenths(performance.now() - begunAt),
      ...ofOrder(request, reply),
    };
    log.debug(event);
  };
  // Not onResponse: of an answer whose client has gone meanwhile Fastify says nothing.
  app.addHook("onSend", (request, reply, _payload, done) => {
    // How long somebody listens is no request's duration.
    if (isStream(reply)) tell(request, reply, reply.statusCode);
    else if (reply.raw.closed) tell(request, reply);
    else reply.raw.once("close", () => tell(request, reply));
    done();
  });
}

function statusOf({ raw, statusCode }: FastifyReply): number {
  return raw.writableFinished ? statusCode : CLIENT_GONE;
}

function isStream(reply: FastifyReply): boolean {
  return String(reply.getHeader("content-type")).startsWith(EVENT_STREAM);
}

/** What an order's trace is to know of the request that brought it. */
function ofOrder({ headers }: FastifyRequest, reply: FastifyReply) {
  const trace = reply.getHeader(TRACE_HEADER);
  if (typeof trace !== "string") return {};
  const { traceparent } = headers;
  const isKnown = typeof traceparent === "string" && readTraceparent(traceparent) !== null;
  return {
    trace_id: trace,
    ...(reply.hasHeader(REPLAYED_HEADER) ? { replayed: true } : {}),
    ...(isKnown ? { traceparent: traceparent.slice(0, TRACEPARENT_CHARS) } : {}),
  };
}

/** Tells of an answer to what never became a request. */
export function tellRefused(log: Log): (status: number) => void {
  return (status) => {
    const event: WorkEvent = {
      event: "http.answered",
      method: NO_ROUTE,
      route: NO_ROUTE,
      status,
      duration_ms: 0,
    };
    log.debug(event);
  };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
