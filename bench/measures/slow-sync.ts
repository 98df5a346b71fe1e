import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { withSession } from "../load/session.ts";
import { percentile } from "../report/statistics.ts";
import { bars, type Column, type Measure } from "./measure.ts";
import { acceptLatencies, atPace, fullSpeedSecs, measureSustained, secsOf } from "./paces.ts";

const SOURCE = join(import.meta.dirname, "../slow-sync/slow-sync.c");
const ADDED_USECS = 5_000;

const COLUMNS: readonly Column[] = [
  { key: "orders_per_sec", label: "orders/s" },
  { key: "half_per_sec", label: "half of it, accepts/s" },
  { key: "accept_p50_ms", label: "accept p50 ms at half", decimals: 1 },
  { key: "accept_p99_ms", label: "accept p99 ms at half", decimals: 1 },
];

export const SLOW_SYNC: Measure = {
  name: "slow-sync",
  letters: "k",
  title: "A slow disk",
  prose:
    "Each fsync and fdatasync of the contender takes 5 ms longer (bench/slow-sync, by LD_PRELOAD). First as much as is " +
    "delivered; then half of that many orders a second, whatever becomes of those before.",
  databases: ["sqlite"],
  contenders: ["wavegate"],
  columns: COLUMNS,
  charts: [bars(COLUMNS, "orders_per_sec", "accept_p99_ms")],
  lacks: () => (spawnSync("cc", ["--version"]).status === 0 ? null : "a C compiler (cc)"),
  estimateSecs: ({ seconds }) => 8 + 2 * fullSpeedSecs(seconds),
  run: async ({ setup, options }) => {
    const library = join(setup.directory, "slow-sync.so");
    if (!existsSync(library)) execFileSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"]);
    const env = { LD_PRELOAD: library, SLOW_SYNC_USECS: String(ADDED_USECS) };
    return withSession({ ...setup, env }, async (session) => {
      const { orders_per_sec: most = 0 } = await measureSustained(session, options.seconds);
      const { window, orders } = await atPace(session, { kind: "open", perSec: most / 2 }, options.seconds);
      const latencies = acceptLatencies(orders, window);
      return {
        values: {
          orders_per_sec: most,
          half_per_sec: latencies.length / secsOf(window),
          accept_p50_ms: percentile(latencies, 0.5),
          accept_p99_ms: percentile(latencies, 0.99),
        },
      };
    });
  },
};
