import { sql } from "kysely";
import type { OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { among } from "./order-conditions.ts";

/** How far the tables that only grow have been looked at. */
export interface Marks {
  readonly order: number;
  readonly action: number;
  readonly late: number;
}

export interface Moved {
  /** Orders that came since the marks, and some that stood before; so with the next. */
  readonly came: readonly number[];
  /** Orders that an operator or a late result may have moved since. */
  readonly acted: readonly number[];
  /** Orders with a job in flight, or due soon. */
  readonly atWork: readonly number[];
  /** There was more of something than one look reads. */
  readonly cut: boolean;
  readonly marks: Marks;
}

export interface OrderState {
  readonly status: OrderStatus;
  /** What it and its jobs are like now, in a word: another word, and it has changed. */
  readonly word: string;
}

/**
 * What moves, for whoever follows it from another process: no column of orders that changes has an index, so it is told
 * by what came to the ends of tables and by the queues. Each look is a few rows by index.
 */
export interface Changes {
  /** Where the tables end now. */
  marks(): Promise<Marks>;
  /** @param dueBefore epoch milliseconds */
  since(marks: Marks, dueBefore: number): Promise<Moved>;
  states(ids: readonly number[]): Promise<Map<number, OrderState>>;
}

/** Rows of each kind at most. */
const MOST = 500;
/** On PostgreSQL a smaller id may become visible after a larger one. */
const LOOK_BACK = 200;

export function createChanges({ queries }: Database): Changes {
  const last = async (table: "orders" | "operator_actions" | "late_results"): Promise<number> => {
    const row = await queries
      .selectFrom(table)
      .select("id")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst();
    return row?.id ?? 0;
  };

  async function ended(table: "operator_actions" | "late_results", after: number) {
    const query = queries
      .selectFrom(table)
      .select(["id", "order_id"])
      .where("id", ">", after - LOOK_BACK);
    return query
      .orderBy("id")
      .limit(MOST + LOOK_BACK)
      .execute();
  }

  async function atWork(jobs: "ticketing_jobs" | "ota_callback_jobs", dueBefore: number) {
    const found = await sql<{ order_id: number }>`select * from (
        select order_id from ${sql.table(jobs)} where status = 'running' order by lease_until limit ${MOST}) running
      union all select * from (
        select j.order_id from partners p join ${sql.table(jobs)} j on j.partner_id = p.partner_id
        where j.status = 'pending' and j.lane in (0, 1) and j.next_attempt_at <= ${dueBefore} limit ${MOST}) due`.execute(
      queries,
    );
    return found.rows.map((row) => row.order_id);
  }

  return {
    async marks() {
      return {
        order: await last("orders"),
        action: await last("operator_actions"),
        late: await last("late_results"),
      };
    },
    async since(marks, dueBefore) {
      // First, so that whatever is at work because it came, or somebody acted, is told as that too.
      const legs = [await atWork("ticketing_jobs", dueBefore), await atWork("ota_callback_jobs", dueBefore)];
      const orders = await queries
        .selectFrom("orders")
        .select("id")
        .where("id", ">", marks.order - LOOK_BACK)
        .orderBy("id", "desc")
        .limit(MOST + LOOK_BACK)
        .execute();
      const [actions, late] = [
        await ended("operator_actions", marks.action),
        await ended("late_results", marks.late),
      ];
      return {
        came: orders.map((row) => row.id),
        acted: [...actions, ...late].flatMap((row) => row.order_id ?? []),
        atWork: legs.flat(),
        cut:
          [orders, actions, late].some((rows) => rows.length >= MOST + LOOK_BACK) ||
          legs.some((rows) => rows.length >= MOST),
        marks: {
          order: Math.max(marks.order, orders[0]?.id ?? 0),
          action: actions.at(-1)?.id ?? marks.action,
          late: late.at(-1)?.id ?? marks.late,
        },
      };
    },
    async states(ids) {
      const { rows } = await sql<{ id: number; status: OrderStatus; word: string }>`
        select o.id, o.pipeline_status as status, o.pipeline_status || ' ' || t.status || ' ' || t.attempts || ' ' || coalesce(t.last_status_code, 0)
          || ' ' || coalesce((select c.status || ' ' || c.attempts from ota_callback_jobs c
            where c.order_id = o.id order by c.sequence desc limit 1), '') as word
        from orders o join ticketing_jobs t on t.id = o.id where o.id in ${among(ids)}`.execute(queries);
      return new Map(rows.map(({ id, ...state }) => [id, state]));
    },
  };
}
