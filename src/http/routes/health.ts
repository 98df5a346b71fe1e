import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { always, jsonResponse, problemContent, problemResponses, RetryAfter } from "../openapi.ts";

export interface Readiness {
  readonly ready: boolean;
  /** What was looked at, each with a word on how it is. */
  readonly checks: Readonly<Record<string, string>>;
}

const Health = Type.Object({ status: Type.Literal("ok") });
const Ready = Type.Object({
  status: Type.Enum(["ready", "not_ready"]),
  checks: Type.Record(Type.String(), Type.String(), {
    description: "what was looked at, each with a word on how it is",
    examples: [{ accepting: "yes", database: "reachable", working: "yes", circuits: "closed" }],
  }),
});
const NOT_READY = { status: "not_ready", checks: { accepting: "yes", database: "unreachable" } };

/** Probes that may wait for a look: where the database hangs, strangers could otherwise heap them up. */
const MAX_WAITING = 1000;
const TOO_MANY: Readiness = { ready: false, checks: { probes: "too many are waiting for an answer" } };

/** For probes: no credentials, and liveness asks nothing of the database. */
export function addHealthRoutes(app: FastifyInstance, readiness: () => Promise<Readiness>): void {
  // Probes that come together share one look, so that strangers can't make the database busy.
  let looking: Promise<Readiness> | null = null;
  let waiting = 0;
  async function look(): Promise<Readiness> {
    if (waiting >= MAX_WAITING) return TOO_MANY;
    looking ??= readiness().finally(() => {
      looking = null;
      waiting = 0;
    });
    waiting += 1;
    return looking;
  }

  app.get(
    "/health",
    {
      schema: {
        operationId: "getHealth",
        tags: ["service"],
        summary: "The process is alive",
        description: "Asks nothing of the database: for a probe that restarts what answers no more.",
        response: { 200: jsonResponse("It is.", Health), ...problemResponses() },
      },
    },
    async () => ({ status: "ok" }),
  );

  app.get(
    "/ready",
    {
      schema: {
        operationId: "getReady",
        tags: ["service"],
        summary: "The process can take orders",
        description: "Looks at the database: for a load balancer, which passes over what is not ready.",
        response: {
          200: jsonResponse("It can.", Ready),
          ...problemResponses(),
          503: {
            description: "It can't, or the process is ending.",
            headers: { "Retry-After": always(RetryAfter) },
            content: {
              "application/json": { schema: Ready, example: NOT_READY },
              ...problemContent(["unavailable"]),
            },
          },
        },
      },
    },
    async (_request, reply) => {
      const { ready, checks } = await look();
      if (!ready) void reply.header("retry-after", "1");
      return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not_ready", checks });
    },
  );
}
