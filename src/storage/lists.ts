import { type RawBuilder, type Selectable, sql } from "kysely";
import type { Database } from "./database.ts";
import { allOf, type Condition } from "./order-conditions.ts";
import type { AuthEventsTable, RejectedRequestsTable } from "./tables.ts";

// What operators look through beside the orders: newest first, in pages whose cursors are the place of the last row, so
// that what comes in between moves nothing.

/** From a moment on, and before one: epoch milliseconds, or null. */
export interface Span {
  readonly since: number | null;
  readonly until: number | null;
}

/** Where a page begins: beyond the row at this place. */
export type Place = readonly number[];

export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly next: Place | null;
}

export interface AuthEventFilter extends Span {
  readonly partnerId: string | null;
  readonly reason: string | null;
  readonly ip: string | null;
}
export type AuthEventRow = Selectable<AuthEventsTable>;

export interface RejectionFilter extends Span {
  readonly partnerId: string | null;
  readonly externalOrderId: string | null;
  readonly status: number | null;
}
export type RejectionRow = Selectable<RejectedRequestsTable>;

export interface Lists {
  authEvents(filter: AuthEventFilter, after: Place | null, limit: number): Promise<ListPage<AuthEventRow>>;
  rejections(filter: RejectionFilter, after: Place | null, limit: number): Promise<ListPage<RejectionRow>>;
}

export function createLists({ queries }: Database): Lists {
  /** @param order the columns of the place, all of them descending */
  async function page<Row extends object>(
    rows: RawBuilder<unknown>,
    where: readonly Condition[],
    order: readonly string[],
    after: Place | null,
    limit: number,
  ): Promise<ListPage<Row>> {
    const columns = order.map((name) => sql.ref(name));
    const beyond = after === null ? [] : [sql`(${sql.join(columns)}) < (${sql.join(after.map(Number))})`];
    const found = await sql<Row>`${rows} where ${allOf([...where, ...beyond])}
      order by ${sql.join(columns.map((column) => sql`${column} desc`))} limit ${limit + 1}`.execute(queries);
    const kept = found.rows.slice(0, limit);
    const last = kept.at(-1) as Record<string, number> | undefined;
    return { rows: kept, next: found.rows.length > limit && last ? order.map((name) => last[name]!) : null };
  }

  return {
    authEvents: ({ partnerId, reason, ip, ...span }, after, limit) =>
      page(
        sql`select id, partner_id, reason, ip, user_agent, minute, count, last_at from auth_events`,
        [...equal({ partner_id: partnerId, reason, ip }), ...within("minute", span)],
        ["minute", "id"],
        after,
        limit,
      ),
    rejections: ({ partnerId, externalOrderId, status, ...span }, after, limit) =>
      page(
        sql`select id, partner_id, status, problem, reason, external_order_id, ip, count, at from rejected_requests`,
        [
          ...equal({ partner_id: partnerId, external_order_id: externalOrderId, status }),
          ...within("at", span),
        ],
        ["at", "id"],
        after,
        limit,
      ),
  };
}

/** What is given has to be so; null is any. */
export function equal(columns: Readonly<Record<string, string | number | null>>): Condition[] {
  return Object.entries(columns).flatMap(([name, value]) =>
    value === null ? [] : [sql`${sql.ref(name)} = ${value}`],
  );
}

export function within(column: string, { since, until }: Span): Condition[] {
  return [
    ...(since === null ? [] : [sql`${sql.ref(column)} >= ${since}`]),
    ...(until === null ? [] : [sql`${sql.ref(column)} < ${until}`]),
  ];
}
