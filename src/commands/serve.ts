import cluster from "node:cluster";
import { type Command, InvalidArgumentError } from "commander";
import { type Config, CONFIG_VARIABLES } from "../config.ts";
import { type Gateway, startGateway, type StartOptions } from "../gateway.ts";
import { createLog, type Log, type OpenLog } from "../observe/log.ts";
import { parseDatabaseUrl } from "../storage/target.ts";
import { configHere, placeOf, readSchema, withAnySchema } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { outliveReader, toJson } from "./cli/output.ts";
import { askedToStop } from "./cli/signals.ts";
import { userOfShell } from "./cli/user.ts";
import type { Development } from "./development.ts";

interface Options {
  readonly dev?: boolean;
  readonly held?: boolean;
  readonly workers: number;
  readonly json?: boolean;
}

const MAX_WORKERS = 64;
const HELD = "serve --held: a restored database is reconciled before anything is worked";

export function define(command: Command): void {
  command
    .description(
      "Run the gateway. Logs are JSON lines on stdout (readable ones on a terminal); SIGTERM or Ctrl-C lets what is in " +
        "flight finish, a second one ends it at once.",
    )
    .option(
      "--dev",
      "a demo partner, sandbox ticketing, reads without credentials: on loopback and SQLite only",
    )
    .option(
      "--held",
      "the database was restored: accept and show, but work nothing until `release`; also moves all ids on (see `hold`)",
    )
    .option("--workers <n>", "processes that share the work; more than 1 needs PostgreSQL", asWorkers, 1)
    .option("--json", "errors, and what --dev tells, as JSON on stderr; logs are JSON anyway off a terminal")
    .action(serve);
  withExamples(
    command,
    [
      ["serve --dev", "Try it on this machine, without any setting"],
      ["serve", "Run it as configured"],
      ["serve --workers 4", "Run it on several cores"],
      ["serve --held", "Run it on a restored database: accept and show, work nothing until `release`"],
    ],
    `Environment variables (also in .env; * also from the file that NAME_FILE names):\n${variables()}`,
  );
}

function variables(): string {
  return CONFIG_VARIABLES.map(({ name, meaning, default: fallback, isSecret }) => {
    const shown = fallback === "" ? "" : ` [${fallback}]`;
    return `  ${name}${isSecret ? "*" : ""}${shown}\n      ${meaning}`;
  }).join("\n");
}

async function serve({ dev = false, held = false, workers, json = false }: Options): Promise<void> {
  const config = configHere(dev);
  if (held && workers > 1) {
    // A worker that is started anew would hold them all again.
    throw new Failure("usage", "--held goes with one process", {
      advice: `run \`${invocation()} hold --restored\` first, then \`serve --workers ${workers}\``,
    });
  }
  if (workers > 1 && cluster.isPrimary) {
    refuseWorkers(config);
    const { superviseWorkers } = await import("./workers.ts");
    return superviseWorkers(workers, config);
  }
  const log = createLog({ level: config.logLevel });
  try {
    await serveUntilAsked(config, log, { held, json });
  } finally {
    // A reader of the log that has stopped must not keep the process: only a signal ends it then.
    if (!(await log.close())) process.kill(process.pid, "SIGKILL");
  }
}

function refuseWorkers({ databaseUrl }: Config): void {
  if (parseDatabaseUrl(databaseUrl).manyProcesses) return;
  throw new Failure("usage", "--workers over 1 needs PostgreSQL: SQLite has one serving process", {
    advice: "leave --workers out, or set DATABASE_URL to a PostgreSQL database",
  });
}

async function serveUntilAsked(
  config: Config,
  log: OpenLog,
  { held, json }: { readonly held: boolean; readonly json: boolean },
): Promise<void> {
  // From the beginning: also a start can be called off.
  const asked = askedToStop();
  outliveReader();
  const development = config.dev ? await startSandboxes(config, log) : null;
  try {
    const restored = held ? { actor: userOfShell(), reason: HELD } : undefined;
    const gateway = await start(development?.config ?? config, log, { restored });
    log.info({
      event: "gateway.started",
      url: gateway.url,
      database: placeOf(config.databaseUrl),
      role: config.role,
      ...(config.role === "worker" ? {} : { console: `${gateway.url}/console/` }),
    });
    if (development)
      process.stderr.write(await (json ? facts(gateway, development) : welcome(gateway, development)));
    if (cluster.isWorker) process.send?.("started");
    log.info({ event: "gateway.stopping", signal: await Promise.race([asked, orphaned()]) });
    await gateway.stop();
    log.info({ event: "gateway.stopped" });
  } finally {
    await development?.close();
    // The supervisor's line must not keep a worker that has nothing left to do.
    process.channel?.unref();
  }
}

/** Starts a gateway, and says in the user's words what keeps it from starting. */
export async function start(config: Config, log: Log, options: StartOptions = {}): Promise<Gateway> {
  const { databaseUrl, host, port } = config;
  await withAnySchema(config, { create: true }, ({ database }) => readSchema(database, databaseUrl));
  try {
    return await startGateway(config, log, options);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!LISTEN_ERRORS.has(code)) throw error;
    throw new Failure("failed", `can't listen on ${host}:${port}: ${LISTEN_ERRORS.get(code)}`, {
      advice: "set HOST and PORT to another place, or end what holds this one",
      cause: error,
    });
  }
}

const LISTEN_ERRORS = new Map([
  ["EADDRINUSE", "another process listens there"],
  ["EADDRNOTAVAIL", "this machine has no such address"],
  ["EACCES", "this user may not use the port"],
  ["ENOTFOUND", "HOST has no address"],
]);

async function startSandboxes(config: Config, log: OpenLog): Promise<Development> {
  const { startDevelopment } = await import("./development.ts");
  return startDevelopment(config, {
    onRequest: ({ traceId, attempt, status }) =>
      log.info({ event: "sandbox.ticketing", trace_id: traceId, attempt, answers: status }),
    onCallback: ({ traceId, verified, duplicate, status }) =>
      log.info({ event: "sandbox.callback", trace_id: traceId, verified, duplicate, answers: status }),
  });
}

/** What a script needs to know of a development gateway. */
async function facts({ url }: Gateway, development: Development): Promise<string> {
  const { consoleLink } = await import("./development.ts");
  const { callbackUrl, config, operatorToken } = development;
  const { partners, ticketing } = config;
  const told = {
    url,
    console: consoleLink(url ?? "", development),
    partners: partners.map(({ id }) => id),
    operator_token: operatorToken,
    ticketing_url: ticketing.url,
    callback_url: callbackUrl,
  };
  return `${toJson(told, 0)}\n`;
}

/** On stderr, so that stdout stays a log. */
async function welcome(gateway: Gateway, development: Development): Promise<string> {
  const { consoleLink, curlOf, partnerHeaders } = await import("./development.ts");
  const { config, callbackUrl, sandboxTicketingUrl, operatorToken } = development;
  const [partner] = config.partners;
  const url = gateway.url ?? "";
  const rows: readonly (readonly [string, string])[] = [
    ["Console", consoleLink(url, development)],
    ["Partner", partner ? partnerHeaders(partner).join(", ") : "as in the database"],
    ["Operator", `Authorization: Bearer ${operatorToken}`],
    [
      "Ticketing",
      sandboxTicketingUrl === null
        ? `${new URL(config.ticketing.url!).origin} (no sandbox: TICKETING_URL names it)`
        : `${sandboxTicketingUrl} (sandbox)`,
    ],
    ["Callbacks", `${callbackUrl} (sandbox partner)`],
    ["Database", placeOf(config.databaseUrl)],
  ];
  return `
WaveGate for development listens on ${url}

${rows.map(([name, value]) => `  ${name.padEnd(11)}${value}`).join("\n")}

Send an order:

  ${partner ? curlOf(url, partner, callbackUrl) : `POST ${url}/orders`}

Then see what became of it:

  curl ${url}/orders
  ${invocation()} order show EXT-1

Ctrl-C ends it.

`;
}

/** A worker whose supervisor is gone has nobody to stop it. */
function orphaned(): Promise<string> {
  return new Promise((resolve) => {
    if (!cluster.worker) return;
    // Or else node:cluster ends it at once, in the middle of its work.
    cluster.worker.exitedAfterDisconnect = true;
    process.once("disconnect", () => resolve("disconnect"));
  });
}

function asWorkers(text: string): number {
  const workers = Number(text);
  if (!/^[1-9]\d?$/.test(text) || workers > MAX_WORKERS) {
    throw new InvalidArgumentError(`A whole number from 1 to ${MAX_WORKERS} is expected.`);
  }
  return workers;
}
