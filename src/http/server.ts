import { METHODS } from "node:http";
import Fastify, { type FastifyInstance, type FastifyServerOptions, type HTTPMethods } from "fastify";
import type { Clock } from "../lib/clock.ts";
import type { Credentials } from "../lib/credentials.ts";
import type { Log } from "../observe/log.ts";
import type { OrderWaits } from "../pipeline/order-waits.ts";
import type { AuthEvents } from "../storage/auth-events.ts";
import type { Rejections } from "../storage/rejections.ts";
import type { OrderQueries } from "../storage/order-queries.ts";
import { type AuthenticationOptions, createAuthentication } from "./authenticate.ts";
import { tellAnswered, tellRefused } from "./answered.ts";
import { createAuthFailures } from "./auth-failures.ts";
import { takeBacklog } from "./backlog.ts";
import { createConnectionErrors } from "./client-error.ts";
import { isDirectAndLocal } from "./development-guard.ts";
import { describeRoutes } from "./description.ts";
import { createErrorHandler } from "./error-handler.ts";
import { SECURITY_HEADERS } from "./headers.ts";
import { addJsonParser, BODY_LIMIT_BYTES } from "./json-body.ts";
import { SHARED_SCHEMAS } from "./openapi.ts";
import { limitPipelining } from "./pipelining.ts";
import { Problem } from "./problem-reply.ts";
import { createRejectedRequests, type RejectedRequests } from "./rejected-requests.ts";
import { createRateLimit, type RateLimitOptions } from "./rate-limit.ts";
import { findMalformation } from "./request-form.ts";
import { addAdminRoutes, type AdminRoutesOptions } from "./routes/admin.ts";
import { addConsoleRoutes, type ConsoleRoutesOptions } from "./routes/console.ts";
import { addDocsRoute } from "./routes/docs.ts";
import { addHealthRoutes, type Readiness } from "./routes/health.ts";
import { addMetricsRoute, type MetricsRouteOptions } from "./routes/metrics.ts";
import { addOpenApiRoute } from "./routes/openapi.ts";
import { addOrderRoutes, type OrderRoutesOptions } from "./routes/orders.ts";

export interface HttpServerOptions
  extends
    Omit<AuthenticationOptions, "failures" | "partners" | "credentials">,
    Omit<AdminRoutesOptions, "authenticate">,
    Pick<RateLimitOptions, "database" | "rateBuckets">,
    Pick<MetricsRouteOptions, "metricsPublic" | "metricsText">,
    Pick<OrderRoutesOptions, "accept" | "orders" | "readEvents">,
    ConsoleRoutesOptions {
  readonly orders: OrderQueries;
  readonly authEvents: Pick<AuthEvents, "write">;
  readonly rejections: Pick<Rejections, "write">;
  readonly waits: Pick<OrderWaits, "standing" | "close">;
  readonly credentials: Credentials;
  /** For partners without a limit of their own. */
  readonly rateLimit: RateLimitOptions["defaults"];
  /** True: nothing is served but /health, /ready and /metrics. */
  readonly probesOnly?: boolean;
  readonly log: Log;
  readonly clock: Clock;
  readiness(): Promise<Readiness>;
  readonly timeouts?: HttpTimeouts;
}

/** How long a client may take. */
interface HttpTimeouts {
  readonly headersMs: number;
  /** From the first byte to the last of the body. */
  readonly requestMs: number;
  /** Between two requests; longer than the minute after which usual proxies give a connection up. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction: a client that doesn't read its answer. */
  readonly idleMs: number;
}

const TIMEOUTS: HttpTimeouts = { headersMs: 10_000, requestMs: 30_000, keepAliveMs: 65_000, idleMs: 90_000 };
const MAX_CONNECTIONS = 10_000;
const MAX_HEADER_BYTES = 16 * 1024;
/**
 * Schemas describe; bodies and queries are checked by hand, so that nothing is coerced and no field dropped. Given here, so
 * that Fastify doesn't load its own compilers.
 */
const COMPILERS = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => (data: unknown) => JSON.stringify(data),
  // Their types are those of Fastify's own compilers.
} as unknown as NonNullable<NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]>;
/** As long as a partner's id may be, and longer than any order's. */
const MAX_PARAM_CHARS = 64;

/**
 * The partner API (SPEC section 3), not yet listening. `close()` lets requests under way finish, refuses those that still
 * arrive with 503, and writes what is left of the auth failures; the storage stays open.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { log, development, timeouts = TIMEOUTS } = options;
  const answerError = createErrorHandler(log);
  const refused = tellRefused(log);
  const connectionErrors = createConnectionErrors(refused);
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionTimeout: timeouts.idleMs,
    http: {
      headersTimeout: timeouts.headersMs,
      // Node looks for slow requests only this often, 30 s by default.
      connectionsCheckingInterval: Math.min(1000, timeouts.headersMs),
      maxHeaderSize: MAX_HEADER_BYTES,
      // Node would refuse without a word.
      requireHostHeader: false,
    },
    schemaController: { compilersFactory: COMPILERS },
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    // We refuse ourselves, in our own words.
    return503OnClosing: false,
    clientErrorHandler: connectionErrors.answer,
    frameworkErrors: (error, request, reply) => {
      void reply.headers(SECURITY_HEADERS);
      answerError(error, request, reply);
      refused(reply.statusCode);
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  limitPipelining(app.server);
  app.server.on("connect", connectionErrors.refuseTunnel);
  // Node would answer what it can't expect itself, without a word: it is refused with the other malformed requests.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response));
  app.setErrorHandler(answerError);
  addJsonParser(app);
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema);

  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
    options.waits.close();
    await takeBacklog(app.server);
  });
  // First: its clock starts before anything is refused.
  tellAnswered(app, log);
  app.addHook("onRequest", (request, reply, done) => {
    // Nobody is there any more to whom an answer could be given.
    if (request.raw.socket.destroyed) return void reply.hijack();
    void reply.headers(SECURITY_HEADERS);
    const malformation = findMalformation(request);
    if (closing) done(new Problem("unavailable", { headers: { "retry-after": "1" } }));
    else if (development && !isDirectAndLocal(request)) done(new Problem("development-only"));
    else if (malformation !== null)
      done(new Problem("bad-request", { hint: malformation, headers: { connection: "close" } }));
    else if (request.is404) done(new Problem("not-found"));
    else done();
  });

  app.addHook("onSend", (_request, reply, _payload, done) => {
    // A connection kept alive would hold up the end of the process.
    if (closing) void reply.header("connection", "close");
    done();
  });

  const failures = createAuthFailures(options);
  app.addHook("onClose", () => failures.close());
  void app.register(async (routes) => {
    const methodsOf = collectMethods(routes);
    const authenticate = createAuthentication({ ...options, failures });
    if (!options.probesOnly) {
      const describe = describeRoutes(routes);
      recordRejections(routes, createRejectedRequests({ ...options, addressOf: authenticate.addressOf }));
      addOrderRoutes(routes, {
        accept: options.accept,
        orders: options.orders,
        readEvents: options.readEvents,
        waits: options.waits,
        authenticate,
        spend: createRateLimit({
          database: options.database,
          rateBuckets: options.rateBuckets,
          defaults: options.rateLimit,
          clock: options.clock,
        }),
      });
      addAdminRoutes(routes, { ...options, authenticate });
      addOpenApiRoute(routes, describe);
      addDocsRoute(routes, describe);
      addConsoleRoutes(routes, options);
    }
    addHealthRoutes(routes, () => options.readiness());
    addMetricsRoute(routes, { ...options, authenticate });
    await routes.after();
    refuseOtherMethods(routes, methodsOf);
  });
  return app;
}

/** Keeps what `POST /orders` refuses. */
function recordRejections(app: FastifyInstance, rejected: RejectedRequests): void {
  app.addHook("onError", (request, _reply, error, done) => {
    const isOrder = request.method === "POST" && request.routeOptions.url === "/orders";
    if (isOrder && error instanceof Problem) rejected.record(request, error);
    done();
  });
  app.addHook("onClose", () => rejected.close());
}

function collectMethods(app: FastifyInstance): Map<string, Set<string>> {
  const methodsOf = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    methodsOf.set(url, (methodsOf.get(url) ?? new Set()).union(new Set([method].flat())));
  });
  return methodsOf;
}

/** Known paths answer 405 to every other method, before anything of the request is looked at. */
function refuseOtherMethods(app: FastifyInstance, methodsOf: ReadonlyMap<string, ReadonlySet<string>>): void {
  // Fastify takes a method that it has no routes for to be a path that isn't there.
  for (const name of METHODS) if (!app.supportedMethods.includes(name)) app.addHttpMethod(name);
  for (const [url, methods] of methodsOf) {
    const allow = [...methods].sort().join(", ");
    const method = app.supportedMethods.filter((name) => !methods.has(name)) as HTTPMethods[];
    const refuse = () => {
      throw new Problem("method-not-allowed", { hint: `allowed are ${allow}`, headers: { allow } });
    };
    app.route({ method, url, schema: { hide: true }, onRequest: async () => refuse(), handler: refuse });
  }
}
