import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "../load/clock.ts";
import { withSession } from "../load/session.ts";
import { percentile } from "../report/statistics.ts";
import { bars, BOTH, type Column, type Measure } from "./measure.ts";
import { atPace, deliveryLatencies } from "./paces.ts";
import { type BacklogKind, dueOrders } from "./seeds.ts";

const BACKLOG = 100_000;
const PER_SEC = 50;
const LOOK_EVERY_MS = 100;
/**
 * What a backlog may take of the machine: at a target that answers at once, the 1,024 attempts of the other measures are as
 * much as two cores can do, and what is new waits for all of them.
 */
const ENV = { TICKETING_CONCURRENCY: "16", CALLBACK_CONCURRENCY: "32", CALLBACK_CONCURRENCY_TOTAL: "64" };
/** A system that takes its time holds the drain back, and not the machine. */
const SLOWLY = { p50Ms: 50, p99Ms: 400, failureShare: 0 };
const SLOW_ENV = { ...ENV, TICKETING_CONCURRENCY: "48" };

const CONDITIONS: Readonly<Record<string, { readonly backlog: BacklogKind; readonly slowly?: true }>> = {
  retries: { backlog: "retries" },
  "another partner's": { backlog: "another partner's" },
  "first attempts": { backlog: "first attempts" },
  "retries, slow ticketing": { backlog: "retries", slowly: true },
  "another partner's, slow ticketing": { backlog: "another partner's", slowly: true },
};

const COLUMNS: readonly Column[] = [
  { key: "alone_p95_ms", label: "p95 alone, ms", decimals: 1 },
  { key: "beside_p95_ms", label: "p95 beside, ms", decimals: 1 },
  { key: "p95_times", label: "beside ÷ alone", decimals: 2 },
  { key: "drained_per_sec", label: "drained/s" },
];

export const BACKLOG_DRAINED: Measure = {
  name: "backlog",
  letters: "j",
  title: "A backlog of 100,000 drained while new orders keep coming",
  prose:
    "50 new orders a second, timed from POST to callback: first alone, then after a restart beside 100,000 orders that are all " +
    "due: retries of the same partner's orders (as after an outage), another partner's orders, or orders of the same partner " +
    "that came before and have their turn before. 16 attempts at ticketing are in flight at most, 32 callbacks of a partner, and " +
    "ticketing answers at once, so that the drain takes all that the machine has; or it answers log-normally (p50 50 ms, p99 " +
    "400 ms), 48 attempts at a time.",
  databases: BOTH,
  contenders: ["wavegate"],
  conditions: Object.keys(CONDITIONS),
  repeats: 1,
  columns: COLUMNS,
  charts: [bars(COLUMNS, "beside_p95_ms", "drained_per_sec")],
  estimateSecs: ({ seconds }) => 100 + 2 * seconds,
  run: ({ setup, options, condition }) => {
    const { backlog, slowly = false } = CONDITIONS[condition]!;
    const conditions = slowly ? { ticketing: SLOWLY, env: SLOW_ENV } : { env: ENV };
    return withSession({ ...setup, ...conditions }, async (session) => {
      const { load, database } = session;
      const pace = { kind: "open", perSec: PER_SEC } as const;
      const { window, orders } = await atPace(session, pace, 2 * options.seconds);
      const alone = percentile(deliveryLatencies(orders, window), 0.95);

      const count = BACKLOG * options.scale;
      const callbackUrl = `${load.targetsUrl}/partner`;
      await session.restart(async () => {
        await load.expect(count);
        await database.execute(dueOrders(database.kind, { count, backlog, callbackUrl }));
      });
      const fromMs = nowMs();
      await load.start(pace);
      for (let seen = 0, seenAtMs = fromMs; seen < count && nowMs() - seenAtMs < 30_000;) {
        await sleep(LOOK_EVERY_MS);
        const { seeded } = await load.delivered();
        if (seeded > seen) [seen, seenAtMs] = [seeded, nowMs()];
      }
      const toMs = nowMs();
      const { sent } = await session.settled();
      const beside = percentile(deliveryLatencies(sent, { fromMs, toMs }), 0.95);
      return {
        values: {
          alone_p95_ms: alone,
          beside_p95_ms: beside,
          p95_times: beside / alone,
          drained_per_sec: count / ((toMs - fromMs) / 1000),
        },
      };
    });
  },
};
