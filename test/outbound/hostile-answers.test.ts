import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { plainConnector } from "../../src/outbound/connector.ts";
import { type Answer, type HttpClient, createHttpClient } from "../../src/outbound/http-client.ts";
import { classifyFailure } from "../../src/outbound/http-failure.ts";
import { type HostileRemote, LARGE, QUICK, SLOW, startHostileRemote } from "./hostile-remote.ts";

/** What the gateway reads of an answer at most, on each leg. */
const LIMITS = {
  ticketing: { maxBodyBytes: 4 * 1024 * 1024, wholeBody: true },
  callback: { maxBodyBytes: 64 * 1024, wholeBody: false },
} as const;
const LEGS = ["ticketing", "callback"] as const;
const DEADLINE_MS = 10_000;
/** Less than half of a large answer. */
const MAX_GROWTH_MB = 96;

async function setUp(t: TestContext): Promise<{ remote: HostileRemote; client: HttpClient }> {
  const remote = await startHostileRemote();
  const client = createHttpClient({
    connector: plainConnector({ timeoutMs: DEADLINE_MS }),
    connections: 100,
  });
  t.after(async () => {
    client.destroy();
    await remote.close();
  });
  return { remote, client };
}

function meet(
  { remote, client }: Awaited<ReturnType<typeof setUp>>,
  leg: (typeof LEGS)[number],
  name: string,
  deadlineMs = DEADLINE_MS,
): Promise<Answer> {
  return client.post({
    url: new URL(`${remote.url}/${leg}`),
    headers: { "x-external-order-id": `${leg}.${name}` },
    body: "{}",
    deadlineMs,
    ...LIMITS[leg],
  });
}

test("large answers: no more is held than the limit, and nothing is unpacked", async (t) => {
  const scene = await setUp(t);
  for (const leg of LEGS) await meet(scene, leg, "good");
  const memory = watchMemory(t);
  for (const [name, { expected }] of Object.entries(LARGE)) {
    for (const leg of LEGS) {
      collectGarbage();
      const { code, error, body } = await meet(scene, leg, name);
      assert.deepEqual({ code, error }, expected[leg], `${leg}.${name}`);
      if (error === "too_large") assert.equal(body.length, LIMITS[leg].maxBodyBytes, `${leg}.${name}`);
    }
  }
  t.diagnostic(`large answers: ${Object.keys(LARGE).length * 2} cases, +${memory.grownMb()} MB`);
  assert.ok(memory.grownMb() < MAX_GROWTH_MB);
});

test("nothing stays behind: neither a socket, nor harm for the next request", async (t) => {
  const scene = await setUp(t);
  let cases = 0;
  for (const [behaviours, deadlineMs] of [
    [{ ...QUICK, ...LARGE }, DEADLINE_MS],
    [SLOW, 300],
  ] as const) {
    const names = Object.keys(behaviours).flatMap((name) => LEGS.map((leg) => ({ leg, name })));
    await Promise.all(names.map(({ leg, name }) => meet(scene, leg, name, deadlineMs)));
    cases += names.length;
    for (const leg of LEGS) assert.equal((await meet(scene, leg, "good")).error, null);
  }
  await scene.client.close();
  while (scene.client.openSockets() > 0) await nextTurn();
  t.diagnostic(`left behind by nobody: ${cases} cases`);
});

test("what a failure quotes of the other side fits into one line of any database", () => {
  const detailOf = (message: string) => classifyFailure(new Error(message), "unsent").detail;
  assert.equal(detailOf("not\u0000in: DNS:a\r\n\tb\u0085c"), "not in: DNS:a b c");
  assert.equal(detailOf(`${"x".repeat(299)}😀`), `${"x".repeat(299)}\ufffd`);
  assert.equal(detailOf("\ud800"), "\ufffd");
  assert.equal(detailOf(""), "Error");
});

function watchMemory(t: TestContext): { grownMb(): number } {
  collectGarbage();
  const start = process.memoryUsage.rss();
  let peak = start;
  const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(look, 2);
  t.after(() => clearInterval(timer));
  return { grownMb: () => Math.round((look() - start) / 1e6) };
}

/** What waits to be collected says nothing about what is held. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
