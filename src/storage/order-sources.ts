import { type RawBuilder, sql } from "kysely";
import type { OrderFilter } from "../orders/order-filter.ts";
import type { JobStatus, OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { allOf, among, type Condition, pastDue } from "./order-conditions.ts";
import { STOOD } from "./migrations/0003-search.ts";

/** The way through the ids: the newest first, or the oldest. */
export type Direction = "desc" | "asc";

/** Some of the orders that may match, in the order of their ids. */
interface Stretch {
  /** True of the orders `o` that belong to it. */
  readonly where: Condition;
  /** The next stretch begins beyond this id; null: there is none. */
  readonly end: number | null;
}

/** Where to look for the orders that match: every one of them is there. */
export interface Source {
  /** False: it is only a stretch of all orders, and most of them may not match. */
  readonly isNarrow: boolean;
  /** The stretch beyond an id, of so many orders at most. */
  stretch(direction: Direction, beyond: number, orders: number): Promise<Stretch>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

type JobsName = "ticketing_jobs" | "ota_callback_jobs";
/** A query for the ids of orders, by an index that has them in order. */
interface Stream {
  readonly jobs: JobsName;
  readonly where: Condition;
}

/** Ids that are collected without order, at most; where there are more, the orders themselves are walked along. */
const MAX_COLLECTED = 5000;
const ID_OF: Record<JobsName, string> = { ticketing_jobs: "id", ota_callback_jobs: "order_id" };
const stood = sql.raw(`j.status in ${STOOD}`);

/** Where the orders of a status are found. Delivered ones are the large rest. */
const JOBS_OF: Record<OrderStatus, readonly [JobsName, JobStatus][] | null> = {
  accepted: [["ticketing_jobs", "pending"]],
  ticketing_processing: [
    ["ticketing_jobs", "pending"],
    ["ticketing_jobs", "running"],
  ],
  ticketing_blocked: [["ticketing_jobs", "blocked"]],
  ticketing_exhausted: [["ticketing_jobs", "exhausted"]],
  ticketing_unknown: [["ticketing_jobs", "unknown"]],
  ticketed: [["ota_callback_jobs", "pending"]],
  ota_callback_pending: [
    ["ota_callback_jobs", "pending"],
    ["ota_callback_jobs", "running"],
  ],
  ota_callback_delivered: null,
  ota_callback_blocked: [["ota_callback_jobs", "blocked"]],
  ota_callback_exhausted: [["ota_callback_jobs", "exhausted"]],
  cancelled: [["ticketing_jobs", "cancelled"]],
  closed: [
    ["ticketing_jobs", "closed"],
    ["ota_callback_jobs", "closed"],
  ],
};

export interface Sources {
  /** The narrowest source of the orders that a filter means. */
  of(filter: OrderFilter, now: number): Promise<Source>;
}

/** @param ordersOfGroup the orders that a group of errors has now */
export function createSources(
  { queries }: Database,
  ordersOfGroup: (fingerprint: string) => Promise<readonly number[]>,
): Sources {
  const idsOf = async (query: RawBuilder<{ id: number }>): Promise<number[]> =>
    (await query.execute(queries)).rows.map((row) => row.id);

  /** All of them, or null where there are too many. */
  async function collect(wheres: readonly Stream[]): Promise<number[] | null> {
    const found: number[] = [];
    for (const { jobs, where } of wheres) {
      const ids = await idsOf(sql`select j.${sql.ref(ID_OF[jobs])} as id from ${sql.table(jobs)} j
        where ${where} limit ${MAX_COLLECTED + 1}`);
      if (found.length + ids.length > MAX_COLLECTED) return null;
      found.push(...ids);
    }
    return found;
  }

  /** Whoever has one word in hand: whole, and without telling what it is. */
  async function meantBy(q: string): Promise<number[]> {
    const lookups = [
      sql`select id from orders where external_order_id = ${q} limit ${MAX_COLLECTED}`,
      sql`select order_id as id from tickets where code = ${q} limit ${MAX_COLLECTED}`,
      sql`select id from ticketing_jobs where reference = ${q} limit ${MAX_COLLECTED}`,
      ...(UUID.test(q) ? [sql`select id from orders where trace_id = ${q.toLowerCase()}`] : []),
    ];
    const found = await Promise.all(lookups.map((lookup) => idsOf(lookup as RawBuilder<{ id: number }>)));
    return [...found.flat(), ...(/^[1-9][0-9]{0,14}$/.test(q) ? [Number(q)] : [])];
  }

  async function visited({ visitFrom, visitTo }: OrderFilter): Promise<number[] | null> {
    if (visitFrom === null && visitTo === null) return null;
    const ids = await idsOf(sql`select order_id as id from order_items
      where visit_date is not null and visit_date >= ${visitFrom ?? ""} and visit_date <= ${visitTo ?? "9999-12-31"}
      limit ${MAX_COLLECTED + 1}`);
    return ids.length > MAX_COLLECTED ? null : ids;
  }

  /** Some ids and some streams, merged. */
  function narrow(ids: readonly number[], streams: readonly Stream[] = []): Source {
    const collected = [...new Set(ids)].sort((a, b) => a - b);
    return {
      isNarrow: true,
      async stretch(direction, beyond, orders) {
        const isBeyond = (id: number) => (direction === "desc" ? id < beyond : id > beyond);
        const streamed = await Promise.all(streams.map((stream) => next(stream, direction, beyond, orders)));
        const found = [...new Set([...collected.filter(isBeyond), ...streamed.flat()])]
          .sort((a, b) => (direction === "desc" ? b - a : a - b))
          .slice(0, orders);
        return {
          where: sql`o.id in ${among(found)}`,
          end: found.length < orders ? null : found.at(-1)!,
        };
      },
    };
  }

  function next({ jobs, where }: Stream, direction: Direction, beyond: number, limit: number) {
    const id = sql`j.${sql.ref(ID_OF[jobs])}`;
    return idsOf(sql`select ${id} as id from ${sql.table(jobs)} j where ${where} and ${past(id, direction, beyond)}
      order by ${id} ${sql.raw(direction)} limit ${limit}`);
  }

  /** Along all orders, or those of a partner. */
  function walk(partnerId: string | null): Source {
    const ofPartner = partnerId === null ? [] : [sql`o.partner_id = ${partnerId}`];
    return {
      isNarrow: false,
      async stretch(direction, beyond, orders) {
        const from = [...ofPartner, past(sql`o.id`, direction, beyond)];
        const [end = null] = await idsOf(sql`select o.id from orders o where ${allOf(from)}
          order by o.id ${sql.raw(direction)} limit 1 offset ${orders - 1}`);
        const until = end === null ? [] : [direction === "desc" ? sql`o.id >= ${end}` : sql`o.id <= ${end}`];
        return { where: allOf([...from, ...until]), end };
      },
    };
  }

  return {
    async of(filter, now) {
      const { ids, q, errorGroup, code, error, statuses } = filter;
      if (ids !== null) return narrow(ids);
      if (q !== null) return narrow(await meantBy(q));
      if (errorGroup !== null) return narrow(await ordersOfGroup(errorGroup));
      const failed = failedStreams(code, error);
      if (failed.length > 0) return narrow([], failed);
      const jobs = statuses.map((status) => JOBS_OF[status]);
      if (jobs.length > 0 && jobs.every((each) => each !== null)) {
        const streams = jobs.flat().map(([jobs, status]) => ({ jobs, status, where: withStatus(status) }));
        const [open, still] = [streams.filter(isOpen), streams.filter((stream) => !isOpen(stream))];
        const working = await collect(open);
        if (working !== null) return narrow(working, still);
      }
      if (filter.pastDue) {
        const where = pastDue(now);
        const late = await collect([
          { jobs: "ticketing_jobs", where },
          { jobs: "ota_callback_jobs", where },
        ]);
        if (late !== null) return narrow(late);
      }
      const visits = await visited(filter);
      return visits === null ? walk(filter.partnerId) : narrow(visits);
    },
  };
}

const isOpen = ({ status }: { status: JobStatus }): boolean => status === "pending" || status === "running";

/** The status stands in the text, so that the database sees which partial index holds it. */
function withStatus(status: JobStatus): Condition {
  const is = sql`j.status = ${sql.lit(status)}`;
  return isOpen({ status }) ? is : sql`${is} and ${stood}`;
}

/** Of both legs: by the status, else by the error. None for a status that is no failure: it is most jobs'. */
function failedStreams(code: number | null, error: string | null): Stream[] {
  const wheres =
    code !== null && code >= 300
      ? [sql`j.last_status_code = ${sql.lit(code)} and j.last_status_code >= 300`]
      : error !== null
        ? [sql`j.last_error = ${sql.lit(error)} and j.last_error is not null`]
        : [];
  return wheres.flatMap((where) => [
    { jobs: "ticketing_jobs" as const, where },
    { jobs: "ota_callback_jobs" as const, where },
  ]);
}

function past(id: Condition, direction: Direction, beyond: number): Condition {
  return direction === "desc" ? sql`${id} < ${beyond}` : sql`${id} > ${beyond}`;
}
