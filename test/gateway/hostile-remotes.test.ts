import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type Hostility,
  type Leg,
  LARGE,
  QUICK,
  SLOW,
  startHostileRemote,
} from "../outbound/hostile-remote.ts";
import { onEachDatabase } from "../support/databases.ts";
import { gatewayEnv, type OrderShown, runGateway } from "../support/gateway.ts";

const LEGS: readonly Leg[] = ["ticketing", "callback"];
const ENDS = ["delivered", "blocked", "exhausted"].flatMap((end) => [
  `ticketing_${end}`,
  `ota_callback_${end}`,
]);
/** Less than a single one of the large answers, of which there are many at once. */
const MAX_GROWTH_MB = 200;

/** One attempt each, everything at once. */
const IMPATIENT = {
  RETRY_SCHEDULE_SECS: "0",
  CIRCUIT_FAILURES: "0",
  TICKETING_CONCURRENCY: "200",
  CALLBACK_CONCURRENCY: "200",
};

async function setUp(t: TestContext, databaseUrl: string, env: Record<string, string> = {}) {
  const remote = await startHostileRemote();
  t.after(() => remote.close());
  const gateway = await runGateway({
    ...gatewayEnv(databaseUrl, `${remote.url}/ticketing`),
    ...IMPATIENT,
    ...env,
  });
  t.after(() => gateway.stop());
  return { gateway, callbackUrl: `${remote.url}/callback` };
}

type Scene = Awaited<ReturnType<typeof setUp>>;

async function accept({ gateway, callbackUrl }: Scene, externalId: string): Promise<number> {
  const accepted = await gateway.post({
    external_order_id: externalId,
    callback_url: callbackUrl,
    items: [{ sku: "ADULT-DAY", qty: 1, unit_price_minor: 1, currency: "THB" }],
  });
  assert.equal(accepted.status, 201, await accepted.clone().text());
  return ((await accepted.json()) as { id: number }).id;
}

function attemptsOf(order: OrderShown, leg: Leg) {
  const job = order[leg === "ticketing" ? "ticketing_job" : "ota_callback_job"];
  return job?.attempts.map(({ code, error }: Hostility["expected"][Leg]) => ({ code, error }));
}

/** Where the order must stand (SPEC section 4): a callback's outcome is its status, ticketing's 2xx has to come whole. */
function endOf(leg: Leg, { expected }: Hostility): string {
  const { code, error } = expected[leg];
  if (code === 404) return leg === "ticketing" ? "ticketing_blocked" : "ota_callback_blocked";
  if (leg === "callback") return code === 200 ? "ota_callback_delivered" : "ota_callback_exhausted";
  if (code === 200 && error === null) return "ota_callback_delivered";
  return code === 200 && error === "too_large" ? "ticketing_blocked" : "ticketing_exhausted";
}

/** One order for each behaviour and leg, all at once: each attempt says what happened, and the next order goes well. */
async function meet(t: TestContext, scene: Scene, family: string, behaviours: Record<string, Hostility>) {
  const cases = Object.entries(behaviours).flatMap(([name, hostility]) =>
    LEGS.map((leg) => ({ leg, name: `${leg}.${name}`, hostility })),
  );
  const ids = await Promise.all(cases.map(({ name }) => accept(scene, name)));
  for (const [index, { leg, name, hostility }] of cases.entries()) {
    const order = await scene.gateway.reach(ids[index]!, ...ENDS);
    assert.deepEqual(attemptsOf(order, leg), [hostility.expected[leg]], name);
    assert.equal(order["status"], endOf(leg, hostility), name);
  }
  await goesWell(scene);
  t.diagnostic(`${family}: ${cases.length} cases`);
}

async function goesWell(scene: Scene): Promise<void> {
  const order = await scene.gateway.reach(await accept(scene, "good"), ...ENDS);
  for (const leg of LEGS) assert.deepEqual(attemptsOf(order, leg), [{ code: 200, error: null }]);
}

onEachDatabase("hostile remotes", (kind) => {
  test("what breaks off, is no HTTP or is no text: a typed error on each leg, and the worker lives", async (t) => {
    const scene: Scene = await setUp(t, await kind.migratedUrl());
    await meet(t, scene, `broken answers on ${kind.name}`, QUICK);
  });
});

test("what never ends or is far too much: bounded memory", async (t) => {
  const scene = await setUp(t, "sqlite::memory:");
  await goesWell(scene);
  const grownMb = watchMemory(t);
  await meet(t, scene, "large answers", LARGE);
  t.diagnostic(`grown by ${grownMb()} MB`);
  assert.ok(grownMb() < MAX_GROWTH_MB);
});

test("what only a deadline ends", async (t) => {
  const scene = await setUp(t, "sqlite::memory:", {
    TICKETING_TIMEOUT_SECS: "2",
    CALLBACK_TIMEOUT_SECS: "2",
  });
  await meet(t, scene, "slow answers", SLOW);
});

/** By how much the process has grown since, at its peak. */
function watchMemory(t: TestContext): () => number {
  const start = process.memoryUsage.rss();
  let peak = start;
  const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(look, 10);
  t.after(() => clearInterval(timer));
  return () => Math.round((look() - start) / 1e6);
}
