import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { METRICS_TYPE } from "../../observe/metrics-text.ts";
import type { Authentication } from "../authenticate.ts";
import { OPERATOR_SECURITY, problemResponses } from "../openapi.ts";
import { Problem } from "../problem-reply.ts";

export interface MetricsRouteOptions {
  readonly authenticate: Pick<Authentication, "operator">;
  /** `/metrics` asks for no token. */
  readonly metricsPublic: boolean;
  /** In Prometheus' text format; resolves within a few seconds also when the database is away. */
  metricsText(): Promise<string>;
}

/** A token that is known may wait so long for the database to say so once more. */
const KNOWN_TOKEN_MS = 500;
const MAX_KNOWN = 16;

/** `GET /metrics`: for Prometheus, in every process, whatever its role. */
export function addMetricsRoute(app: FastifyInstance, options: MetricsRouteOptions): void {
  const { authenticate, metricsPublic, metricsText } = options;
  const admit = metricsPublic ? async () => {} : createAdmission(authenticate);

  app.get(
    "/metrics",
    { schema: metricsPublic ? PUBLIC : SCHEMA, onRequest: admit },
    async (_request, reply) => reply.type(METRICS_TYPE).send(await metricsText()),
  );
}

/**
 * An operator of any role. Metrics matter most when the database is away, and then nobody can be asked whose a token is: one that
 * it has known before is let in as long as it says nothing. It opens nothing but numbers.
 */
function createAdmission({
  operator,
}: Pick<Authentication, "operator">): (request: FastifyRequest) => Promise<void> {
  const known = new Set<string>();

  async function ask(request: FastifyRequest, digest: string): Promise<void> {
    try {
      await operator(request, "viewer");
    } catch (error) {
      if (error instanceof Problem) known.delete(digest);
      throw error;
    }
    if (known.size >= MAX_KNOWN) known.clear();
    known.add(digest);
  }

  return async (request) => {
    const { authorization = "" } = request.headers;
    const digest = createHash("sha256").update(authorization).digest("hex");
    const asked = ask(request, digest);
    if (!known.has(digest)) return asked;
    const { promise: timeout, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, KNOWN_TOKEN_MS);
    try {
      await Promise.race([asked, timeout]);
    } catch (error) {
      if (error instanceof Problem) throw error;
    } finally {
      clearTimeout(timer);
      asked.catch(() => {});
    }
  };
}

const Text = Type.String({
  description: "Prometheus' text format, version 0.0.4. docs/observability.md tells what each metric means.",
  examples: ["# HELP wavegate_orders_accepted_total Orders accepted.\n"],
});

const PUBLIC = {
  operationId: "getMetrics",
  tags: ["service"],
  summary: "Metrics for Prometheus",
  description:
    "Of this process, or of all that share its port; and of all over the database. When that is away, the process' own still " +
    "come, and `wavegate_database_up` is 0.",
  response: {
    200: { description: "The metrics.", content: { "text/plain": { schema: Text } } },
    ...problemResponses(),
  },
};
const SCHEMA = {
  ...PUBLIC,
  security: [OPERATOR_SECURITY],
  response: { ...PUBLIC.response, ...problemResponses("invalid-partner") },
};
