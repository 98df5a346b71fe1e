import { statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { withSession, type Session } from "../load/session.ts";
import { bars, BOTH, type Column, type Measure, type Options, type Run, type RunResult } from "./measure.ts";
import {
  ACCEPT_COLUMNS,
  countWithin,
  fullSpeed,
  fullSpeedSecs,
  measureAccepts,
  measureSustained,
  measureUnloaded,
  secsOf,
  atPace,
  SUSTAINED_COLUMNS,
  UNLOADED_COLUMNS,
  unloadedSecs,
} from "./paces.ts";
import { finishedOrders, waitingOrders } from "./seeds.ts";

const FINISHED = 1_000_000;
const WAITING = 100_000;
const AROUND_SECS = 20;
/** A long run is divided into so many parts, to see whether it holds its rate. */
const PARTS = 10;
const GIB_PER_MINUTE = 4;
/** What nothing holds up shows its rate in this part of the time. */
const UNHINDERED_SHARE = 0.2;

const named = (prefix: string, columns: readonly Column[]): Column[] =>
  columns.map((column) => ({ ...column, label: `${prefix} ${column.label}` }));

const ALL_COLUMNS = [
  ...ACCEPT_COLUMNS.slice(0, 1),
  ...named("accept", ACCEPT_COLUMNS.slice(1)),
  ...SUSTAINED_COLUMNS,
  ...named("unloaded", UNLOADED_COLUMNS),
];

/** The others first that leave little behind. */
async function measureAll(session: Session, { seconds }: Options): Promise<Record<string, number>> {
  return {
    ...(await measureUnloaded(session, seconds)),
    ...(await measureSustained(session, seconds)),
    ...(await measureAccepts(session, seconds)),
  };
}

const allSecs = ({ seconds }: Options): number =>
  AROUND_SECS + 4 * fullSpeedSecs(seconds) + unloadedSecs(seconds);

const CONDITIONS = ["empty database", "1,000,000 finished orders", "100,000 jobs waiting in retry"] as const;

export const GROWTH: Measure = {
  name: "growth",
  letters: "g",
  title: "Growth: what a full database costs",
  prose:
    "The measures above on an empty database, on one with a million delivered orders of three months with all their rows, " +
    "and on one with a hundred thousand orders whose next attempt is far away.",
  databases: BOTH,
  contenders: ["wavegate"],
  conditions: CONDITIONS,
  columns: ALL_COLUMNS,
  charts: [bars(ALL_COLUMNS, "accepts_per_sec", "orders_per_sec", "latency_p50_ms")],
  estimateSecs: allSecs,
  async run({ setup, options, condition, seeded }) {
    const { scale } = options;
    const database =
      condition === CONDITIONS[0]
        ? null
        : await (condition === CONDITIONS[1]
            ? seeded(condition, (kind) => finishedOrders(kind, FINISHED * scale))
            : seeded(condition, (kind) => waitingOrders(kind, WAITING * scale)));
    const full = database ? { ...setup, database } : setup;
    return { values: await withSession(full, (session) => measureAll(session, options)) };
  },
};

const SNAPSHOTS = ["no snapshot", "a snapshot held open"] as const;

export const SNAPSHOT: Measure = {
  name: "snapshot",
  letters: "g",
  title: "Growth: another client's snapshot held open",
  prose:
    "Another client (a backup, a report) begins a transaction that reads, and leaves it open, while orders come as fast as " +
    "they are delivered; the other measures follow, the snapshot still open. The rate is that of the whole time, its " +
    "lowest and last that of a tenth. Without a snapshot a fifth of the time is looked at.",
  databases: BOTH,
  contenders: ["wavegate"],
  conditions: SNAPSHOTS,
  repeats: 1,
  columns: [
    { key: "orders_per_sec", label: "orders/s" },
    { key: "lowest_per_sec", label: "lowest" },
    { key: "last_per_sec", label: "last" },
    ...ALL_COLUMNS.filter(({ key }) => key !== "orders_per_sec"),
  ],
  // SQLite's log can't begin anew while somebody reads from it.
  lacks: ({ soakMinutes }) => {
    const { bavail, bsize } = statfsSync(tmpdir());
    const needed = soakMinutes * GIB_PER_MINUTE;
    return bavail * bsize > needed * 2 ** 30 ? null : `${needed} GiB of free disk`;
  },
  charts: [{ kind: "lines", panels: [{ key: "orders_per_sec", label: "orders/s over the minutes" }] }],
  estimateSecs: (options) => allSecs(options) + options.soakMinutes * 60 * ((1 + UNHINDERED_SHARE) / 2),
  run: ({ setup, options, condition }: Run): Promise<RunResult> =>
    withSession(setup, async (session) => {
      const isHeld = condition === SNAPSHOTS[1];
      const minutes = options.soakMinutes * (isHeld ? 1 : UNHINDERED_SHARE);
      const release = isHeld ? await session.database.holdSnapshot() : async () => {};
      try {
        const { window, orders } = await atPace(session, fullSpeed(), minutes * 60);
        const partMs = (window.toMs - window.fromMs) / PARTS;
        const rates = Array.from({ length: PARTS }, (_, part) => {
          const fromMs = window.fromMs + part * partMs;
          return countWithin(orders.deliveredAt, { fromMs, toMs: fromMs + partMs }) / (partMs / 1000);
        });
        const delivered = countWithin(orders.deliveredAt, window);
        const values = {
          orders_per_sec: delivered / secsOf(window),
          orders_per_cpu_sec: delivered / window.cpuSecs,
          wal_bytes_per_order: window.walBytes / delivered,
          lowest_per_sec: Math.min(...rates),
          last_per_sec: rates.at(-1)!,
          ...(await measureUnloaded(session, options.seconds)),
          ...(await measureAccepts(session, options.seconds)),
        };
        return { values, minutes, series: { orders_per_sec: rates } };
      } finally {
        await release();
      }
    }),
};
