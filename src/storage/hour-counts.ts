import { setImmediate as turn } from "node:timers/promises";
import type { Database } from "./database.ts";
import { firstIdSince } from "./ids-in-time.ts";

/** What happened in an hour. */
export interface HourCounts {
  /** Its beginning, in epoch milliseconds. */
  readonly from: number;
  readonly accepted: number;
  readonly ticketed: number;
  readonly delivered: number;
}

/** The counts of so many hours up to now, the oldest first. */
export type CountHours = (hours: number, nowMs: number) => Promise<HourCounts[]>;

export const HOUR_MS = 3_600_000;
/** Rows of one statement: an embedded database is read in the thread that serves requests. */
const PAGE = 10_000;
/** What still may be on its way when an hour is over. */
const SETTLED_MS = 60_000;
/**
 * An order or event that is older than this when it moves on is not counted there: the ids of what moved in an hour are
 * looked for no further back. A run of attempts is over in minutes, and a hold in an hour.
 */
const LOOK_BACK_MS = 2 * HOUR_MS;

const MAX_FIRST_IDS = 10;

interface Row {
  readonly hour: number | null;
  readonly n: number;
  readonly last: number;
}
type Kind = Exclude<keyof HourCounts, "from">;

/** Counts along the ids, which are in the order of time. An hour that is over is counted once, and then known. */
export function createCountHours(database: Pick<Database, "run" | "queries">): CountHours {
  const { run } = database;
  const known = new Map<number, HourCounts>();
  const firstIds = new Map<string, number>();
  // A page is so many rows, not so many ids: those have a gap where the database was restored. What doesn't count has no hour.
  const counted = (table: string, time: string, where: string): string =>
    `select hour, count(*) as n, max(id) as last from (
        select id, case when ${time} >= $2 and ${where} then cast(${time} / ${HOUR_MS} as bigint) end as hour
        from ${table} where id >= $1 order by id limit ${PAGE}) page
      group by hour`;
  // A ticketing job bears its order's id and is narrow; when it has succeeded, nothing changes it any more.
  const texts: readonly (readonly [Kind, "orders" | "ota_callback_jobs", string])[] = [
    ["accepted", "orders", counted("ticketing_jobs", "created_at", "1 = 1")],
    ["ticketed", "orders", counted("ticketing_jobs", "updated_at", "status = 'succeeded'")],
    [
      "delivered",
      "ota_callback_jobs",
      counted("ota_callback_jobs", "updated_at", "status = 'succeeded' and event = 'order.ticketed'"),
    ],
  ];

  /** Of a time that is over: it stays the first. */
  async function firstId(table: "orders" | "ota_callback_jobs", since: number): Promise<number> {
    const key = `${table} ${since}`;
    const found = firstIds.get(key) ?? (await firstIdSince(database, since, table));
    if (firstIds.size >= MAX_FIRST_IDS) firstIds.clear();
    firstIds.set(key, found);
    return found;
  }

  async function countSince(since: number): Promise<Map<number, Record<Kind, number>>> {
    const counts = new Map<number, Record<Kind, number>>();
    for (const [kind, table, text] of texts) {
      let from = await firstId(table, since - LOOK_BACK_MS);
      for (let rows = PAGE; rows === PAGE;) {
        rows = 0;
        for (const { hour, n, last } of await run<Row>(text, [from, since])) {
          rows += n;
          from = Math.max(from, last + 1);
          if (hour === null) continue;
          const count = counts.get(hour) ?? { accepted: 0, ticketed: 0, delivered: 0 };
          counts.set(hour, { ...count, [kind]: count[kind] + n });
        }
        await turn();
      }
    }
    return counts;
  }

  return async (hours, nowMs) => {
    const current = Math.floor(nowMs / HOUR_MS);
    const wanted = Array.from({ length: hours }, (_, index) => current - hours + 1 + index);
    const firstUnknown = wanted.find((hour) => !known.has(hour)) ?? current;
    const counts = await countSince(firstUnknown * HOUR_MS);
    for (const hour of known.keys()) if (hour < wanted[0]!) known.delete(hour);
    return wanted.map((hour) => {
      const count = known.get(hour) ?? {
        from: hour * HOUR_MS,
        ...(counts.get(hour) ?? { accepted: 0, ticketed: 0, delivered: 0 }),
      };
      if ((hour + 1) * HOUR_MS + SETTLED_MS < nowMs) known.set(hour, count);
      return count;
    });
  };
}
