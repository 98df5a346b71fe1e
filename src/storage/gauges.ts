import type { LegStanding, Overall } from "../observe/overall-metrics.ts";
import { TICKETED_EVENT } from "../orders/callback-event.ts";
import { type JobStatus, type Leg, LEGS } from "../orders/states.ts";
import { orderAfterJob } from "../orders/transitions.ts";
import type { Database, SqlWords } from "./database.ts";
import { STOOD } from "./migrations/0003-search.ts";
import { noOpenCircuit } from "./open-circuit.ts";
import { LEG_TABLES } from "./tables.ts";

/**
 * How things stand over all processes, for those who watch. What it costs is bounded, however many orders there are: all is found by
 * index, and nothing is counted beyond the limit.
 * @param pastDueMs jobs that have been due for longer should have been claimed
 */
export type ReadGauges = (pastDueMs: number, now: number | null) => Promise<Gauges>;

type Gauges = Omit<Overall, "isHeld">;

const COUNT_LIMIT = 10_000;
const MAX_CIRCUITS = 1000;
const STANDING = {
  ticketing: ["blocked", "exhausted", "unknown"],
  callback: ["blocked", "exhausted"],
} as const satisfies Record<Leg, readonly JobStatus[]>;

const count = (rows: string): string => `(select count(*) from (${rows} limit ${COUNT_LIMIT}) counted)`;
/** Of a status by its index, whose condition is the list of statuses. */
const stoodAs = (status: JobStatus): string => `status = '${status}' and status in ${STOOD}`;

const LANES = [0, 1];

/** One row: the queue of a leg. By partner and lane, as the index of what is due has it: what is due later is not looked at. */
function legText(leg: Leg, words: SqlWords): string {
  const { jobs } = LEG_TABLES[leg];
  const now = "(select now from clock)";
  const isWorked = noOpenCircuit(leg, "p.partner_id");
  const inLane = (lane: number): string =>
    `j.status = 'pending' and j.partner_id = p.partner_id and j.lane = ${lane}`;
  const inLanes = (text: (lane: number) => string): string => LANES.map(text).join(" union all ");
  const due = (before: string): string =>
    count(
      inLanes(
        (lane) => `select 1 as one from partners p
          join ${jobs} j on ${inLane(lane)} and j.next_attempt_at <= ${before} where ${isWorked}`,
      ),
    );
  const firsts = inLanes(
    (lane) => `select (select min(j.next_attempt_at) from ${jobs} j where ${inLane(lane)}) as first_at
      from partners p where ${isWorked}`,
  );
  return `with clock as (select ${words.now("$1")} as now)
    select ${due(now)} as due, ${due(`${now} - $2`)} as past_due,
      ${count(`select 1 as one from ${jobs} where status = 'running' and lease_until <= ${now} - $2`)} as forsaken,
      ${count(`select 1 as one from ${jobs} where held_until is not null`)} as held,
      ${now} - (select min(first_at) from (${firsts}) firsts where first_at <= ${now}) as oldest_due_ms`;
}

interface LegRow {
  readonly due: number;
  readonly past_due: number;
  readonly forsaken: number;
  readonly held: number;
  readonly oldest_due_ms: number | null;
}

/** One row: when the orders were accepted that have waited longest for their tickets. A ticketing job is as old as its order. */
function notTicketedText(words: SqlWords): string {
  const inWork = (status: JobStatus): string =>
    `select created_at from (
      select created_at from ticketing_jobs where status = '${status}' limit ${COUNT_LIMIT}) ${status}_jobs`;
  const standing = (status: JobStatus): string =>
    `select created_at from (
      select created_at from ticketing_jobs where ${stoodAs(status)} order by id limit 1) ${status}_jobs`;
  const oldest = (texts: readonly string[]): string =>
    `(select min(created_at) from (${texts.join(" union all ")}) jobs)`;
  return `with clock as (select ${words.now("$1")} as now)
    select (select now from clock) - ${oldest([inWork("pending"), inWork("running")])} as in_work,
      (select now from clock) - ${oldest(STANDING.ticketing.map(standing))} as standing`;
}

/** One row for each status in which orders stand. */
function standingText(leg: Leg): string {
  const { jobs, jobOfOrder } = LEG_TABLES[leg];
  // What becomes of a callback of another event moves no order.
  const [column, speaks] =
    leg === "callback" ? ["event", `event = '${TICKETED_EVENT}'`] : [jobOfOrder, "true"];
  return STANDING[leg]
    .map(
      (status) => `select '${orderAfterJob(leg, status)}' as status, count(*) as n from (
        select ${column} from ${jobs} where ${stoodAs(status)} limit ${COUNT_LIMIT}) ${status}_jobs where ${speaks}`,
    )
    .join(" union all ");
}

const CIRCUITS = `select leg, partner_id as "partnerId", case when state = 'open' then 1 else 0 end as is_open
  from circuits order by state desc, opened_at desc limit ${MAX_CIRCUITS}`;

export function createReadGauges({ look, words }: Pick<Database, "look" | "words">): ReadGauges {
  const legTexts = LEGS.map((leg) => [leg, legText(leg, words)] as const);
  const standingOrders = LEGS.map(standingText).join(" union all ");
  const notTicketed = notTicketedText(words);

  return (pastDueMs, now) =>
    look(async (run) => {
      const [legs, oldest, standing, circuits] = await Promise.all([
        Promise.all(
          legTexts.map(async ([leg, text]) => [leg, await run<LegRow>(text, [now, pastDueMs])] as const),
        ),
        run<Record<string, number | null>>(notTicketed, [now]),
        run<{ status: string; n: number }>(standingOrders, []),
        run<{ leg: string; partnerId: string; is_open: number }>(CIRCUITS, []),
      ]);
      return {
        legs: Object.fromEntries(legs.map(([leg, rows]) => [leg, standingOf(rows[0]!)])),
        notTicketedMs: { ...oldest[0] },
        standing: Object.fromEntries(standing.map(({ status, n }) => [status, n])),
        circuits: circuits.map(({ leg, partnerId, is_open }) => ({ leg, partnerId, open: is_open === 1 })),
        countLimit: COUNT_LIMIT,
      };
    });
}

/** Claims that nobody takes over are as late as jobs that nobody claims. */
function standingOf({ due, past_due, forsaken, held, oldest_due_ms }: LegRow): LegStanding {
  return { due, pastDue: Math.min(COUNT_LIMIT, past_due + forsaken), held, oldestDueMs: oldest_due_ms };
}
