import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { type Config, CONFIG_VARIABLES, loadConfig, type PartnerSeed } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { OrderView } from "../http/order-view.ts";
import { createLog, type Log, type OpenLog } from "../observe/log.ts";
import { parseDatabaseUrl } from "../storage/target.ts";
import { configHere, placeOf, readSchema, withAnySchema } from "./cli/database.ts";
import { EXIT_CODES, Failure } from "./cli/failure.ts";
import { withExamples } from "./cli/help.ts";
import { outliveReader, print, toJson } from "./cli/output.ts";
import { askedToStop } from "./cli/signals.ts";
import { type Scenario, SCENARIOS } from "./demo-orders.ts";
import { createStory, type Story } from "./demo-story.ts";
import { nextSteps, type Result, resultView, summary } from "./demo-summary.ts";
import { type Development, startDevelopment } from "./development.ts";
import { start } from "./serve.ts";

interface Options {
  readonly exit?: boolean;
  readonly json?: boolean;
}

const DEADLINE_MS = 60_000;
const REQUEST_DEADLINE_MS = 10_000;
const VISIT_IN_DAYS = 7;

export function define(command: Command): void {
  command
    .description(
      "Start a gateway with a sandbox ticketing system and a sandbox partner, send it orders over HTTP, and show every step " +
        "of each as it happens. Stays up until Ctrl-C. Nothing leaves this machine. Of the configuration only " +
        "DATABASE_URL (SQLite, without real partners), PORT, APP_HMAC_SECRET and LOG_LEVEL are heeded.",
    )
    .option("--exit", "end by itself: exit code 0 only if every order reached its expected state")
    .option("--json", "one JSON object per line: each step, then a summary; errors too, on stderr")
    .action(demo);
  withExamples(command, [
    ["demo", "Watch it work"],
    ["demo --exit", "The same as a check"],
  ]);
}

async function demo({ exit = false, json = false }: Options): Promise<void> {
  const asked = askedToStop();
  // Its exit code is worth waiting for.
  if (exit) outliveReader();
  const config = demoConfig();
  await refuseRealDatabase(config);
  const story = createStory(print, json);
  const development = await startDevelopment(config, { onCallback: story.received });
  const warnings = createLog({ level: config.logLevel, destination: 2 });
  try {
    const gateway = await startAnywhere(development.config, tellingLog(story, warnings));
    try {
      if (!json) print(`A gateway listens on ${gateway.url}; its orders' stories:\n`);
      const results = await runOrders(gateway, development, story, asked);
      const reached = results.every((result) => result.reached);
      if (json) print(toJson({ type: "summary", reached, orders: results.map(resultView) }, 0));
      else print(`\n${summary(results)}\n\n${nextSteps(gateway, development, results, exit)}\n`);
      if (exit && !reached) process.exitCode = EXIT_CODES.failed;
      if (!exit) await asked;
    } finally {
      await gateway.stop();
    }
  } finally {
    await development.close();
    await warnings.close();
  }
}

/** As `serve --dev` without any setting but those that say where: the demo shows the same wherever it runs. */
function demoConfig(): Config {
  const { databaseUrl, port, appHmacSecrets, logLevel } = configHere();
  if (parseDatabaseUrl(databaseUrl).manyProcesses) {
    throw new Failure("usage", "the demo runs on SQLite only, and DATABASE_URL names PostgreSQL", {
      advice: ANOTHER,
    });
  }
  // Set to nothing, a variable hides what .env says.
  const nothing = CONFIG_VARIABLES.flatMap(({ name }) => [
    [name, ""],
    [`${name}_FILE`, ""],
  ]);
  const env = {
    ...(Object.fromEntries(nothing) as Record<string, string>),
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    APP_HMAC_SECRET: appHmacSecrets.join("\n"),
    // The story tells what the log would.
    LOG_LEVEL: logLevel === "info" ? "warn" : logLevel,
    RATE_LIMIT_CAPACITY: "1000",
    RATE_LIMIT_PER_SEC: "100",
  };
  return loadConfig({ dev: true, env, directory: process.cwd() });
}

const ANOTHER = "give it a database of its own: DATABASE_URL=sqlite:///./demo.db";

async function refuseRealDatabase(config: Config): Promise<void> {
  const { file } = parseDatabaseUrl(config.databaseUrl);
  if (file === null || !existsSync(file)) return;
  const real = await withAnySchema(config, { create: false }, async ({ database, partners }) => {
    const { empty } = await readSchema(database, config.databaseUrl);
    return empty ? [] : (await partners.list()).filter(({ development }) => !development);
  });
  if (real.length === 0) return;
  const ids = real.slice(0, 5).map(({ id }) => id);
  throw new Failure("usage", `${placeOf(config.databaseUrl)} holds real partners (${ids.join(", ")})`, {
    advice: ANOTHER,
  });
}

/** On PORT, or on any free one if somebody listens there. */
async function startAnywhere(config: Config, log: Log): Promise<Gateway> {
  try {
    return await start(config, log);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code !== "EADDRINUSE") throw error;
    return start({ ...config, port: 0 }, log);
  }
}

function tellingLog(story: Story, warnings: OpenLog): Log {
  return {
    ...warnings,
    info(event) {
      story.logged(event);
      warnings.info(event);
    },
  };
}

/** Sends the orders and waits for their ends, but no longer than the deadline or until asked to stop. */
async function runOrders(
  { url }: Gateway,
  { config, callbackUrl }: Development,
  story: Story,
  asked: Promise<unknown>,
): Promise<Result[]> {
  const [partner] = config.partners;
  if (!url || !partner) throw new Error("the demo's gateway has no address or no partner");
  const visitDate = new Date(Date.now() + VISIT_IN_DAYS * 86_400_000).toISOString().slice(0, 10);
  const sent: { scenario: Scenario; id: number }[] = [];
  for (const scenario of SCENARIOS) {
    const body = JSON.stringify(scenario.order(callbackUrl, visitDate));
    const { id } = await request<{ id: number }>(`${url}/orders`, partner, 201, body);
    sent.push({ scenario, id });
  }
  const ends = Promise.all(sent.map(({ id }) => story.finished(id)));
  const deadline = new AbortController();
  const timeout = sleep(DEADLINE_MS, undefined, deadline).catch(() => {});
  await Promise.race([ends, timeout, asked]);
  deadline.abort();
  return Promise.all(
    sent.map(async ({ scenario, id }) => {
      const view = await request<OrderView>(`${url}/orders/${id}`, partner, 200);
      return { scenario, view, reached: view.status === scenario.expected };
    }),
  );
}

/** A partner's request, over a real socket. */
async function request<T>(url: string, partner: PartnerSeed, expected: number, body?: string): Promise<T> {
  const headers = {
    "X-Partner-Id": partner.id,
    "X-Partner-Token": partner.token,
    ...(body === undefined
      ? {}
      : { "Content-Type": "application/json", "Idempotency-Key": `demo-${randomUUID()}` }),
  };
  const response = await fetch(url, {
    headers,
    signal: AbortSignal.timeout(REQUEST_DEADLINE_MS),
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  const answer = (await response.json()) as T & { detail?: string };
  if (response.status === expected) return answer;
  const detail = answer.detail ?? "no detail";
  const advice =
    response.status === 401 ? `the database knows partner ${partner.id} otherwise; ${ANOTHER}` : ANOTHER;
  throw new Failure("failed", `the gateway answered ${response.status}: ${detail}`, { advice });
}
