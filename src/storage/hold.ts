import { sql } from "kysely";
import { LEGS } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { STOOD } from "./migrations/0003-search.ts";
import { type Act, createRecordAct, type Subject } from "./operator-record.ts";
import { LEG_TABLES, type Tables } from "./tables.ts";

/** That nothing is worked: orders are accepted and shown, and wait. */
export interface Hold {
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** The hold that is in force, or null. */
export type ReadHold = () => Promise<Hold | null>;

/** The row is the hold, for every process and over every restart; placing and lifting it are acts on record. */
export interface Holds {
  /** @returns false when there is one: it stays as it is */
  place(act: Act, now: number | null): Promise<boolean>;
  /**
   * Holds a database that was restored from a backup, and moves every number on that was told to somebody after the backup
   * was made: ids, and the sequences of the events of orders that have no tickets. Safe to run again.
   * @returns the number that ids come after, and whether there was no hold yet
   * @throws {@link ClockBehind}
   */
  placeRestored(
    act: Act,
    now: number | null,
  ): Promise<{ readonly idsAfter: number; readonly placed: boolean }>;
  /**
   * Lifts the hold. What an open circuit holds may be held anew for as long as its limit says: no time has passed for it.
   * @returns the hold that was in force, or null when there is none
   */
  lift(act: Act, now: number | null): Promise<Hold | null>;
}

/** The database's ids are ahead of its clock, which must have been set back: ids could be given out twice. */
export class ClockBehind extends Error {
  override readonly name = "ClockBehind";
}

/** Tables whose ids the database gives out. */
export const NUMBERED = [
  "orders",
  "ticketing_jobs",
  "ota_callback_jobs",
  "late_results",
  "operator_actions",
  "auth_events",
  "rejected_requests",
  "bulk_jobs",
] as const satisfies readonly (keyof Tables)[];

/**
 * After a restore, ids come after a number that the clock tells: 100,000 for each second since 2026. A backup tells neither
 * how many ids were given out after it, nor whether it has been restored before, and the clock needs to know neither. It holds
 * as long as fewer than that are given out in a second over the time from one restore to the next, and stays a
 * safe integer for 2,800 years.
 */
const IDS_PER_SEC = 100_000;
const NUMBERS_SINCE_MS = Date.UTC(2026, 0, 1);

/** Stands before the reason until that is done: whoever is about to release it sees that a restore was cut short. */
export const IDS_NOT_MOVED = "ids are not moved on yet, run `hold --restored` again: ";

/** Jobs of one statement. */
const BATCH = 1_000;
const GATEWAY: Subject = { partnerId: "", orderId: null };

export function createReadHold({ run }: Pick<Database, "run">): ReadHold {
  return async () => {
    const [row] = await run<Hold>("select actor, reason, since from holds where partner_id = ''", []);
    return row === undefined ? null : { ...row };
  };
}

export function createHolds({ run, transact, queries, words }: Database): Holds {
  const recordAct = createRecordAct(words);
  const readHold = createReadHold({ run });
  const insert = `insert into holds (partner_id, actor, reason, since) values ('', $1, $2, ${words.now("$3")})
    on conflict (partner_id) do nothing returning partner_id`;
  const mark = `update holds set reason = '${IDS_NOT_MOVED}' || reason
    where partner_id = '' and substr(reason, 1, ${IDS_NOT_MOVED.length}) <> '${IDS_NOT_MOVED}'`;
  const unmark = `update holds set reason = substr(reason, ${IDS_NOT_MOVED.length + 1})
    where partner_id = '' and substr(reason, 1, ${IDS_NOT_MOVED.length}) = '${IDS_NOT_MOVED}'`;
  const remove = "delete from holds where partner_id = '' returning actor, reason, since";
  const holdAnew = LEGS.map((leg) => {
    const { jobs } = LEG_TABLES[leg];
    const held = `select id from ${jobs} where held_until is not null and status = 'pending'
      limit ${BATCH} ${words.forUpdateSkipLocked}`;
    return `with clock as (select ${words.now("$1")} as now)
      update ${jobs} set held_until = null, next_attempt_at = (select now from clock), updated_at = (select now from clock)
      where id ${words.amongFew(held)} returning id`;
  });
  const skips = NUMBERED.flatMap((table) => words.skipIds(table));

  async function skipIds(nowMs: number): Promise<number> {
    const seconds = Math.max(0, Math.floor((nowMs - NUMBERS_SINCE_MS) / 1000));
    const after = seconds * IDS_PER_SEC;
    const [last] = await run<{ id: number | null }>("select max(id) as id from orders", []);
    // A second's worth: this may be the second time within the same one.
    if ((last?.id ?? 0) > after + IDS_PER_SEC) {
      throw new ClockBehind(
        `the database's clock (${new Date(nowMs).toISOString()}) stands before the time of its newest order: set it right first`,
      );
    }
    for (const text of skips) await run(text, [after]);
    await skipSequences(seconds);
    return after;
  }

  /**
   * What partners were told of failures after the backup is forgotten, and a sequence that they have seen could be passed over.
   * Orders with tickets have their event already. In one go, however many they are: nobody else is at work.
   */
  async function skipSequences(seconds: number): Promise<void> {
    const open = sql.join(
      // Each by its index, whose condition it names.
      [
        "status = 'pending'",
        "status = 'running'",
        `status in ('blocked', 'exhausted', 'unknown') and status in ${STOOD}`,
      ].map((where) => sql`select id, partner_id from ticketing_jobs where ${sql.raw(where)}`),
      sql` union all `,
    );
    await queries.transaction().execute((transaction) =>
      sql`update orders set failures_told = ${seconds} where failures_told < ${seconds} and id in (
        select j.id from (${open}) j join partners p on p.partner_id = j.partner_id and p.failure_events = 1)`.execute(
        transaction,
      ),
    );
  }

  return {
    place: (act, now) =>
      transact(async (tx) => {
        const placed = await tx(insert, [act.actor, act.reason, now]);
        if (placed.length > 0) await recordAct(tx, GATEWAY, "hold", act, now);
        return placed.length > 0;
      }),
    async placeRestored(act, now) {
      // The hold first: whatever fails after it, nothing is worked.
      const placed = await transact(async (tx) => {
        const rows = await tx(insert, [act.actor, act.reason, now]);
        await tx(mark, []);
        return rows;
      });
      const [clock] = await run<{ now: number }>(`select ${words.now("$1")} as now`, [now]);
      const idsAfter = await skipIds(clock!.now);
      const detail = { restored: true, ids_after: idsAfter };
      await transact(async (tx) => {
        await tx(unmark, []);
        await recordAct(tx, GATEWAY, "hold", { ...act, detail }, now);
      });
      return { idsAfter, placed: placed.length > 0 };
    },
    async lift(act, now) {
      // Before, in small steps: while it is held, nobody holds them again.
      if ((await readHold()) !== null) {
        for (const text of holdAnew) while ((await run(text, [now])).length === BATCH);
      }
      return transact(async (tx) => {
        const [held] = await tx<Hold>(remove, []);
        if (held === undefined) return null;
        await recordAct(tx, GATEWAY, "release", { ...act, detail: { held_since: held.since } }, now);
        return { ...held };
      });
    },
  };
}
