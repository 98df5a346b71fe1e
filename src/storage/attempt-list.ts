import { sql } from "kysely";
import type { AttemptError } from "../orders/outcome.ts";
import { type Leg, LEGS } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { equal, type ListPage, type Place, type Span, within } from "./lists.ts";
import { FAILED_ATTEMPT } from "./migrations/0003-search.ts";
import { allOf, among, type Condition } from "./order-conditions.ts";

/** Null is any. */
export interface AttemptFilter extends Span {
  readonly leg: Leg | null;
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly partnerId: string | null;
  readonly orderId: number | null;
  /** True: only those that brought no 2xx. */
  readonly failed: boolean;
}

export interface ListedAttempt {
  readonly leg: Leg;
  readonly order_id: number;
  readonly job_id: number;
  readonly partner_id: string;
  readonly no: number;
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly at: number;
  readonly duration_ms: number | null;
  readonly note: string | null;
}

/**
 * Attempts across orders, of both legs. Failed ones, which have an index of their own, come in the order of their time,
 * the newest first. Where others are meant too, the newest orders come first, each with all of its attempts that match.
 */
export type ListAttempts = (
  filter: AttemptFilter,
  after: Place | null,
  limit: number,
) => Promise<ListPage<ListedAttempt>>;

/** Failed attempts that one page looks at, and orders. */
const MAX_LOOKED_AT = 20_000;
const MAX_ORDERS = 2000;
/** Orders with their attempts in one look. */
const ORDERS = 200;

const COLUMNS = sql.raw(
  "a.job_id, a.order_id, a.partner_id, a.no, a.code, a.error, a.at, a.duration_ms, a.note",
);
const TABLES = {
  ticketing: sql.raw("ticketing_attempts a"),
  callback: sql.raw("ota_callback_attempts a"),
} as const satisfies Record<Leg, Condition>;

export function createListAttempts({ queries }: Database, maxLookedAt = MAX_LOOKED_AT): ListAttempts {
  async function read(leg: Leg, where: readonly Condition[], rest: Condition): Promise<ListedAttempt[]> {
    const found = await sql<Omit<ListedAttempt, "leg">>`select ${COLUMNS} from ${TABLES[leg]}
      where ${allOf(where)} ${rest}`.execute(queries);
    return found.rows.map((row) => ({ leg, ...row }));
  }

  async function byTime(filter: AttemptFilter, after: Place | null, limit: number) {
    const legs = legsOf(filter);
    const conditions = (leg: Leg) => [failure(filter), ...(after === null ? [] : beyond(leg, after))];
    const horizon = filter.partnerId === null ? null : await horizonOf(filter, legs, conditions);
    const found = await Promise.all(
      legs.map((leg) =>
        read(
          leg,
          [
            ...conditions(leg),
            ...conditionsOf(filter),
            ...(horizon === null ? [] : [sql`a.at >= ${horizon}`]),
          ],
          sql`order by a.at desc, a.job_id desc, a.no desc limit ${limit + 1}`,
        ),
      ),
    );
    const rows = found.flat().sort((a, b) => compare(placeOf(b), placeOf(a)));
    const kept = rows.slice(0, limit);
    if (rows.length > limit) return { rows: kept, next: placeOf(kept.at(-1)!) };
    return { rows: kept, next: horizon === null ? null : [horizon, 0, 0, 0] };
  }

  /** How far back a page looks for what no index has alone, a partner's: null, if to the end. */
  async function horizonOf(
    filter: AttemptFilter,
    legs: readonly Leg[],
    conditions: (leg: Leg) => Condition[],
  ) {
    const everybodys = conditionsOf({ ...filter, partnerId: null });
    const found = await Promise.all(
      legs.map((leg) =>
        sql<{
          at: number;
        }>`select a.at from ${TABLES[leg]} where ${allOf([...conditions(leg), ...everybodys])}
          order by a.at desc limit 1 offset ${maxLookedAt}`.execute(queries),
      ),
    );
    const ats = found.flatMap(({ rows }) => rows.map(({ at }) => at));
    return ats.length === 0 ? null : Math.max(...ats);
  }

  async function byOrder(filter: AttemptFilter, after: Place | null, limit: number) {
    const rows: ListedAttempt[] = [];
    let before = after?.[0] ?? null;
    for (let lookedAt = 0; lookedAt < MAX_ORDERS; lookedAt += ORDERS) {
      const ids = await ordersBefore(filter, before);
      const attempts = Map.groupBy(await ofOrders(ids, filter), (attempt) => attempt.order_id);
      for (const id of ids) {
        rows.push(...(attempts.get(id) ?? []));
        if (rows.length >= limit) return { rows, next: placeOfOrder(id) };
      }
      if (ids.length < ORDERS) return { rows, next: null };
      before = ids.at(-1)!;
    }
    return { rows, next: before === null ? null : placeOfOrder(before) };
  }

  async function ordersBefore({ orderId, partnerId }: AttemptFilter, before: number | null) {
    let orders = queries.selectFrom("orders").select("id").orderBy("id", "desc").limit(ORDERS);
    if (before !== null) orders = orders.where("id", "<", before);
    if (orderId !== null) orders = orders.where("id", "=", orderId);
    if (partnerId !== null) orders = orders.where("partner_id", "=", partnerId);
    return (await orders.execute()).map(({ id }) => id);
  }

  async function ofOrders(ids: readonly number[], filter: AttemptFilter): Promise<ListedAttempt[]> {
    const jobs: Record<Leg, readonly number[]> = {
      ticketing: ids,
      callback: (
        await sql<{ id: number }>`select id from ota_callback_jobs where order_id in ${among(ids)}`.execute(
          queries,
        )
      ).rows.map(({ id }) => id),
    };
    const found = await Promise.all(
      legsOf(filter).map((leg) =>
        read(
          leg,
          [sql`a.job_id in ${among(jobs[leg])}`, ...conditionsOf(filter)],
          sql`order by a.job_id desc, a.no desc`,
        ),
      ),
    );
    return found.toReversed().flat();
  }

  return (filter, after, limit) =>
    isOfFailed(filter) && filter.orderId === null
      ? byTime(filter, after, limit)
      : byOrder(filter, after, limit);
}

function isOfFailed({ failed, code, error }: AttemptFilter): boolean {
  return failed || error !== null || (code !== null && code >= 300);
}

/** The condition of the index that has them in order: by the error, by the status, or all that failed. */
function failure({ code, error }: AttemptFilter): Condition {
  if (error !== null) return sql.raw("a.error is not null");
  return sql.raw(code === null ? FAILED_ATTEMPT : "a.code >= 300");
}

function legsOf({ leg }: AttemptFilter): readonly Leg[] {
  return leg === null ? LEGS : [leg];
}

function conditionsOf(filter: AttemptFilter): Condition[] {
  const { code, error, partnerId, failed } = filter;
  return [
    ...equal({ "a.code": code, "a.error": error, "a.partner_id": partnerId }),
    ...within("a.at", filter),
    ...(failed ? [sql.raw(FAILED_ATTEMPT)] : []),
  ];
}

/** Later ones, of either leg, come first. */
function placeOf({ leg, at, job_id, no }: ListedAttempt): Place {
  return [at, LEGS.indexOf(leg), job_id, no];
}

/** As long as the others', so that no page's cursor breaks another list. */
function placeOfOrder(id: number): Place {
  return [id, 0, 0, 0];
}

function beyond(leg: Leg, after: Place): Condition[] {
  // Or PostgreSQL would take the cursor's number for a short one too, and refuse one that isn't.
  const place = sql`(a.at, cast(${sql.lit(LEGS.indexOf(leg))} as bigint), a.job_id, a.no)`;
  return [sql`a.at <= ${after[0]}`, sql`${place} < (${sql.join(after.map(Number))})`];
}

function compare(a: Place, b: Place): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
