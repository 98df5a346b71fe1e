import * as read from "./parsers.ts";
import { operators, partners } from "./seeds.ts";

export interface Variable<T> {
  readonly meaning: string;
  readonly parse: read.Parse<T>;
  /** As one would write it; null: none, or one that depends on others, which `shownDefault` puts in words. */
  readonly fallback: string | null;
  readonly shownDefault?: string;
  /** The default under `--dev`. */
  readonly dev?: string;
  /** May come from the file that NAME_FILE names, and is never shown. */
  readonly isSecret?: boolean;
}

type More = Pick<Variable<unknown>, "shownDefault" | "dev" | "isSecret">;

/** A variable without a default is null when it is not set. */
function variable<T>(fallback: string, parse: read.Parse<T>, meaning: string, more?: More): Variable<T>;
function variable<T>(fallback: null, parse: read.Parse<T>, meaning: string, more?: More): Variable<T | null>;
function variable<T>(fallback: string | null, parse: read.Parse<T>, meaning: string, more: More = {}) {
  return { fallback, parse, meaning, ...more };
}

const isSecret = true;
const deadline = read.seconds(0.01, 600);
const slots = read.wholeNumber(1, 10_000);
const cidrs = read.listOf(read.cidr);

/**
 * Every variable there is (SPEC section 2). Reading, `doctor` and the documentation all follow from this
 * table.
 */
export const VARIABLES = {
  HOST: variable("127.0.0.1", read.listenHost, "address to listen on"),
  PORT: variable("8080", read.wholeNumber(0, 65_535), "port to listen on; 0: any free one"),
  DATABASE_URL: variable(
    "sqlite:///./gateway.db",
    read.databaseUrl,
    "sqlite:///<path> (four slashes: absolute), sqlite::memory:, postgres://, postgresql://, postgresql+psycopg2://",
    { isSecret },
  ),
  DATABASE_POOL_SIZE: variable("10", read.wholeNumber(1, 1000), "PostgreSQL connections per process"),
  AUTO_MIGRATE: variable("0", read.flag, "let serve bring an older PostgreSQL schema up to date"),
  PG_PREPARED: variable("1", read.flag, "prepared statements; 0 for poolers that can't keep them"),
  PARTNERS_JSON: variable(
    null,
    partners,
    "partners to create where missing: [{id, name, token, allowlist_cidrs?, rate_limit?: {capacity, per_sec}, " +
      "signing_secret?, callback_hosts?, reject_repeats?}]",
    {
      isSecret,
      dev: '[{"id":"demo","name":"Demo Partner","token":"demotoken","allowlist_cidrs":["0.0.0.0/0","::/0"]}]',
    },
  ),
  OPERATORS_JSON: variable(
    null,
    operators,
    'operators to create where missing: [{name, token, role: "viewer" | "operator"}]',
    { isSecret },
  ),
  APP_HMAC_SECRET: variable(
    null,
    read.keyring,
    "key of the stored token digests and of the signing secrets at rest; several, one a line, newest first: the " +
      "newest makes them, any reads them",
    { isSecret },
  ),
  TICKETING_URL: variable(null, read.httpUrl, "the ticketing system's endpoint"),
  TICKETING_AUTHORIZATION: variable(
    null,
    read.headerValue,
    "value of the Authorization header sent to ticketing",
    { isSecret },
  ),
  TICKETING_ON_UNKNOWN: variable(
    "retry",
    read.oneOf("retry", "hold"),
    "after an attempt whose outcome is unknown: retry, or hold for an operator's decision",
  ),
  TICKETING_MAPPING: variable(
    null,
    read.filePath,
    "a TypeScript or JavaScript module that maps orders and answers for the ticketing system (docs/mapping.md); a path, " +
      "relative to the working directory",
    { shownDefault: "orders go as they came" },
  ),
  TICKETING_CONCURRENCY: variable("10", slots, "ticketing attempts in flight per process"),
  TICKETING_TIMEOUT_SECS: variable("10", deadline, "one deadline over DNS, connect, headers and body"),
  CALLBACK_CONCURRENCY: variable("5", slots, "callbacks in flight per partner and process"),
  CALLBACK_CONCURRENCY_TOTAL: variable("256", slots, "callbacks in flight per process"),
  CALLBACK_TIMEOUT_SECS: variable("10", deadline, "one deadline over DNS, connect, headers and body"),
  CALLBACK_DNS_SERVERS: variable(
    null,
    read.listOf(read.nameServer, 10),
    "name servers for callback hosts, each address[:port]",
    { shownDefault: "the system's" },
  ),
  CALLBACK_SIGNING_SECRET: variable(
    null,
    read.signingSecret(1),
    "signs callbacks of partners without a secret of their own; text, or whsec_<base64>",
    { isSecret, dev: "wavegate-development-signing-secret" },
  ),
  REQUIRE_HTTPS_CALLBACKS: variable("1", read.flag, "callbacks over https only", { dev: "0" }),
  ALLOWED_CALLBACK_HOSTS: variable(
    null,
    read.listOf(read.hostPattern),
    "the only callback hosts: exact names, *.x for the subdomains of x",
    { shownDefault: "every public host" },
  ),
  ALLOWED_CALLBACK_PORTS: variable(null, read.ports, "callback ports; *: any", {
    shownDefault: "443 (80 too when https is not required)",
    dev: "*",
  }),
  ALLOWED_CALLBACK_CIDRS: variable(null, cidrs, "non-public ranges that callbacks may reach all the same", {
    dev: "127.0.0.0/8,::1/128",
  }),
  LEASE_SECS: variable(null, read.seconds(1, 3600), "lease of a claim", {
    shownDefault: "the longer deadline + 5",
  }),
  POLL_SECS: variable("1", read.seconds(0.01, 60), "pause between two looks for due jobs"),
  DRAIN_SECS: variable("10", read.seconds(0, 3600), "how long a graceful stop waits for running attempts"),
  RETRY_SCHEDULE_SECS: variable(
    "0,2,6,12,20,30,45,65,90,120,155,195,235,270,300",
    read.schedule,
    "offsets of a run's attempts from its first; 1 to 100, non-decreasing",
  ),
  RETRY_JITTER_SECS: variable("1", read.seconds(0, 3600), "additive jitter, uniform from 0 up to this"),
  CIRCUIT_FAILURES: variable(
    "20",
    read.wholeNumber(0, 10_000),
    "distinct orders failing in a row, none succeeding between, that open a target's circuit; 0: never",
  ),
  CIRCUIT_PROBE_SECS: variable(
    "5",
    read.seconds(0.1, 3600),
    "pace at which an open circuit probes its target",
  ),
  HOLD_LIMIT_SECS: variable(
    "3600",
    read.wholeNumber(1, 31_536_000),
    "how long an open circuit may hold an order",
  ),
  RATE_LIMIT_CAPACITY: variable(
    "5",
    read.wholeNumber(1, 1_000_000),
    "token bucket of partners without their own",
  ),
  RATE_LIMIT_PER_SEC: variable("1", read.decimalNumber(0.000001, 1_000_000), "tokens per second into it"),
  IDEMP_TTL_SECS: variable(
    "86400",
    read.wholeNumber(1, 315_360_000),
    "informational: how long idempotency keys are promised to live; they live as long as their orders",
  ),
  RETENTION_DAYS: variable(
    null,
    read.wholeNumber(1, 36_500),
    "days after which the engine deletes a finished order with all that belongs to it",
    { shownDefault: "never" },
  ),
  AUTH_EVENTS_DAYS: variable(
    "90",
    read.wholeNumber(1, 36_500),
    "days for which the record of requests that were turned away is kept",
  ),
  SESSION_IDLE_SECS: variable(
    "1800",
    read.wholeNumber(10, 86_400),
    "seconds without doing anything after which an operator's browser has to sign in again",
  ),
  SESSION_MAX_SECS: variable(
    "43200",
    read.wholeNumber(10, 604_800),
    "seconds after which it has to in any case",
  ),
  VENUE_TIMEZONE: variable(
    "UTC",
    read.timeZone,
    "the attraction's IANA time zone, as Asia/Bangkok: which day is today for its visitors",
  ),
  TRUSTED_PROXIES: variable(null, cidrs, "CIDRs whose X-Forwarded-For is believed", {
    shownDefault: "nobody",
  }),
  ROLE: variable("all", read.oneOf("all", "api", "worker"), "what this process does: all, api or worker"),
  LOG_LEVEL: variable(
    "info",
    read.oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    "least level that is logged: trace, debug, info, warn, error, fatal or silent",
  ),
  METRICS_PUBLIC: variable("0", read.flag, "GET /metrics asks for no operator's token", { dev: "1" }),
  OTEL_EXPORTER_OTLP_ENDPOINT: variable(
    null,
    read.otlpEndpoint,
    "where traces go, by OTLP over HTTP (docs/observability.md), as http://127.0.0.1:4318",
    { shownDefault: "no traces" },
  ),
  OTEL_SDK_DISABLED: variable("0", read.flag, "no traces, wherever they would go"),
} satisfies Record<string, Variable<unknown>>;

export type VariableName = keyof typeof VARIABLES;
export type Values = { [K in VariableName]: (typeof VARIABLES)[K] extends Variable<infer T> ? T : never };
