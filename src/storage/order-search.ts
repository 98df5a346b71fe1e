import { setImmediate as turn } from "node:timers/promises";
import { sql } from "kysely";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import { type Leg, ORDER_STATUSES, type OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { firstIdSince } from "./ids-in-time.ts";
import { createReadJobs, type ListedJob } from "./job-rows.ts";
import { allOf, type Condition, conditionsOf } from "./order-conditions.ts";
import { createReadRows, type ListedOrder } from "./order-rows.ts";
import { createSources, type Direction } from "./order-sources.ts";

export interface OrderPage {
  readonly orders: readonly ListedOrder[];
  /**
   * The cursor of the next page: an order id, so that what comes in between moves nothing; null at the end. A page looks at
   * so many orders at most: one may be short, or empty, and not be the last.
   */
  readonly next: number | null;
}

export interface StatusCounts {
  /** Of every status that was asked for. */
  readonly counts: Readonly<Partial<Record<OrderStatus, number>>>;
  /** True: there are more than were worth counting, and each number says "at least". */
  readonly atLeast: boolean;
}

/** Finds orders by what operators know of them. Every look is short, and goes by an index. */
export interface OrderSearch {
  /** Newest first, those with a smaller id than the cursor. */
  page(filter: OrderFilter, cursor: number | null, limit: number): Promise<OrderPage>;
  /** The jobs of such a page's orders; `code` and `error` are then the jobs' own. */
  jobs(
    filter: OrderFilter,
    leg: Leg | null,
    cursor: number | null,
    limit: number,
  ): Promise<{ readonly jobs: readonly ListedJob[]; readonly next: number | null }>;
  /** Oldest first, those with a larger id; fewer than the limit: there are no more. */
  ids(filter: OrderFilter, afterId: number, limit: number): Promise<number[]>;
  /** With `atLeast`, there are more than were worth counting. */
  count(filter: OrderFilter): Promise<{ readonly count: number; readonly atLeast: boolean }>;
  countsByStatus(filter: OrderFilter): Promise<StatusCounts>;
}

export interface OrderSearchOptions {
  readonly clock?: Pick<Clock, "wallMs">;
  /** The orders that a group of errors has now; left out: a group has none. */
  readonly ordersOfGroup?: (fingerprint: string) => Promise<readonly number[]>;
}

/** Orders of one statement: the first look is small, as most pages fill at once. */
const STRETCH = { first: 200, most: 2000, counted: 10_000 };
/** Orders that a page is looked for among, and that are counted one by one. */
const MAX_LOOKED_AT = 20_000;
/** Orders that are counted by an index alone. */
const MAX_COUNTED = 250_000;

const DELIVERED: OrderStatus = "ota_callback_delivered";
/** All others, by where their jobs are: what is on its way may be too much to collect, what stands is in an index. */
const GROUPS: readonly (readonly OrderStatus[])[] = [
  ["accepted", "ticketing_processing"],
  ["ticketed", "ota_callback_pending"],
  ORDER_STATUSES.filter((status) => /_(blocked|exhausted|unknown)$|^c/.test(status)),
];

export function createOrderSearch(database: Database, options: OrderSearchOptions = {}): OrderSearch {
  const { clock = systemClock, ordersOfGroup = async () => [] } = options;
  const { queries } = database;
  const sources = createSources(database, ordersOfGroup);
  const readRows = createReadRows(database);
  const readJobs = createReadJobs(database);

  /** The ids that a time of acceptance stands for: from one on, and before one. */
  async function boundsOf({ createdFrom, createdBefore }: OrderFilter): Promise<Bounds> {
    const since = async (epochMs: number | null) =>
      epochMs === null ? null : firstIdSince(database, epochMs);
    return { from: await since(createdFrom), before: await since(createdBefore) };
  }

  /** Where to look, and what is to be true there. */
  async function plan(filter: OrderFilter, { from, before }: Bounds) {
    const now = clock.wallMs();
    const { partnerId } = filter;
    const where: Condition[] = [
      ...(partnerId === null ? [] : [sql`o.partner_id = ${partnerId}`]),
      ...(from === null ? [] : [sql`o.id >= ${from}`]),
      ...(before === null ? [] : [sql`o.id < ${before}`]),
      ...conditionsOf(filter, now),
    ];
    return { source: await sources.of(filter, now), where: allOf(where) };
  }

  interface Look {
    readonly direction: Direction;
    readonly beyond: number;
    readonly limit: number;
    readonly mostLookedAt: number;
  }

  /** Ids that match, and where to look on: null at the end. */
  async function look(filter: OrderFilter, { direction, limit, mostLookedAt, ...more }: Look) {
    const { from, before } = await boundsOf(filter);
    const { source, where } = await plan(filter, { from, before });
    const [edge, last] = direction === "desc" ? [before, from] : [from === null ? null : from - 1, before];
    const isPast = (id: number): boolean =>
      last !== null && (direction === "desc" ? id <= last : id >= last - 1);
    let beyond = edge === null ? more.beyond : nearer(direction, more.beyond, edge);
    const found: number[] = [];
    for (let lookedAt = 0, size = STRETCH.first; lookedAt < mostLookedAt; size = STRETCH.most) {
      const stretch = await source.stretch(direction, beyond, size);
      const { rows } = await sql<{ id: number }>`select o.id from orders o where ${stretch.where} and ${where}
        order by o.id ${sql.raw(direction)} limit ${limit - found.length}`.execute(queries);
      found.push(...rows.map((row) => row.id));
      if (found.length >= limit) return { found, next: found.at(-1)! };
      if (stretch.end === null || isPast(stretch.end)) return { found, next: null };
      beyond = stretch.end;
      lookedAt += size;
      // An embedded database is read in the thread that serves requests.
      await turn();
    }
    return { found, next: beyond };
  }

  async function pageOfIds(filter: OrderFilter, cursor: number | null, limit: number) {
    // One more than asked for tells whether there is a next page.
    const given = {
      direction: "desc",
      beyond: cursor ?? Number.MAX_SAFE_INTEGER,
      limit: limit + 1,
      mostLookedAt: MAX_LOOKED_AT,
    } as const;
    const { found, next } = await look(filter, given);
    const ids = found.slice(0, limit);
    return { ids, next: found.length > limit ? ids.at(-1)! : next };
  }

  /** Counts the matches one by one, as far as it is worth it. */
  async function countAlong(filter: OrderFilter, { from, before }: Bounds): Promise<Counted> {
    const { source, where } = await plan(filter, { from, before });
    // Ids that an index has in order come together; a walk looks at every order on its way.
    const size = source.isNarrow ? STRETCH.counted : STRETCH.most;
    const counts = new Map<OrderStatus, number>();
    let beyond = before ?? Number.MAX_SAFE_INTEGER;
    for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += size) {
      const stretch = await source.stretch("desc", beyond, size);
      const { rows } = await sql<{ status: OrderStatus; n: number }>`
        select o.pipeline_status as status, count(*) as n from orders o where ${stretch.where} and ${where}
        group by o.pipeline_status`.execute(queries);
      for (const { status, n } of rows) counts.set(status, (counts.get(status) ?? 0) + n);
      if (stretch.end === null || (from !== null && stretch.end <= from)) return { counts, isWhole: true };
      beyond = stretch.end;
      await turn();
    }
    return { counts, isWhole: false };
  }

  /** Of those that a partner has, or were accepted in a time: by the narrowest index that has every order. */
  async function total(filter: OrderFilter, bounds: Bounds): Promise<number> {
    const { where } = await plan({ ...filter, statuses: [] }, bounds);
    const { rows } = await sql<{ n: number }>`select count(*) as n from (
      select o.id from orders o where ${where} order by o.partner_id, o.id limit ${MAX_COUNTED + 1}) counted`.execute(
      queries,
    );
    return rows[0]!.n;
  }

  /** Jobs that have not succeeded: so many orders at most are not delivered. */
  async function unfinishedJobs(): Promise<number> {
    const { rows } = await sql<{ n: number }>`select
      ${sql.join(
        ["ticketing_jobs", "ota_callback_jobs"].flatMap((jobs) =>
          ["pending", "running", "blocked", "exhausted", "unknown", "cancelled", "closed"].map(
            (status) => sql`(select count(*) from ${sql.table(jobs)} where status = ${sql.lit(status)})`,
          ),
        ),
        sql` + `,
      )} as n`.execute(queries);
    return rows[0]!.n;
  }

  async function countsByStatus(filter: OrderFilter): Promise<StatusCounts> {
    const asked = filter.statuses.length === 0 ? ORDER_STATUSES : filter.statuses;
    const told = (counts: ReadonlyMap<OrderStatus, number>, atLeast: boolean): StatusCounts => ({
      counts: Object.fromEntries(asked.map((status) => [status, counts.get(status) ?? 0])),
      atLeast,
    });
    const bounds = await boundsOf(filter);
    if (!isPlain(filter)) {
      const { counts, isWhole } = await countAlong(filter, bounds);
      return told(counts, !isWhole);
    }
    const isRestAsked = asked.includes(DELIVERED);
    const groups = isRestAsked ? GROUPS : GROUPS.map((group) => group.filter((each) => asked.includes(each)));
    const counts = new Map<OrderStatus, number>();
    let isWhole = true;
    for (const statuses of groups.filter((group) => group.length > 0)) {
      const group = await countAlong({ ...filter, statuses }, bounds);
      for (const [status, n] of group.counts) counts.set(status, n);
      isWhole &&= group.isWhole;
    }
    if (!isRestAsked) return told(counts, !isWhole);
    const all = await total(filter, bounds);
    const others = isWhole ? [...counts.values()].reduce((sum, n) => sum + n, 0) : await unfinishedJobs();
    counts.set(DELIVERED, Math.max(0, Math.min(all, MAX_COUNTED) - others));
    return told(counts, !isWhole || all > MAX_COUNTED);
  }

  return {
    async page(filter, cursor, limit) {
      const { ids, next } = await pageOfIds(filter, cursor, limit);
      return { orders: await readRows(ids), next };
    },
    async jobs(filter, leg, cursor, limit) {
      const { ids, next } = await pageOfIds(filter, cursor, limit);
      const { code, error } = filter;
      const jobs = (await readJobs(ids, leg)).filter(
        (job) =>
          (code === null || job.last_status_code === code) && (error === null || job.last_error === error),
      );
      return { jobs, next };
    },
    async ids(filter, afterId, limit) {
      const given = { direction: "asc", beyond: afterId, mostLookedAt: Number.POSITIVE_INFINITY } as const;
      return (await look(filter, { ...given, limit })).found;
    },
    async count(filter) {
      const { counts, atLeast } = await countsByStatus(filter);
      return { count: Object.values(counts).reduce((sum, n) => sum + n, 0), atLeast };
    },
    countsByStatus,
  };
}

interface Bounds {
  readonly from: number | null;
  readonly before: number | null;
}

interface Counted {
  readonly counts: ReadonlyMap<OrderStatus, number>;
  readonly isWhole: boolean;
}

/** True if nothing is asked but status, partner and time of acceptance. */
function isPlain(filter: OrderFilter): boolean {
  const { q, ids, visitFrom, visitTo, code, error, pastDue, errorGroup } = filter;
  return [q, ids, visitFrom, visitTo, code, error, errorGroup].every((each) => each === null) && !pastDue;
}

/** The one that leaves less to look at. */
function nearer(direction: Direction, a: number, b: number): number {
  return direction === "desc" ? Math.min(a, b) : Math.max(a, b);
}
