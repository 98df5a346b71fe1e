import { setImmediate as turn } from "node:timers/promises";
import { createBuyerMask } from "../orders/buyer-mask.ts";
import { type ErrorKind, readFingerprint } from "../orders/error-group.ts";
import {
  createErrorTally,
  type ErrorGroup,
  type ErrorTally,
  type FailureState,
} from "../orders/error-tally.ts";
import type { AttemptError } from "../orders/outcome.ts";
import { type JobStatus, type Leg, LEGS } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { FAILED_ATTEMPT, STOOD } from "./migrations/0003-search.ts";
import { LEG_TABLES } from "./tables.ts";

export interface ErrorGroups {
  /**
   * The groups of what stands still or waits now, and of the attempts since a time in epoch milliseconds: those with the
   * most orders first, at most 100. `atLeast`: there is more than was worth looking at.
   */
  list(since: number): Promise<{ readonly groups: readonly ErrorGroup[]; readonly atLeast: boolean }>;
  /** The orders that stand still or wait by a group's error now, the oldest first. */
  ordersOf(fingerprint: string): Promise<number[]>;
}

/** Jobs of a leg and status, and attempts of a leg, that are looked at. */
const MAX_ROWS = 10_000;
/** Rows of one statement: an embedded database is read in the thread that serves requests. */
const PAGE = 1000;
const MAX_GROUPS = 100;
const ANSWER_CHARS = 500;

interface Row {
  readonly job_id: number;
  readonly no: number;
  readonly order_id: number;
  readonly partner_id: string;
  readonly code: number | null;
  readonly error: AttemptError | null;
  readonly at: number;
  readonly note: string | null;
  readonly answer: string | null;
  readonly callback_url: string | null;
}

const STANDING: readonly JobStatus[] = ["blocked", "exhausted", "unknown"];

export function createErrorGroups({ run }: Pick<Database, "run">): ErrorGroups {
  const textsOf = { ticketing: createTexts("ticketing"), callback: createTexts("callback") };

  function add(tally: ErrorTally, leg: Leg, state: FailureState, rows: readonly Row[]): void {
    for (const row of rows) {
      const { code, error, at, note, answer, order_id, partner_id, callback_url } = row;
      const of = { orderId: order_id, partnerId: partner_id, callbackUrl: callback_url };
      tally.add(state, { leg, code, error, at, note, answer, ...of });
    }
  }

  /** Pages of rows, as many as are worth it. @returns true if there are more */
  async function walk(page: (last: Row | null) => Promise<Row[]>, each: (rows: readonly Row[]) => void) {
    let last: Row | null = null;
    for (let seen = 0; seen < MAX_ROWS; seen += PAGE) {
      const rows = await page(last);
      each(rows);
      if (rows.length < PAGE) return false;
      last = rows.at(-1)!;
      await turn();
    }
    return true;
  }

  /** What stands or waits in a leg; with a code or an error only that. */
  async function addJobs(tally: ErrorTally, leg: Leg, only: Pick<ErrorKind, "code" | "error"> | null) {
    const texts = textsOf[leg];
    const terms = [only === null ? 0 : 1, only?.code ?? 0, only?.error ?? ""];
    let atLeast = false;
    for (const status of STANDING) {
      const page = (last: Row | null) =>
        run<Row>(texts.standing, [...terms, status, last?.order_id ?? 0, last?.job_id ?? 0]);
      const more = await walk(page, (rows) => add(tally, leg, "standing", rows));
      atLeast ||= more;
    }
    const waiting = await run<Row>(texts.waiting, terms);
    add(tally, leg, "waiting", waiting);
    return atLeast || waiting.length === MAX_ROWS;
  }

  function addAttempts(tally: ErrorTally, leg: Leg, since: number): Promise<boolean> {
    const latest = { at: Number.MAX_SAFE_INTEGER, job_id: 0, no: 0 };
    return walk(
      (last) => {
        const { at, job_id, no } = last ?? latest;
        return run<Row>(textsOf[leg].attempts, [since, at, job_id, no]);
      },
      (rows) => add(tally, leg, "attempt", rows),
    );
  }

  /** Names of persons may stand in what was said without a sign of it: the example's own are hidden. */
  async function withoutBuyer(group: ErrorGroup): Promise<ErrorGroup> {
    const text = "select raw_payload from orders where id = $1";
    const [order] = await run<{ raw_payload: string }>(text, [group.exampleOrderId]);
    return order ? { ...group, message: createBuyerMask(order.raw_payload).text(group.message) } : group;
  }

  return {
    async list(since) {
      const tally = createErrorTally();
      let atLeast = false;
      for (const leg of LEGS) {
        const more = [await addJobs(tally, leg, null), await addAttempts(tally, leg, since)];
        atLeast ||= more.includes(true);
      }
      const groups = tally.groups();
      const shown = await Promise.all(groups.slice(0, MAX_GROUPS).map(withoutBuyer));
      return { groups: shown, atLeast: atLeast || groups.length > MAX_GROUPS };
    },
    async ordersOf(fingerprint) {
      const only = readFingerprint(fingerprint);
      if (only === null) return [];
      const tally = createErrorTally();
      await addJobs(tally, only.leg, only);
      const group = tally.groups().find((each) => each.fingerprint === fingerprint);
      return group ? [...group.standing.union(group.waiting)].sort((one, other) => one - other) : [];
    },
  };
}

function createTexts(leg: Leg) {
  const { jobs, attempts, jobOfOrder } = LEG_TABLES[leg];
  const urlOf = (orderId: string): string =>
    leg === "callback" ? `(select o.callback_url from orders o where o.id = ${orderId})` : "null";
  const ofLast = `a.job_id = j.id and a.no = j.attempts`;
  // A job that was given up without an attempt, as after a hold, has its reason with the order.
  const jobsWhere = (condition: string, last: (column: string) => string, join = ""): string => `
    select j.id as job_id, j.attempts as no, j.order_id, j.partner_id, j.last_status_code as code,
      j.last_error as error, coalesce(${last("a.at")}, j.updated_at) as at,
      ${last(`substr(a.answer, 1, ${ANSWER_CHARS})`)} as answer,
      case when j.attempts = 0 then (select o.blocked_reason from orders o where o.id = j.order_id)
        else ${last("a.note")} end as note,
      ${urlOf("j.order_id")} as callback_url
    from ${jobs} j ${join}
    where ($1 = 0 or (coalesce(j.last_status_code, 0) = $2 and coalesce(j.last_error, '') = $3)) and ${condition}`;
  const along = `j.${jobOfOrder}, j.id`;
  return {
    // The list of statuses is the condition of the index.
    standing: `${jobsWhere(
      `j.status = $4 and j.status in ${STOOD} and (${along}) > ($5, $6)`,
      (column) => column,
      `left join ${attempts} a on ${ofLast}`,
    )} order by ${along} limit ${PAGE}`,
    // One by one: for so many rows at once PostgreSQL would join by reading all attempts.
    waiting: `${jobsWhere(
      `j.status = 'pending' and j.lane = 1 and (j.run_attempts > 0 or j.held_until is not null)`,
      (column) => `(select ${column} from ${attempts} a where ${ofLast})`,
    )} limit ${MAX_ROWS}`,
    attempts: `
      select a.job_id, a.no, a.order_id, a.partner_id, a.code, a.error, a.at, a.note,
        substr(a.answer, 1, ${ANSWER_CHARS}) as answer, ${urlOf("a.order_id")} as callback_url
      from ${attempts} a
      where a.at >= $1 and a.at <= $2 and (a.at, a.job_id, a.no) < ($2, $3, $4) and ${FAILED_ATTEMPT}
      order by a.at desc, a.job_id desc, a.no desc limit ${PAGE}`,
  };
}
