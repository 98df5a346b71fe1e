import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openStorage } from "../src/storage/open.ts";
import { checkAll } from "./checks/all.ts";
import { type Client, createClient } from "./client.ts";
import { type ChaosDatabase, startDatabase } from "./databases.ts";
import { type Evidence, gatherEvidence } from "./evidence.ts";
import { createFaultLog } from "./fault-log.ts";
import { createGateways, type Gateways } from "./gateways.ts";
import { injectFaults } from "./inject.ts";
import type { Options } from "./options.ts";
import { type DatabaseKind, faultKinds, makePlan, type Plan } from "./plan.ts";
import { randomOf } from "./random.ts";
import { startReaper } from "./reaper.ts";
import type { RecordedRequest } from "./recording.ts";
import type { Report } from "./report.ts";
import { gatewayEnv } from "./settings.ts";
import { startTargets, type Targets } from "./targets-process.ts";
import { type Watcher, watchOrders } from "./watch.ts";

const GATEWAYS: Record<DatabaseKind, number> = { sqlite: 1, postgres: 4 };
const ORDERS_PER_SEC = 10;
/** After the last fault, with healthy targets: longer than the longest pause of the schedule. */
const SETTLE_MS = 60_000;
/** Long enough for whatever is still to be settled, late results too. */
const CALM_MS = 2_500;

export interface SessionOptions extends Options {
  readonly database: DatabaseKind;
  readonly signal: AbortSignal;
  /** Left out: all gateways of the kind run, and the planned faults befall them. */
  readonly course?: Course;
  onProgress(line: string): void;
}

/** Which gateways run, and what befalls them while orders are sent. */
export interface Course {
  readonly count: number;
  readonly main?: (gateway: number) => string;
  /** Before the first order. */
  begin(gateways: Gateways, env: Readonly<Record<string, string>>): Promise<void>;
  /** From the first order on. */
  run(stage: Pick<Stage, "gateways" | "durationMs" | "signal">): Promise<void>;
}

/** One run on one database, from an empty folder to the report; whatever happens, it ends what it started. */
export async function runTrial(options: SessionOptions): Promise<Report> {
  const { database: kind, seed, durationMs, faults, keep, signal, course } = options;
  const begun = performance.now();
  const directory = await mkdtemp(join(tmpdir(), "wavegate-chaos-"));
  // PostgreSQL runs as a user of its own where the runner is root.
  await chmod(directory, 0o755);
  await using cleanup = new AsyncDisposableStack();
  const reaper = startReaper(keep ? null : directory);
  cleanup.defer(() => reaper.dismiss());
  if (!keep) cleanup.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

  const count = course?.count ?? GATEWAYS[kind];
  const orders = options.orders ?? Math.ceil((durationMs / 1000) * ORDERS_PER_SEC);
  const planned = course ? "none" : faults;
  const plan = makePlan({ seed, database: kind, gateways: count, durationMs, orders, faults: planned });
  const database = await startDatabase(kind, directory, reaper);
  cleanup.defer(() => database.close());
  const targets = await startTargets(seed, faults === "all");
  cleanup.defer(() => targets.kill());
  const faultLog = createFaultLog();
  const env = (path: string) => gatewayEnv(database.url, targets.urls.ticketing + path);
  const main = course?.main ? { main: course.main } : {};
  const gateways = createGateways({ count, directory, env, faultLog, reaper, ...main });
  cleanup.defer(() => gateways.killAll());
  const indexes = Array.from({ length: count }, (_, gateway) => gateway);
  if (course) await course.begin(gateways, env(""));
  else await Promise.all(indexes.map((gateway) => gateways.start(gateway)));

  const storage = openStorage({
    url: database.directUrl,
    poolSize: 4,
    preparedStatements: true,
    create: false,
  });
  cleanup.defer(() => storage.close());
  const watcher = watchOrders(storage);
  cleanup.defer(() => watcher.stop());
  const client = createClient(gateways, targets.urls.partners, randomOf(seed, "client"));

  await sendAndBreak({ ...options, kind, plan, gateways, database, faultLog, client, watcher, targets });
  // Nobody holds anything any more: what is on record now is all there will be.
  await Promise.all(indexes.map((gateway) => gateways.end(gateway)));
  signal.throwIfAborted();
  await watcher.stop();
  const requests = await targets.requests();
  const { answers } = client;
  const { sightings } = watcher;
  const { incarnations, lines } = gateways;
  const witnessed = { plan, answers, faultLog, incarnations, lines, sightings, requests };
  const evidence = await gatherEvidence(storage, witnessed);
  return {
    database: kind,
    seed,
    seconds: Math.round((performance.now() - begun) / 1000),
    facts: factsOf(evidence, client),
    faults: countsOf(
      course ? [] : faultKinds(kind),
      faultLog.faults.map((fault) => fault.kind),
    ),
    misbehaviour: countsOf(
      [],
      requests.map(({ leg, behaviour }) => `${leg}: ${behaviour}`),
    ),
    invariants: checkAll(evidence),
    faultLog,
    unanswered: client.unanswered,
    directory: keep ? directory : null,
  };
}

interface Stage extends Omit<SessionOptions, "database"> {
  readonly kind: DatabaseKind;
  readonly plan: Plan;
  readonly gateways: Gateways;
  readonly database: ChaosDatabase;
  readonly faultLog: ReturnType<typeof createFaultLog>;
  readonly client: Client;
  readonly watcher: Watcher;
  readonly targets: Targets;
}

/** Sends all orders while faults are injected, then lets everything come to rest. */
async function sendAndBreak(stage: Stage): Promise<void> {
  const { plan, gateways, database, faultLog, client, watcher, targets, signal, onProgress, course } = stage;
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    const { sent } = client.counts;
    onProgress(
      `${stage.kind} ${seconds} s: ${client.answers.length} answers to ${sent} requests, ` +
        `${watcher.undelivered()} orders under way, ${faultLog.faults.length}/${plan.faults.length} faults`,
    );
  }, 1_000);
  const giveUp = new AbortController();
  const until = AbortSignal.any([signal, giveUp.signal]);
  try {
    const sending = sendOrders(plan, client, until);
    const time = sleep(stage.durationMs, undefined, { signal }).catch(() => {});
    await (course?.run(stage) ?? injectFaults({ faults: plan.faults, gateways, database, faultLog, signal }));
    await time;
    signal.throwIfAborted();
    targets.heal();
    const deadline = performance.now() + SETTLE_MS;
    const timer = setTimeout(() => giveUp.abort(), SETTLE_MS);
    await sending;
    clearTimeout(timer);
    await sleep(CALM_MS, undefined, { signal });
    while (watcher.undelivered() > 0 && performance.now() < deadline) await sleep(100, undefined, { signal });
  } finally {
    giveUp.abort();
    clearInterval(progress);
  }
}

async function sendOrders({ orders }: Plan, client: Client, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now();
  const sends: Promise<void>[] = [];
  for (const order of orders) {
    await sleep(Math.max(0, order.atMs - (performance.now() - startedAt)));
    if (signal.aborted) break;
    for (let send = 0; send < order.sends; send += 1) sends.push(client.send(order, signal));
  }
  await Promise.all(sends);
}

function factsOf({ orders, plan, circuitsOpened, incarnations }: Evidence, { counts, answers }: Client) {
  const attempts = orders.flatMap(({ legs }) => [...legs.ticketing.attempts, ...legs.callback.attempts]);
  const bought = ({ status, whole }: RecordedRequest): boolean => status === 200 && whole;
  return {
    "orders planned": plan.orders.length,
    "orders in the database": orders.length,
    "requests to the API": counts.sent,
    "of them without an answer": counts.unanswered,
    "of them refused for the moment": counts.refused,
    "201 and other final answers": answers.length,
    "gateway processes": incarnations.length,
    attempts: attempts.length,
    "of them lost": attempts.filter(({ row }) => row.error === "lost").length,
    "results heard late": attempts.filter(({ late }) => late !== null).length,
    "most attempts of a job": Math.max(0, ...attempts.map(({ row }) => row.no)),
    "orders ticketed there twice": orders.filter(
      ({ legs }) => legs.ticketing.requests.filter(bought).length > 1,
    ).length,
    "circuits opened": circuitsOpened,
  };
}

function countsOf(known: readonly string[], seen: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(known.map((each) => [each, 0]));
  for (const each of seen.toSorted()) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}
