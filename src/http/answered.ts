import type { FastifyInstance } from "fastify";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";

/** What stands for a path that isn't there: what strangers ask for must not become names. */
export const NO_ROUTE = "unknown";
/** The client had gone before its answer was written. */
const CLIENT_GONE = 499;

/** Tells of every request when it has been answered. */
export function tellAnswered(app: FastifyInstance, log: Log): void {
  app.addHook("onResponse", (request, reply, done) => {
    const event: WorkEvent = {
      event: "http.answered",
      method: request.method,
      route: request.routeOptions.url ?? NO_ROUTE,
      status: reply.raw.writableFinished ? reply.statusCode : CLIENT_GONE,
      duration_ms: tenths(reply.elapsedTime),
    };
    log.debug(event);
    done();
  });
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
