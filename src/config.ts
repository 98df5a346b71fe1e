import { isIPv4 } from "node:net";
import { type EnvironmentInput, readEnvironment } from "./config/environment.ts";
import type { OperatorSeed, PartnerSeed, RateLimit } from "./config/seeds.ts";
import { type Values, type Variable, type VariableName, VARIABLES } from "./config/variables.ts";
import { parseDatabaseUrl } from "./storage/target.ts";

export type { OperatorSeed, PartnerSeed } from "./config/seeds.ts";

/** What the environment says, checked and frozen: SPEC section 2. Null: not set. */
export interface Config {
  readonly dev: boolean;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** As given; holds a password. */
  readonly databaseUrl: string;
  /** PostgreSQL connections per process. */
  readonly databasePoolSize: number;
  readonly autoMigrate: boolean;
  readonly preparedStatements: boolean;
  readonly partners: readonly PartnerSeed[];
  readonly operators: readonly OperatorSeed[];
  /** The newest first; empty: not set. */
  readonly appHmacSecrets: readonly string[];
  readonly ticketing: {
    readonly url: string | null;
    readonly authorization: string | null;
    readonly onUnknown: "retry" | "hold";
    /** A module's path; checked by whoever loads it. */
    readonly mapping: string | null;
    readonly concurrency: number;
    readonly timeoutMs: number;
  };
  readonly callback: {
    readonly concurrencyPerPartner: number;
    readonly concurrencyTotal: number;
    readonly timeoutMs: number;
    readonly requireHttps: boolean;
    /** Empty: every host. */
    readonly allowedHosts: readonly string[];
    readonly allowedPorts: readonly number[] | "any";
    readonly allowedCidrs: readonly string[];
    /** Refuse a name that doesn't exist when the order comes, not only at delivery. */
    readonly refuseUnknownNames: boolean;
    /** Empty: the system's. */
    readonly dnsServers: readonly string[];
    readonly signingSecret: string | null;
  };
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly drainMs: number;
  readonly retry: { readonly offsetsMs: readonly number[]; readonly jitterMs: number };
  readonly circuit: { readonly threshold: number; readonly probeMs: number; readonly holdLimitSecs: number };
  readonly rateLimit: RateLimit;
  readonly idempotencyTtlSecs: number;
  readonly retention: {
    /** Null: finished orders are kept. */
    readonly ordersMs: number | null;
    readonly authEventsMs: number;
  };
  /** IANA. */
  readonly venueTimeZone: string;
  /** Operators' sessions in browsers. */
  readonly session: { readonly idleMs: number; readonly maxMs: number };
  readonly trustedProxies: readonly string[];
  readonly role: "all" | "api" | "worker";
  readonly logLevel: string;
  /** `GET /metrics` asks for no token. */
  readonly metricsPublic: boolean;
  /** Where traces go. */
  readonly tracesEndpoint: string | null;
  readonly tracesDisabled: boolean;
}

/** A configuration that can't be used. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(["The configuration can't be used:", ...problems].join("\n  "));
    this.problems = problems;
  }
}

export interface LoadInput extends EnvironmentInput {
  readonly dev: boolean;
}

/**
 * Reads, checks and freezes the configuration (SPEC section 2). What only some commands need
 * (`TICKETING_URL`, partners) is theirs to ask for.
 * @throws ConfigError with every problem at once, without any value
 */
export function loadConfig(input: LoadInput): Config {
  const { dev } = input;
  const problems: string[] = [];
  const faulty = new Set<string>();
  const lookUp = readEnvironment(input, (problem) => problems.push(problem));

  const readOne = ([name, variable]: [string, Variable<unknown>]) => {
    const raw =
      lookUp(name, variable.isSecret === true) ?? (dev ? variable.dev : undefined) ?? variable.fallback;
    if (raw === null) return [name, null];
    const value = variable.parse(raw, (problem, path = "") => {
      faulty.add(name);
      problems.push(`${name}${path} ${problem}`);
    });
    return [name, value];
  };
  const values = Object.fromEntries(Object.entries(VARIABLES).map(readOne)) as Values;
  const config = compose(values, dev);
  for (const { of, holds, problem } of CHECKS) {
    if (!of.some((name) => faulty.has(name)) && !holds(config)) problems.push(problem);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return deepFreeze(config);
}

function compose(values: Values, dev: boolean): Config {
  const timeoutsMs = [values.TICKETING_TIMEOUT_SECS, values.CALLBACK_TIMEOUT_SECS];
  const requireHttps = values.REQUIRE_HTTPS_CALLBACKS;
  return {
    dev,
    host: values.HOST,
    port: values.PORT,
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    autoMigrate: values.AUTO_MIGRATE,
    preparedStatements: values.PG_PREPARED,
    partners: values.PARTNERS_JSON ?? [],
    operators: values.OPERATORS_JSON ?? [],
    appHmacSecrets: values.APP_HMAC_SECRET ?? [],
    ticketing: {
      url: values.TICKETING_URL,
      authorization: values.TICKETING_AUTHORIZATION,
      onUnknown: values.TICKETING_ON_UNKNOWN,
      mapping: values.TICKETING_MAPPING,
      concurrency: values.TICKETING_CONCURRENCY,
      timeoutMs: values.TICKETING_TIMEOUT_SECS,
    },
    callback: {
      concurrencyPerPartner: values.CALLBACK_CONCURRENCY,
      concurrencyTotal: values.CALLBACK_CONCURRENCY_TOTAL,
      timeoutMs: values.CALLBACK_TIMEOUT_SECS,
      requireHttps,
      allowedHosts: values.ALLOWED_CALLBACK_HOSTS ?? [],
      allowedPorts: values.ALLOWED_CALLBACK_PORTS ?? (requireHttps ? [443] : [443, 80]),
      allowedCidrs: values.ALLOWED_CALLBACK_CIDRS ?? [],
      refuseUnknownNames: !dev,
      dnsServers: values.CALLBACK_DNS_SERVERS ?? [],
      signingSecret: values.CALLBACK_SIGNING_SECRET,
    },
    leaseMs: values.LEASE_SECS ?? Math.max(...timeoutsMs) + DEFAULT_LEASE_REST_MS,
    pollMs: values.POLL_SECS,
    drainMs: values.DRAIN_SECS,
    retry: { offsetsMs: values.RETRY_SCHEDULE_SECS, jitterMs: values.RETRY_JITTER_SECS },
    circuit: {
      threshold: values.CIRCUIT_FAILURES,
      probeMs: values.CIRCUIT_PROBE_SECS,
      holdLimitSecs: values.HOLD_LIMIT_SECS,
    },
    rateLimit: { capacity: values.RATE_LIMIT_CAPACITY, perSec: values.RATE_LIMIT_PER_SEC },
    idempotencyTtlSecs: values.IDEMP_TTL_SECS,
    retention: {
      ordersMs: values.RETENTION_DAYS === null ? null : values.RETENTION_DAYS * DAY_MS,
      authEventsMs: values.AUTH_EVENTS_DAYS * DAY_MS,
    },
    venueTimeZone: values.VENUE_TIMEZONE,
    session: { idleMs: values.SESSION_IDLE_SECS * 1000, maxMs: values.SESSION_MAX_SECS * 1000 },
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    role: values.ROLE,
    logLevel: values.LOG_LEVEL,
    metricsPublic: values.METRICS_PUBLIC,
    tracesEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    tracesDisabled: values.OTEL_SDK_DISABLED,
  };
}

const DAY_MS = 86_400_000;
const DEFAULT_LEASE_REST_MS = 5000;
/** What a lease must leave after the longest deadline, for the answer to be settled (SPEC section 5). */
const LEASE_MARGIN_MS = 1000;

/** What no variable can tell alone; left out when a variable it looks at has a problem of its own. */
const CHECKS: readonly { of: readonly VariableName[]; holds: (c: Config) => boolean; problem: string }[] = [
  {
    of: ["LEASE_SECS", "TICKETING_TIMEOUT_SECS", "CALLBACK_TIMEOUT_SECS"],
    holds: (c) => c.leaseMs > Math.max(c.ticketing.timeoutMs, c.callback.timeoutMs) + LEASE_MARGIN_MS,
    problem:
      "LEASE_SECS must be more than 1 second longer than TICKETING_TIMEOUT_SECS and CALLBACK_TIMEOUT_SECS",
  },
  {
    of: ["SESSION_IDLE_SECS", "SESSION_MAX_SECS"],
    holds: (c) => c.session.idleMs <= c.session.maxMs,
    problem: "SESSION_IDLE_SECS must not be more than SESSION_MAX_SECS",
  },
  {
    of: ["PARTNERS_JSON", "APP_HMAC_SECRET"],
    holds: (c) =>
      c.dev || c.appHmacSecrets.length > 0 || c.partners.every((each) => each.signingSecret === null),
    problem: "APP_HMAC_SECRET must be set for PARTNERS_JSON to hold a signing_secret: it is stored encrypted",
  },
  {
    of: ["HOST"],
    holds: (c) => !c.dev || isLoopback(c.host),
    problem: "HOST can't be used: --dev listens on loopback only",
  },
  {
    of: ["DATABASE_URL"],
    holds: (c) => !c.dev || !parseDatabaseUrl(c.databaseUrl).manyProcesses,
    problem: "DATABASE_URL can't be used: --dev runs on SQLite only",
  },
];

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

/** The effective configuration by variable, as one would write it, secrets masked: for `doctor`. */
export function describeConfig(config: Config): { name: string; value: string }[] {
  return Object.entries(effective(config)).map(([name, value]) => ({ name, value: shown(value) }));
}

type Shown = string | number | boolean | readonly (string | number)[] | null;

function effective(config: Config): Record<VariableName, Shown> {
  const { ticketing, callback, retry, circuit, rateLimit } = config;
  const masked = (secret: string | null) => (secret === null ? null : "***");
  return {
    HOST: config.host,
    PORT: config.port,
    DATABASE_URL: maskUrl(config.databaseUrl),
    DATABASE_POOL_SIZE: config.databasePoolSize,
    AUTO_MIGRATE: config.autoMigrate,
    PG_PREPARED: config.preparedStatements,
    PARTNERS_JSON: config.partners.map(({ id }) => id),
    OPERATORS_JSON: config.operators.map(({ name, role }) => `${name} (${role})`),
    APP_HMAC_SECRET: config.appHmacSecrets.map(() => "***"),
    TICKETING_URL: ticketing.url === null ? null : maskUrl(ticketing.url),
    TICKETING_AUTHORIZATION: masked(ticketing.authorization),
    TICKETING_ON_UNKNOWN: ticketing.onUnknown,
    TICKETING_MAPPING: ticketing.mapping,
    TICKETING_CONCURRENCY: ticketing.concurrency,
    TICKETING_TIMEOUT_SECS: ticketing.timeoutMs / 1000,
    CALLBACK_CONCURRENCY: callback.concurrencyPerPartner,
    CALLBACK_CONCURRENCY_TOTAL: callback.concurrencyTotal,
    CALLBACK_TIMEOUT_SECS: callback.timeoutMs / 1000,
    CALLBACK_DNS_SERVERS: callback.dnsServers,
    CALLBACK_SIGNING_SECRET: masked(callback.signingSecret),
    REQUIRE_HTTPS_CALLBACKS: callback.requireHttps,
    ALLOWED_CALLBACK_HOSTS: callback.allowedHosts,
    ALLOWED_CALLBACK_PORTS: callback.allowedPorts === "any" ? "*" : callback.allowedPorts,
    ALLOWED_CALLBACK_CIDRS: callback.allowedCidrs,
    LEASE_SECS: config.leaseMs / 1000,
    POLL_SECS: config.pollMs / 1000,
    DRAIN_SECS: config.drainMs / 1000,
    RETRY_SCHEDULE_SECS: retry.offsetsMs.map((offset) => offset / 1000),
    RETRY_JITTER_SECS: retry.jitterMs / 1000,
    CIRCUIT_FAILURES: circuit.threshold,
    CIRCUIT_PROBE_SECS: circuit.probeMs / 1000,
    HOLD_LIMIT_SECS: circuit.holdLimitSecs,
    RATE_LIMIT_CAPACITY: rateLimit.capacity,
    RATE_LIMIT_PER_SEC: rateLimit.perSec,
    IDEMP_TTL_SECS: config.idempotencyTtlSecs,
    RETENTION_DAYS: config.retention.ordersMs === null ? null : config.retention.ordersMs / DAY_MS,
    AUTH_EVENTS_DAYS: config.retention.authEventsMs / DAY_MS,
    SESSION_IDLE_SECS: config.session.idleMs / 1000,
    SESSION_MAX_SECS: config.session.maxMs / 1000,
    VENUE_TIMEZONE: config.venueTimeZone,
    TRUSTED_PROXIES: config.trustedProxies,
    ROLE: config.role,
    LOG_LEVEL: config.logLevel,
    METRICS_PUBLIC: config.metricsPublic,
    OTEL_EXPORTER_OTLP_ENDPOINT: config.tracesEndpoint,
    OTEL_SDK_DISABLED: config.tracesDisabled,
  };
}

function shown(value: Shown): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  return String(value ?? "") || "(not set)";
}

/**
 * Hides the password, up to the last @ as it may hold one unescaped, and the query, which can carry secrets
 * too.
 */
function maskUrl(url: string): string {
  return url.replace(/^([^:/]+:\/\/[^:/@?]*):.*@/, "$1:***@").replace(/\?.*$/, "?***");
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFreeze);
  return value;
}

/** The table of variables for `--help` and the documentation. */
export const CONFIG_VARIABLES: readonly {
  readonly name: string;
  readonly meaning: string;
  /** As one would write it, or in words; empty: none. */
  readonly default: string;
  readonly devDefault: string | null;
  /** Also read from the file that NAME_FILE names. */
  readonly isSecret: boolean;
}[] = Object.entries(VARIABLES).map(
  ([name, { meaning, fallback, shownDefault, dev, isSecret }]: [string, Variable<unknown>]) => ({
    name,
    meaning,
    default: shownDefault ?? fallback ?? "",
    devDefault: dev ?? null,
    isSecret: isSecret === true,
  }),
);
