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
/** Ids of one statement: an embedded database is read in the thread that serves requests. */
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
  readonly hour: number;
  readonly n: number;
}
type Kind = Exclude<keyof HourCounts, "from">;

/** Counts along the ids, which are in the order of time. An hour that is over is counted once, and then known. */
export function createCountHours(database: Pick<Database, "run" | "queries">): CountHours {
  const { run } = database;
  const known = new Map<number, HourCounts>();
  const firstIds = new Map<string, number>();
  const counted = (table: string, time: string, where: string): string =>
    `select cast(${time} / ${HOUR_MS} as bigint) as hour, count(*) as n from ${table}
      where id >= $1 and id < $2 and ${time} >= $3 and ${where} group by 1`;
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
  const lastId = {
    orders: "select max(id) as id from ticketing_jobs",
    ota_callback_jobs: "select max(id) as id from ota_callback_jobs",
  };

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
      let id = await firstId(table, since - LOOK_BACK_MS);
      const [last] = await run<{ id: number | null }>(lastId[table], []);
      for (; id <= (last?.id ?? 0); id += PAGE) {
        for (const { hour, n } of await run<Row>(text, [id, id + PAGE, since])) {
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
