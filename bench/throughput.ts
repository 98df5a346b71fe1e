// Orders per second from POST to delivered callback: `node bench/throughput.ts [--orders 20000] [--database sqlite|postgres]
// [--connections 64] [--profile]`. Every order is verified to have reached ticketing and the partner exactly once.
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { startPostgres } from "../test/support/postgres.ts";

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "20000" },
    database: { type: "string", default: "sqlite" },
    connections: { type: "string", default: "64" },
    profile: { type: "boolean", default: false },
  },
});
const ORDERS = Number(values.orders);
const CONNECTIONS = Number(values.connections);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const directory = mkdtempSync(join(tmpdir(), "wavegate-bench-"));
const postgres = values.database === "postgres" ? await startPostgres() : null;
const targets = fork(here("./targets.ts"));
const [targetsUrl] = (await once(targets, "message")) as [string];
const profile = values.profile ? ["--cpu-prof", `--cpu-prof-dir=${process.cwd()}`] : [];
const gateway = spawn(process.execPath, [...profile, here("../src/main.ts"), "serve"], {
  cwd: directory,
  env: {
    ...process.env,
    DATABASE_URL: postgres ? `${postgres.url}/postgres` : `sqlite:///${join(directory, "bench.db")}`,
    TICKETING_URL: `${targetsUrl}/ticketing`,
    TICKETING_CONCURRENCY: "64",
    CALLBACK_CONCURRENCY: "64",
    CALLBACK_SIGNING_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    APP_HMAC_SECRET: "bench",
    PORT: "0",
    PARTNERS_JSON: JSON.stringify([
      {
        id: "bench",
        name: "Bench",
        token: "bench-token",
        allowlist_cidrs: ["127.0.0.0/8"],
        rate_limit: { capacity: 1_000_000, per_sec: 1_000_000 },
      },
    ]),
    REQUIRE_HTTPS_CALLBACKS: "0",
    ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
    ALLOWED_CALLBACK_PORTS: "*",
  },
  stdio: ["ignore", "pipe", "inherit"],
});
const lines = createInterface({ input: gateway.stdout });
const url = await new Promise<string>((resolve) => {
  lines.on("line", (line) => {
    if (line.includes('"gateway.started"')) resolve((JSON.parse(line) as { url: string }).url);
  });
});
lines.removeAllListeners("line");
gateway.stdout.resume();

const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
const latencies: number[] = [];
let next = 0;
async function sender(): Promise<void> {
  for (let n = (next += 1); n <= ORDERS; n = next += 1) {
    const body = JSON.stringify({
      external_order_id: `EXT-${n}`,
      callback_url: `${targetsUrl}/partner`,
      items: [
        { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB", visit_date: "2026-12-24" },
        { sku: "CHILD-DAY", qty: 1, unit_price_minor: 89900, currency: "THB", visit_date: "2026-12-24" },
      ],
      buyer: { name: "สมชาย ใจดี", email: "buyer@example.com" },
    });
    const at = performance.now();
    const { statusCode, body: answer } = await pool.request({
      method: "POST",
      path: "/orders",
      headers: {
        "content-type": "application/json",
        "x-partner-id": "bench",
        "x-partner-token": "bench-token",
        "idempotency-key": `key-${n}`,
      },
      body,
    });
    const text = await answer.text();
    if (statusCode !== 201) throw new Error(`${statusCode}: ${text}`);
    latencies.push(performance.now() - at);
  }
}

const cpuBefore = process.cpuUsage();
const begun = performance.now();
await Promise.all(Array.from({ length: CONNECTIONS }, sender));
const acceptedAt = performance.now();
let counts = { ticketing: 0, partner: 0, twice: 0 };
for (let tries = 0; tries < 1200 && counts.partner < ORDERS; tries += 1) {
  await sleep(50);
  counts = (await (await fetch(`${targetsUrl}/counts`)).json()) as typeof counts;
}
const deliveredAt = performance.now();
const cpu = process.cpuUsage(cpuBefore);
latencies.sort((a, b) => a - b);
const p = (share: number): string => latencies[Math.floor((latencies.length - 1) * share)]!.toFixed(1);
console.log(
  `${values.database}: ${ORDERS} orders; accepted ${Math.round((ORDERS / (acceptedAt - begun)) * 1000)}/s ` +
    `(p50 ${p(0.5)} ms, p99 ${p(0.99)} ms), delivered ${Math.round((ORDERS / (deliveredAt - begun)) * 1000)}/s; ` +
    `ticketing ${counts.ticketing}, partner ${counts.partner}, twice ${counts.twice}; client cpu ${Math.round((cpu.user + cpu.system) / 1000)} ms`,
);
gateway.kill("SIGTERM");
await once(gateway, "exit");
targets.disconnect();
await pool.destroy();
await postgres?.stop();
rmSync(directory, { recursive: true, force: true });
process.exit(counts.partner === ORDERS && counts.twice === 0 ? 0 : 1);
