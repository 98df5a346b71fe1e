import { setTimeout as sleep } from "node:timers/promises";
import type { BenchDatabase } from "../load/databases.ts";
import { withSession } from "../load/session.ts";
import { percentile, slope } from "../report/statistics.ts";
import { BOTH, type Measure } from "./measure.ts";
import { acceptLatencies, atPace, deliveryLatencies, secsOf } from "./paces.ts";

const PER_SEC = 500;
const TICKETING = { p50Ms: 400, p99Ms: 3_000, failureShare: 0.01 };
const ENV = {
  // 500 orders/s of 0.6 s each on average, and some in a row that take three seconds.
  TICKETING_CONCURRENCY: "1024",
  RETRY_SCHEDULE_SECS: "0,1,2,4,8,15",
};
/** Beyond the poll's second: what is due for so long has been overlooked. */
const OVERDUE_MS = 3_000;
const LOOK_EVERY_SECS = 10;
const MIB = 2 ** 20;

export const LIFE: Measure = {
  name: "life",
  letters: "ei",
  title: "Life as it is",
  prose:
    "500 orders a second come whatever becomes of those before, latency counting from when each was to be sent. Ticketing " +
    "answers log-normally (p50 400 ms, p99 3 s) and fails for 1 % of its requests by 503. Memory is the process's resident " +
    "set, looked at every second; its slope is by least squares from the second minute on. Past due are jobs that have been " +
    "due for over three seconds and are not claimed, counted every ten seconds.",
  databases: BOTH,
  contenders: ["wavegate"],
  repeats: 1,
  columns: [
    { key: "accepts_per_sec", label: "accepts/s" },
    { key: "accept_p50_ms", label: "accept p50 ms", decimals: 1 },
    { key: "accept_p99_ms", label: "accept p99 ms", decimals: 1 },
    { key: "latency_p50_ms", label: "delivered p50 ms" },
    { key: "latency_p99_ms", label: "delivered p99 ms" },
    { key: "past_due_max", label: "past due, most" },
    { key: "past_due_end", label: "past due at the end" },
    { key: "rss_mib", label: "memory at the end, MiB" },
    { key: "rss_slope", label: "its slope, MiB/min", decimals: 2 },
  ],
  charts: [
    {
      kind: "lines",
      panels: [
        { key: "rss_mib", label: "memory, MiB" },
        { key: "past_due", label: "jobs past due" },
      ],
    },
  ],
  estimateSecs: ({ soakMinutes }) => 25 + soakMinutes * 60,
  run: async ({ setup, options }) =>
    withSession({ ...setup, ticketing: TICKETING, env: ENV }, async (session) => {
      const secs = options.soakMinutes * 60;
      const rss: number[] = [];
      const pastDue: number[] = [];
      const soak = atPace(session, { kind: "open", perSec: PER_SEC }, secs);
      const { window, orders } = await watched(soak, secs, async (second) => {
        rss.push(session.rssBytes() / MIB);
        if (second % LOOK_EVERY_SECS === 0) pastDue.push(await countPastDue(session.database));
      });
      pastDue.push(await countPastDue(session.database));
      const accepts = acceptLatencies(orders, window);
      const deliveries = deliveryLatencies(orders, window);
      const values = {
        accepts_per_sec: accepts.length / secsOf(window),
        accept_p50_ms: percentile(accepts, 0.5),
        accept_p99_ms: percentile(accepts, 0.99),
        latency_p50_ms: percentile(deliveries, 0.5),
        latency_p99_ms: percentile(deliveries, 0.99),
        past_due_max: Math.max(...pastDue),
        past_due_end: pastDue.at(-1)!,
        rss_mib: rss.at(-1)!,
        rss_slope: slope(rss.slice(60)) * 60,
      };
      return { values, minutes: options.soakMinutes, series: { rss_mib: rss, past_due: pastDue } };
    }),
};

/** Looks once a second, for so many seconds, while something is under way. */
async function watched<T>(
  soak: Promise<T>,
  secs: number,
  look: (second: number) => Promise<void>,
): Promise<T> {
  let isOver = false;
  const over = soak.finally(() => (isOver = true));
  // Awaited at the end.
  over.catch(() => {});
  const begunAt = performance.now();
  for (let second = 1; second <= secs && !isOver; second += 1) {
    await sleep(begunAt + second * 1000 - performance.now());
    await look(second);
  }
  return over;
}

/** NaN for a contender that has other tables than WaveGate. */
async function countPastDue(database: BenchDatabase): Promise<number> {
  const before = Date.now() - OVERDUE_MS;
  const overdue = (table: string): string =>
    `(select count(*) from ${table} where status = 'pending' and next_attempt_at < ${before})`;
  try {
    const [row] = await database.query(
      `select ${overdue("ticketing_jobs")} + ${overdue("ota_callback_jobs")} as n`,
    );
    return Number(row!["n"]);
  } catch {
    return Number.NaN;
  }
}
