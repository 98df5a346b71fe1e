import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Config } from "./config.ts";
import { loadMapping } from "./config/mapping-module.ts";
import { checkPartnerEntry } from "./config/partner-entry.ts";
import { createHttpServer } from "./http/server.ts";
import { systemClock } from "./lib/clock.ts";
import { isoTime } from "./lib/iso-time.ts";
import { createCredentials, type Credentials } from "./lib/credentials.ts";
import type { Log } from "./observe/log.ts";
import { createMetrics, type Metrics, type ProcessState } from "./observe/metrics.ts";
import { createMetricsText } from "./observe/metrics-text.ts";
import { observedLog } from "./observe/observed-log.ts";
import type { Overall } from "./observe/overall-metrics.ts";
import type { Traces } from "./observe/traces.ts";
import { createAddressGuard } from "./outbound/address-guard.ts";
import { plainConnector } from "./outbound/connector.ts";
import { createHttpClient, type HttpClient } from "./outbound/http-client.ts";
import { createResolver } from "./outbound/resolver.ts";
import { undici } from "./outbound/undici.ts";
import { createAccept } from "./pipeline/accept.ts";
import type { Step } from "./pipeline/attempt.ts";
import { createBulkWorker } from "./pipeline/bulk-worker.ts";
import { createCallbackStep } from "./pipeline/callback.ts";
import { createEngine, type Engine } from "./pipeline/engine.ts";
import { createPlainExchange, type Exchange } from "./pipeline/exchange.ts";
import { createHoldWatch } from "./pipeline/hold-watch.ts";
import { createHousekeeper } from "./pipeline/housekeeper.ts";
import { createMappedExchange } from "./pipeline/mapped-exchange.ts";
import { createOrderWaits } from "./pipeline/order-waits.ts";
import { createTestCallback } from "./pipeline/test-callback.ts";
import { createTicketingStep } from "./pipeline/ticketing.ts";
import { provision } from "./provision.ts";
import { prepareOrderInput } from "./orders/order-input.ts";
import { type Leg, LEGS, ORDER_STATUSES } from "./orders/states.ts";
import { ClockBehind } from "./storage/hold.ts";
import { inLine } from "./storage/in-line.ts";
import { inThread } from "./storage/in-thread.ts";
import type { Act } from "./storage/operator-record.ts";
import { openStorage, type Storage } from "./storage/open.ts";
import { migrate, schemaState } from "./storage/schema.ts";
import { parseDatabaseUrl } from "./storage/target.ts";

/** The gateway can't start as it is told to; every reason at once. */
class StartError extends Error {
  override readonly name = "StartError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

export interface Gateway {
  /** `http://host:port`, once it listens; null in a process that only works jobs. */
  readonly url: string | null;
  readonly storage: Storage;
  /** Not ready any more, no new requests, no new jobs; what is in flight is settled. Resolves when all is closed. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** The database was restored: it is held from before the gateway listens, with who and why. */
  readonly restored?: Act | undefined;
}

/** What the first order needs is loaded when the gateway has answered those who waited for it to be there. */
const PREPARE_AFTER_MS = 250;

function prepareRest(): void {
  prepareOrderInput();
  undici();
}

/** Composition root: Config -> a gateway that listens and works. @throws {@link StartError} */
export async function startGateway(config: Config, log: Log, start: StartOptions = {}): Promise<Gateway> {
  const metrics = createMetrics(ORDER_STATUSES);
  const traces = await openTraces(config, log);
  const observers = [metrics.observe, ...(traces ? [traces.observe] : [])];
  try {
    const gateway = await startObserved(config, observedLog(log, observers), metrics, start);
    traces?.watch(traceIdsOf(gateway.storage));
    const stop = async (): Promise<void> => {
      await gateway.stop();
      await traces?.close();
    };
    return { ...gateway, stop };
  } catch (error) {
    await traces?.close();
    throw error;
  }
}

/** Loaded only where there is somebody to send to. */
async function openTraces(config: Config, log: Log): Promise<Traces | null> {
  const { tracesEndpoint, tracesDisabled, databaseUrl, role } = config;
  if (tracesEndpoint === null || tracesDisabled) return null;
  const { createTraces } = await import("./observe/traces.ts");
  return createTraces({
    endpoint: tracesEndpoint,
    database: parseDatabaseUrl(databaseUrl).system,
    role,
    log,
  });
}

function traceIdsOf({ orders }: Storage) {
  const only = { partnerId: null, status: null, externalOrderId: null, limit: 1 };
  return async (id: number): Promise<string | null> => {
    const [order] = await orders.list({ ...only, before: id + 1 });
    return order?.id === id ? order.traceId : null;
  };
}

async function startObserved(
  config: Config,
  log: Log,
  metrics: Metrics,
  { restored }: StartOptions,
): Promise<Gateway> {
  const options = {
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    preparedStatements: config.preparedStatements,
    create: true,
    circuit: config.circuit,
    onTransaction: metrics.transacted,
  };
  const exchange = await prepareExchange(config, log);
  const here = openStorage(options);
  let storage = here;
  try {
    storage.database.serveAlone();
    // Begins while the rest is prepared, which doesn't wait for it.
    if (storage.database.ownThread) storage = inThread(storage, options);
    await prepare(here, config, log);
    if (restored !== undefined) await holdRestored(here, restored);
    return await startOn(storage, config, exchange, log, metrics);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** What has to be right before the gateway listens: the schema, partners, settings. @throws {@link StartError} */
async function prepare(storage: Storage, config: Config, log: Log): Promise<void> {
  await prepareSchema(storage, config, log);
  const credentials = createCredentials({ keys: config.appHmacSecrets, development: config.dev });
  const provisioning = { storage, credentials, development: config.dev, log, nowMs: systemClock.wallMs() };
  await provision(provisioning, config.partners, config.operators);
  await refuseToStart(storage, config);
}

/** @throws {@link StartError} when ids could be given out twice */
async function holdRestored({ holds }: Storage, act: Act): Promise<void> {
  try {
    await holds.placeRestored(act, null);
  } catch (error) {
    if (error instanceof ClockBehind) throw new StartError([error.message]);
    throw error;
  }
}

/** How ticketing is spoken with. @throws {@link StartError} for a mapping that can't be used */
export async function prepareExchange({ ticketing }: Config, log: Log): Promise<Exchange> {
  const options = { onUnknown: ticketing.onUnknown, clock: systemClock };
  if (ticketing.mapping === null) return createPlainExchange(options);
  try {
    const { mapping } = await loadMapping(ticketing.mapping);
    return createMappedExchange({ ...options, mapping, log });
  } catch (error) {
    throw new StartError([(error as Error).message]);
  }
}

async function startOn(
  storage: Storage,
  config: Config,
  exchange: Exchange,
  log: Log,
  metrics: Metrics,
): Promise<Gateway> {
  const clock = systemClock;
  const credentials = createCredentials({ keys: config.appHmacSecrets, development: config.dev });
  const { callback, ticketing } = config;
  const stopped = new AbortController();
  const callbacks = createCallbacks(config, credentials, stopped.signal);
  const { guard } = callbacks;
  const clients = {
    ticketing: createHttpClient({
      connections: ticketing.concurrency,
      connector: plainConnector({ timeoutMs: ticketing.timeoutMs }),
    }),
    callback: callbacks.client,
  };
  const waits = createOrderWaits({ read: storage.readStandings, log });
  const engine = createEngine({
    ...engineOptions(storage, config, callbacks.step, clients, exchange, log),
    onTicketingEnded: waits.settled,
  });
  const housekeeper = createHousekeeper({ storage, keep: config.retention, clock, log });
  const { announce } = engine;
  const bulkWorker = createBulkWorker({ storage, pollMs: config.pollMs, clock, log, onQueued: announce });
  const holdWatch = createHoldWatch({
    readHold: storage.readHold,
    pollMs: config.pollMs,
    log,
    async begin() {
      await engine.start();
      housekeeper.start();
      bulkWorker.start();
    },
    async pause() {
      await Promise.all([engine.pause(), housekeeper.stop(), bulkWorker.stop()]);
    },
  });
  const accept = createAccept({
    database: storage.database,
    intake: storage.intake,
    guard,
    policy: callback,
    clock,
    log,
    reserve: (partnerIds) => engine.workers.ticketing.reserve(partnerIds),
    onAccepted: () => engine.announce("ticketing"),
  });

  const state: ProcessState = {
    slots: () => slotsOf(engine, { ticketing: ticketing.concurrency, callback: callback.concurrencyTotal }),
    waiting: () => storage.database.waiting(),
    droppedLines: () => log.dropped?.() ?? 0,
  };
  const worksOnly = config.role === "worker";
  const accepting = worksOnly ? "no: ROLE=worker" : "yes";
  let stopping = false;
  const server = createHttpServer({
    // A look may use several connections for moments: most are left for orders.
    ...inLine(storage, Math.ceil(config.databasePoolSize / 4)),
    accept,
    waits,
    credentials,
    trustedProxies: config.trustedProxies,
    rateLimit: config.rateLimit,
    exchange,
    attemptsPerRun: config.retry.offsetsMs.length,
    venueTimeZone: config.venueTimeZone,
    sessionLimits: config.session,
    ticketingHost: config.ticketing.url === null ? null : new URL(config.ticketing.url).host,
    announce,
    checkPartner: checkPartnerEntry,
    sharedSigningSecret: callback.signingSecret,
    testCallback: createTestCallback(callbacks.step, clock),
    slots: { ticketing: ticketing.concurrency, callback: callback.concurrencyPerPartner },
    development: config.dev,
    probesOnly: worksOnly,
    metricsPublic: config.metricsPublic,
    metricsText: createMetricsText(
      () => metrics.read(state),
      () => lookOverAll(storage, config.pollMs),
    ),
    log,
    clock,
    readiness: async () => {
      const checks = {
        accepting: stopping ? "no: shutting down" : accepting,
        ...(await look(storage, config)),
      };
      return { ready: !stopping && checks.database === "reachable", checks };
    },
  });
  try {
    // Also a process that only works jobs answers for its health.
    await server.listen({ host: config.host, port: config.port });
    if (config.role !== "api") await holdWatch.start();
    setTimeout(prepareRest, PREPARE_AFTER_MS).unref();
  } catch (error) {
    await Promise.all([server.close(), stopEngine(engine, 0, clients)]);
    throw error;
  }

  return {
    url: urlOf(server.addresses()[0]),
    storage,
    async stop() {
      stopping = true;
      const stopWorking = async (): Promise<void> => {
        await holdWatch.stop();
        await Promise.all([
          stopEngine(engine, config.drainMs, clients),
          housekeeper.stop(),
          bulkWorker.stop(),
        ]);
      };
      await Promise.all([stopServing(server, config.drainMs), stopWorking()]);
      stopped.abort();
      await storage.close();
    },
  };
}

function slotsOf({ workers }: Engine, total: Readonly<Record<Leg, number>>) {
  const slots = LEGS.map((leg) => [leg, { total: total[leg], inUse: workers[leg].inFlight() }] as const);
  return Object.fromEntries(slots);
}

/** A job that has been due for longer should have been claimed, however rarely the queue is looked at. */
const PAST_DUE_MS = 10_000;
const PAST_DUE_POLLS = 3;

async function lookOverAll({ readGauges, readHold }: Storage, pollMs: number): Promise<Overall> {
  const gauges = await readGauges(Math.max(PAST_DUE_MS, PAST_DUE_POLLS * pollMs), systemClock.statementNow());
  return { ...gauges, isHeld: (await readHold()) !== null };
}

/** Callbacks' way out, for orders and for tests: through the address guard, signed. */
export function createCallbacks(config: Config, credentials: Credentials, signal: AbortSignal) {
  const { callback } = config;
  const nameServers = { signal, ...(callback.dnsServers.length > 0 ? { servers: callback.dnsServers } : {}) };
  const guard = createAddressGuard({
    policy: callback,
    resolve: createResolver(nameServers),
    resolveAtDelivery: createResolver(nameServers),
  });
  const client = createHttpClient({
    connections: callback.concurrencyTotal,
    connector: guard.connector({ timeoutMs: callback.timeoutMs }),
  });
  const step = createCallbackStep({
    client,
    policy: callback,
    signingSecret: callback.signingSecret,
    unseal: (sealed) => credentials.unseal(sealed),
    timeoutMs: callback.timeoutMs,
    clock: systemClock,
  });
  return { guard, client, step };
}

async function prepareSchema({ database }: Storage, config: Config, log: Log): Promise<void> {
  const state = await schemaState(database);
  if (state.unknown.length > 0) log.warn({ event: "schema.newer", migrations: state.unknown });
  if (state.pending.length === 0) return;
  // One process owns an embedded database; a shared one is changed when its operator says so.
  if (state.empty || config.autoMigrate || !database.manyProcesses) {
    log.info({ event: "schema.migrated", migrations: await migrate(database) });
    return;
  }
  throw new StartError([
    `the database lacks ${state.pending.join(", ")}: run \`wavegate migrate\`, or set AUTO_MIGRATE=1`,
  ]);
}

/** What only the database and the settings together can tell. */
async function refuseToStart(storage: Storage, config: Config): Promise<void> {
  const problems: string[] = [];
  if (config.ticketing.url === null)
    problems.push("TICKETING_URL is not set: where orders are ticketed has no default");
  const partners = (await storage.partners.list()).filter((partner) => config.dev || !partner.development);
  if (partners.length === 0) {
    problems.push("PARTNERS_JSON is not set and the database has no partners: nobody could send an order");
  }
  if (!storage.database.manyProcesses && config.role !== "all") {
    problems.push(`ROLE=${config.role} needs PostgreSQL: SQLite has one serving process, which does both`);
  }
  const findings = await storage.database.inspect();
  for (const { name, value, ok, advice } of findings) {
    if (!ok)
      problems.push(
        `the database runs with ${name} = ${value}: ${advice ?? "accepted orders could be lost"}`,
      );
  }
  if (problems.length > 0) throw new StartError(problems);
}

function engineOptions(
  storage: Storage,
  config: Config,
  callbackStep: Step,
  clients: { ticketing: HttpClient; callback: HttpClient },
  exchange: Exchange,
  log: Log,
) {
  const clock = systemClock;
  const { ticketing, callback } = config;
  return {
    storage,
    legs: {
      ticketing: {
        step: createTicketingStep({
          client: clients.ticketing,
          url: ticketing.url!,
          authorization: ticketing.authorization,
          onUnknown: ticketing.onUnknown,
          timeoutMs: ticketing.timeoutMs,
          clock,
          exchange,
        }),
        slots: ticketing.concurrency,
        slotsPerPartner: ticketing.concurrency,
        deadlineMs: ticketing.timeoutMs,
      },
      callback: {
        step: callbackStep,
        slots: callback.concurrencyTotal,
        slotsPerPartner: callback.concurrencyPerPartner,
        deadlineMs: callback.timeoutMs,
      },
    },
    schedule: config.retry,
    onUnknown: ticketing.onUnknown,
    leaseMs: config.leaseMs,
    pollMs: config.pollMs,
    probeMs: config.circuit.probeMs,
    holdLimitSecs: config.circuit.holdLimitSecs,
    claimedBy: `${hostname()}:${process.pid}`,
    clock,
    random: Math.random,
    log,
  };
}

/** Lets requests under way finish for `drainMs`: a client that never ends its own must not keep the process. */
async function stopServing(server: ReturnType<typeof createHttpServer>, drainMs: number): Promise<void> {
  const cutOff = setTimeout(() => server.server.closeAllConnections(), drainMs);
  await server.close();
  clearTimeout(cutOff);
}

async function stopEngine(
  engine: Engine,
  drainMs: number,
  clients: Record<string, HttpClient>,
): Promise<void> {
  const cutOff = async (): Promise<void> => {
    for (const client of Object.values(clients)) client.destroy();
  };
  await engine.stop(drainMs, cutOff);
  await cutOff();
}

/**
 * Whether the database answers, whether anything is worked, and which targets fail for everybody: those don't make the
 * gateway unready.
 */
async function look(
  { circuits, readHold }: Storage,
  { role }: Config,
): Promise<{ database: string; working: string; circuits: string }> {
  try {
    const hold = await readHold();
    const working =
      hold !== null ? `no: held since ${isoTime(hold.since)}` : role === "api" ? "no: ROLE=api" : "yes";
    const open = (await Promise.all(LEGS.map((leg) => circuits[leg].listOpen()))).flat();
    const ofPartners = open.filter(({ leg }) => leg === "callback").length;
    const told = [
      ...(open.length > ofPartners ? ["ticketing"] : []),
      ...(ofPartners > 0 ? [`callbacks of ${ofPartners} partner(s)`] : []),
    ];
    return {
      database: "reachable",
      working,
      circuits: told.length === 0 ? "closed" : `open: ${told.join(", ")}`,
    };
  } catch {
    return { database: "unreachable", working: "unknown", circuits: "unknown" };
  }
}

function urlOf(address: AddressInfo | string | undefined): string | null {
  if (typeof address !== "object") return null;
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
