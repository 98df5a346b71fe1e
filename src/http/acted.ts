import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import type { Operator } from "../storage/operators.ts";
import { OPERATOR } from "./operator-of.ts";

/** Tells of every act of an operator that was done: who, what, and upon what. Why is on record beside what was done. */
export function tellActed(admin: FastifyInstance, log: Log): void {
  admin.addHook("onResponse", (request, reply, done) => {
    const operator = request.getDecorator<Operator | null>(OPERATOR);
    const isRead = request.method === "GET" || request.method === "HEAD";
    const isDone = reply.statusCode < 300 && !reply.hasHeader("idempotent-replayed");
    if (operator !== null && !isRead && isDone) log.info(actedEvent(operator, request, reply));
    done();
  });
}

function actedEvent(operator: Operator, request: FastifyRequest, reply: FastifyReply): WorkEvent {
  const route = request.routeOptions.url ?? "";
  return {
    event: "operator.acted",
    operator: operator.name,
    action: `${request.method} ${route}`,
    status: reply.statusCode,
    duration_ms: Math.round(reply.elapsedTime),
    ...subjectOf(route, request.params as { readonly id?: string }, reply),
  };
}

function subjectOf(route: string, { id }: { readonly id?: string }, reply: FastifyReply) {
  const made = reply.getHeader("location");
  if (route.startsWith("/admin/orders/") && id !== undefined) return { order_id: Number(id) };
  if (route.startsWith("/admin/partners/") && id !== undefined) return { partner_id: id };
  if (route.startsWith("/admin/bulk/") && id !== undefined) return { bulk_id: Number(id) };
  if (route === "/admin/bulk" && typeof made === "string") return { bulk_id: Number(made.split("/").at(-1)) };
  return {};
}
