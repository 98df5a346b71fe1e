import { setImmediate as turn } from "node:timers/promises";
import { type Leg, LEGS, type OrderStatus } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { createReadHold, type Hold } from "./hold.ts";
import { type CountHours, createCountHours, HOUR_MS, type HourCounts } from "./hour-counts.ts";
import {
  legTexts,
  MAX_PARTNERS,
  MAX_ROWS,
  NOT_TICKETED_VISITS,
  OLDEST_IN_WORK,
  OLDEST_STANDING,
  OPEN_CIRCUITS,
} from "./overview-texts.ts";

/** How the jobs of a leg fare, of one partner or of all. */
export interface LegHealth {
  /** Attempts that failed in the last hour. */
  readonly failures: number;
  /** Jobs that wait for an attempt, and that stand still. */
  readonly waiting: number;
  readonly standing: number;
}

export interface OpenCircuit {
  readonly leg: Leg;
  /** Empty: ticketing. */
  readonly partnerId: string;
  readonly reason: string | null;
  readonly openedAt: number;
}

export interface PartnerHealth {
  readonly id: string;
  readonly name: string;
  readonly disabledAt: number | null;
  readonly legs: Readonly<Record<Leg, LegHealth>>;
}

export interface Latency {
  /** The attempts that it is taken from: the latest. */
  readonly attempts: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface WaitingOrder {
  readonly id: number;
  readonly externalOrderId: string;
  readonly partnerId: string;
  readonly status: OrderStatus;
  readonly createdAt: number;
  /** Attempts of the present run, so far. */
  readonly runAttempts: number;
  readonly nextAttemptAt: number | null;
}

export interface DayOfVisits {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** Orders with a visit on that day that are not ticketed, neither cancelled nor closed. */
  readonly notTicketed: number;
  /** The oldest, at most 20. */
  readonly orders: readonly WaitingOrder[];
}

export interface Overview {
  /** Null: the gateway works. */
  readonly hold: Hold | null;
  readonly hours: readonly (HourCounts & { readonly stood: number })[];
  readonly latency: Readonly<Record<Leg, Latency>>;
  /** The oldest orders that are not ticketed: one on its way, and one that stands still. */
  readonly oldest: { readonly inWork: WaitingOrder | null; readonly standing: WaitingOrder | null };
  readonly circuits: readonly OpenCircuit[];
  readonly legs: Readonly<Record<Leg, LegHealth>>;
  readonly partners: readonly PartnerHealth[];
  readonly visits: readonly DayOfVisits[];
  /** True: a backlog is so long that not all of it was counted. */
  readonly atLeast: boolean;
}

export interface OverviewQueries {
  /** @param days the days whose visits matter, one after the other, as `YYYY-MM-DD` */
  overview(hours: number, days: readonly string[], nowMs: number): Promise<Overview>;
}

const MAX_SHOWN = 20;

interface PartnerCount {
  readonly partner_id: string;
  readonly n: number;
}

/** How a leg fares: its jobs by partner, and how many came to stand in which hour. */
interface Health {
  readonly byPartner: Map<string, LegHealth>;
  readonly stood: Map<number, number>;
}
const NO_HEALTH: LegHealth = { failures: 0, waiting: 0, standing: 0 };

export function createOverview(database: Pick<Database, "run" | "queries">): OverviewQueries {
  const { run } = database;
  const countHours: CountHours = createCountHours(database);
  const readHold = createReadHold(database);
  const texts = { ticketing: legTexts("ticketing"), callback: legTexts("callback") };

  async function latencyOf(leg: Leg): Promise<Latency> {
    const rows = await run<{ ms: number }>(texts[leg].latency, []);
    const sorted = rows.map(({ ms }) => ms).sort((one, other) => one - other);
    const at = (share: number): number | null =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
    return { attempts: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95) };
  }

  async function healthOf(leg: Leg, since: number, nowMs: number): Promise<Health> {
    const { failures, waiting, standing } = texts[leg];
    const health: Health = { byPartner: new Map(), stood: new Map() };
    const add = (name: keyof LegHealth, rows: readonly PartnerCount[]): void => {
      for (const { partner_id: id, n } of rows) {
        const known = health.byPartner.get(id) ?? NO_HEALTH;
        health.byPartner.set(id, { ...known, [name]: known[name] + n });
      }
    };
    add("failures", await run<PartnerCount>(failures, [nowMs - HOUR_MS]));
    add("waiting", await run<PartnerCount>(waiting, []));
    for (const text of standing) {
      const rows = await run<PartnerCount & { readonly hour: number | null }>(text, [since]);
      add("standing", rows);
      for (const { hour, n } of rows) {
        if (hour !== null) health.stood.set(hour, (health.stood.get(hour) ?? 0) + n);
      }
      await turn();
    }
    return health;
  }

  async function ordersBy(ids: readonly number[]): Promise<WaitingOrder[]> {
    if (ids.length === 0) return [];
    return database.queries
      .selectFrom("orders as o")
      .innerJoin("ticketing_jobs as j", "j.order_id", "o.id")
      .select([
        "o.id",
        "o.external_order_id as externalOrderId",
        "o.partner_id as partnerId",
        "o.pipeline_status as status",
        "o.created_at as createdAt",
        "j.run_attempts as runAttempts",
        "j.next_attempt_at as nextAttemptAt",
      ])
      .where("o.id", "in", ids)
      .orderBy("o.id")
      .execute();
  }

  async function oldestOf(text: string): Promise<WaitingOrder | null> {
    const [row] = await run<{ id: number | null }>(text, []);
    return row?.id ? ((await ordersBy([row.id]))[0] ?? null) : null;
  }

  async function visitsOf(days: readonly string[]): Promise<DayOfVisits[]> {
    const span = [days[0] ?? "", days.at(-1) ?? ""];
    const rows = await run<{ date: string; id: number }>(NOT_TICKETED_VISITS, span);
    const idsOf = Map.groupBy(rows, ({ date }) => date);
    const visits: DayOfVisits[] = [];
    for (const date of days) {
      const ids = (idsOf.get(date) ?? []).map(({ id }) => id).sort((one, other) => one - other);
      visits.push({ date, notTicketed: ids.length, orders: await ordersBy(ids.slice(0, MAX_SHOWN)) });
    }
    return visits;
  }

  async function partnersWith(health: Record<Leg, Health>): Promise<PartnerHealth[]> {
    const rows = await run<{ partner_id: string; name: string; disabled_at: number | null }>(
      `select partner_id, name, disabled_at from partners order by partner_id limit ${MAX_PARTNERS}`,
      [],
    );
    const of = (leg: Leg, id: string): LegHealth => health[leg].byPartner.get(id) ?? NO_HEALTH;
    return rows.map(({ partner_id: id, name, disabled_at: disabledAt }) => ({
      id,
      name,
      disabledAt,
      legs: { ticketing: of("ticketing", id), callback: of("callback", id) },
    }));
  }

  return {
    async overview(hours, days, nowMs) {
      const counts = await countHours(hours, nowMs);
      const since = counts[0]?.from ?? nowMs;
      const health = {
        ticketing: await healthOf("ticketing", since, nowMs),
        callback: await healthOf("callback", since, nowMs),
      };
      const legs = { ticketing: sumOf(health.ticketing), callback: sumOf(health.callback) };
      const stoodIn = (hour: number): number =>
        LEGS.reduce((sum, leg) => sum + (health[leg].stood.get(hour) ?? 0), 0);
      const circuits = await run<OpenCircuit>(OPEN_CIRCUITS, []);
      return {
        hold: await readHold(),
        hours: counts.map((hour) => ({ ...hour, stood: stoodIn(hour.from / HOUR_MS) })),
        latency: { ticketing: await latencyOf("ticketing"), callback: await latencyOf("callback") },
        oldest: { inWork: await oldestOf(OLDEST_IN_WORK), standing: await oldestOf(OLDEST_STANDING) },
        circuits: circuits.map((circuit) => ({ ...circuit })),
        legs,
        partners: await partnersWith(health),
        visits: await visitsOf(days),
        atLeast: LEGS.some((leg) => Object.values(legs[leg]).some((count) => count >= MAX_ROWS)),
      };
    },
  };
}

function sumOf({ byPartner }: Health): LegHealth {
  const sum = (name: keyof LegHealth): number =>
    [...byPartner.values()].reduce((total, each) => total + each[name], 0);
  return { failures: sum("failures"), waiting: sum("waiting"), standing: sum("standing") };
}
