// Can partners hold each other up? `node bench/fairness.ts [--seconds 20] [--database sqlite|postgres]`
//
// One partner's orders are timed from POST to the received callback, first alone, then beside nine whose callbacks
// hang until the deadline. Circuits are off: it is the cap per partner and the turns between partners that are measured.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startPostgres } from "../test/support/postgres.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "20" },
    database: { type: "string", default: "sqlite" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log("usage: node bench/fairness.ts [--seconds 20] [--database sqlite|postgres]");
  process.exit(0);
}
const SECONDS = Number(values.seconds);
const TIMED_PER_SEC = 20;
const HANGING_PER_SEC = 5;
const HANGING = Array.from({ length: 9 }, (_, index) => `hanging-${index + 1}`);
const TIMED = "timed";
const TOKEN = "bench-token";

const directory = mkdtempSync(join(tmpdir(), "wavegate-bench-"));
const postgres = values.database === "postgres" ? await startPostgres() : null;
const databaseUrl = postgres ? `${postgres.url}/postgres` : `sqlite:///${join(directory, "bench.db")}`;

const receivedAt = new Map<string, number>();
const ticketing = await listen(createServer((_, response) => response.end('{"tickets":["T"]}')));
const partners = await listen(
  createServer((request, response) => {
    if (request.url === "/hang") return;
    receivedAt.set(String(request.headers["x-external-order-id"]), performance.now());
    response.end();
  }),
);

const gateway = spawn(
  process.execPath,
  [fileURLToPath(new URL("../src/main.ts", import.meta.url)), "serve"],
  {
    cwd: directory,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      TICKETING_URL: urlOf(ticketing),
      PORT: "0",
      PARTNERS_JSON: JSON.stringify(
        [TIMED, ...HANGING].map((id) => ({
          id,
          name: id,
          token: TOKEN,
          rate_limit: { capacity: 1000, per_sec: 1000 },
        })),
      ),
      REQUIRE_HTTPS_CALLBACKS: "0",
      ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
      ALLOWED_CALLBACK_PORTS: "*",
      CIRCUIT_FAILURES: "0",
      LOG_LEVEL: "info",
    },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const url = await startedUrl(gateway);

let count = 0;
async function post(partner: string, path: string): Promise<{ name: string; at: number }> {
  count += 1;
  const name = `${partner}-${count}`;
  const at = performance.now();
  const response = await fetch(`${url}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-partner-id": partner, "x-partner-token": TOKEN },
    body: JSON.stringify({
      external_order_id: name,
      callback_url: urlOf(partners) + path,
      items: [{ sku: "A", qty: 1, unit_price_minor: 1, currency: "THB" }],
    }),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return { name, at };
}

/** Times the one partner's orders for a while. @returns milliseconds, sorted */
async function measure(beside: readonly string[]): Promise<number[]> {
  const sent: Promise<{ name: string; at: number }>[] = [];
  const others: Promise<unknown>[] = [];
  for (let tick = 0; tick < SECONDS * TIMED_PER_SEC; tick += 1) {
    sent.push(post(TIMED, "/ok"));
    // Spread over the ticks, as strangers don't send in step.
    const due = beside.filter((_, index) => (tick + index) % (TIMED_PER_SEC / HANGING_PER_SEC) === 0);
    others.push(...due.map((id) => post(id, "/hang")));
    await sleep(1000 / TIMED_PER_SEC);
  }
  await Promise.all(others);
  const orders = await Promise.all(sent);
  for (let tries = 0; tries < 100 && orders.some(({ name }) => !receivedAt.has(name)); tries += 1)
    await sleep(100);
  return orders.map(({ name, at }) => receivedAt.get(name)! - at).sort((a, b) => a - b);
}

const p = (sorted: readonly number[], share: number): number =>
  sorted[Math.floor((sorted.length - 1) * share)]!;

console.log(
  `${values.database}, ${SECONDS} s each; ${TIMED_PER_SEC} orders/s timed, 9 x ${HANGING_PER_SEC}/s hanging until the deadline`,
);
await measure([]);
const alone = await measure([]);
const beside = await measure(HANGING);
const lost = [...alone, ...beside].filter((ms) => Number.isNaN(ms)).length;
for (const [label, times] of [
  ["alone", alone],
  ["beside nine that hang", beside],
] as const) {
  console.log(
    `${label.padEnd(24)} p50 ${p(times, 0.5).toFixed(1)} ms   p95 ${p(times, 0.95).toFixed(1)} ms   max ${times.at(-1)!.toFixed(1)} ms`,
  );
}
console.log(`p95 ratio ${(p(beside, 0.95) / p(alone, 0.95)).toFixed(2)}, undelivered ${lost}`);

gateway.kill("SIGKILL");
await once(gateway, "exit");
for (const server of [ticketing, partners]) {
  server.closeAllConnections();
  server.close();
}
await postgres?.stop();
rmSync(directory, { recursive: true, force: true });
process.exit(lost > 0 ? 1 : 0);

async function listen(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startedUrl(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  for await (const line of lines) {
    const event = JSON.parse(line) as { event?: string; url?: string };
    if (event.event !== "gateway.started") continue;
    child.stdout!.resume();
    return event.url!;
  }
  throw new Error("the gateway did not start");
}
