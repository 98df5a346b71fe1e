import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { always, jsonResponse, problemResponses, RetryAfter } from "../openapi.ts";

export interface Readiness {
  readonly ready: boolean;
  /** What was looked at, each with a word on how it is. */
  readonly checks: Readonly<Record<string, string>>;
}

const Health = Type.Object({ status: Type.Literal("ok") });
const Ready = Type.Object({
  status: Type.Enum(["ready", "not_ready"]),
  checks: Type.Record(Type.String(), Type.String(), {
    examples: [{ accepting: "yes", database: "reachable", circuits: "closed" }],
  }),
});

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
        response: {
          200: jsonResponse("It can.", Ready),
          ...problemResponses(),
          503: jsonResponse("It can't.", Ready, { "Retry-After": always(RetryAfter) }),
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
