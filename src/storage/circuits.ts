import type { Selectable } from "kysely";
import type { Leg, OrderStatus } from "../orders/states.ts";
import { onFirstClaim, orderAfterJob } from "../orders/transitions.ts";
import { eventColumn, speaksForOrder } from "./claim-row.ts";
import type { Database, Run, SqlWords } from "./database.ts";
import { createMoveOrders } from "./moves.ts";
import { type CircuitsTable, LEG_TABLES } from "./tables.ts";

/** An attempt that says something of its target. */
export interface TargetReport {
  readonly target: string;
  readonly orderId: number;
  readonly jobId: number;
  readonly failing: boolean;
  /** The failure blocked the order. */
  readonly blocked: boolean;
  readonly finding: string;
}

/** Attempts' side of the circuits: within the transaction that settles them. */
export interface CircuitReports {
  /** The targets among these whose circuit is open. */
  open(tx: Run, targets: readonly string[]): Promise<ReadonlySet<string>>;
  /** Counts failing orders, and opens a circuit at the threshold; a working target forgets them. */
  report(tx: Run, reports: readonly TargetReport[], probeMs: number, now: number | null): Promise<void>;
}

export function createCircuitReports(words: SqlWords, leg: Leg, threshold: number): CircuitReports {
  const clock = `with clock as (select ${words.now("$2")} as now)`;
  const targets = words.rows("$1", { target: "text" });
  const openTargets = `select c.partner_id as target from ${targets} r
    join circuits c on c.leg = '${leg}' and c.partner_id = r.target and c.state = 'open'`;
  const forget = `delete from circuit_failures where leg = '${leg}' and partner_id in (select target from ${targets} r)`;
  const failureColumns = {
    target: "text",
    order_id: "integer",
    job_id: "integer",
    blocked: "integer",
  } as const;
  const count = `${clock}
    insert into circuit_failures (leg, partner_id, order_id, job_id, blocked, at)
    select '${leg}', target, order_id, job_id, blocked, (select now from clock)
    from ${words.rows("$1", failureColumns)} r where true
    on conflict (leg, partner_id, order_id) do update set blocked = excluded.blocked, at = excluded.at`;
  const openAtThreshold = `${clock}
    insert into circuits (leg, partner_id, state, reason, opened_at, next_probe_at)
    select '${leg}', r.target, 'open', r.reason, clock.now, clock.now + $3
    from ${words.rows("$1", { target: "text", reason: "text" })} r, clock
    where (select count(*) from circuit_failures f where f.leg = '${leg}' and f.partner_id = r.target) >= ${threshold}
    on conflict (leg, partner_id) do update set
      state = 'open', reason = excluded.reason, opened_at = excluded.opened_at, closed_at = null,
      next_probe_at = excluded.next_probe_at, probes = 0
    where circuits.state = 'closed'`;
  const asTargets = (list: readonly string[]): string =>
    JSON.stringify([...new Set(list)].toSorted().map((target) => ({ target })));

  return {
    async open(tx, list) {
      if (threshold === 0 || list.length === 0) return new Set();
      return new Set((await tx<{ target: string }>(openTargets, [asTargets(list)])).map((row) => row.target));
    },
    async report(tx, reports, probeMs, now) {
      if (threshold === 0) return;
      const working = reports.filter(({ failing }) => !failing).map(({ target }) => target);
      if (working.length > 0) await tx(forget, [asTargets(working)]);
      // What failed beside a success in the same batch may have come before it.
      const failed = reports.filter(({ target, failing }) => failing && !working.includes(target));
      if (failed.length === 0) return;
      const byOrder = new Map(failed.map((report) => [`${report.target} ${report.orderId}`, report]));
      const rows = [...byOrder.values()]
        .toSorted((a, b) => a.orderId - b.orderId)
        .map(({ target, orderId, jobId, blocked }) => ({
          target,
          order_id: orderId,
          job_id: jobId,
          blocked: blocked ? 1 : 0,
        }));
      await tx(count, [JSON.stringify(rows), now]);
      const reasons = new Map(failed.map(({ target, finding }) => [target, { target, reason: finding }]));
      await tx(openAtThreshold, [JSON.stringify([...reasons.values()]), now, probeMs]);
    },
  };
}

export type Circuit = Selectable<CircuitsTable>;

/** The keeper's side: what an open circuit does with the jobs that wait. */
export interface Circuits {
  listOpen(): Promise<Circuit[]>;
  /** Closes circuits whose target has worked since. */
  closeProven(now: number | null): Promise<Circuit[]>;
  /** Puts due jobs of open circuits on hold, without spending attempts. @returns how many */
  hold(limit: number, limitSecs: number, now: number | null): Promise<number>;
  /** Takes back what the target's own fault had blocked. */
  takeBack(now: number | null): Promise<number>;
  /** Gives up what was held for too long. */
  expire(limit: number, now: number | null): Promise<number>;
  /** Puts held jobs whose circuit has closed back in the queue: due at once. */
  release(limit: number, now: number | null): Promise<number>;
  /** Takes the turn to probe a target, in one process alone. @returns false if it is not time or another's turn */
  takeProbe(target: string, probeMs: number, now: number | null): Promise<boolean>;
}

export function createCircuits({ run, transact, words }: Database, leg: Leg): Circuits {
  const { jobs } = LEG_TABLES[leg];
  const moveOrders = createMoveOrders(words);
  const clock = (parameter: string): string => `with clock as (select ${words.now(parameter)} as now)`;
  const isTarget = (partner: string): string => `c.leg = '${leg}' and c.partner_id in ('', ${partner})`;
  const hasOpen = (partner: string): string =>
    `exists (select 1 from circuits c where ${isTarget(partner)} and c.state = 'open')`;

  const listOpen = `select * from circuits where leg = '${leg}' and state = 'open' order by partner_id`;
  const closeProven = `${clock("$1")}
    update circuits set state = 'closed', closed_at = (select now from clock)
    where leg = '${leg}' and state = 'open' and not exists (
      select 1 from circuit_failures f where f.leg = circuits.leg and f.partner_id = circuits.partner_id)
    returning *`;
  const hold = `${clock("$1")},
    due as materialized (${words.dueJobs(jobs, {
      limit: "$2",
      busy: "$3",
      slotsPerPartner: "$2",
      partners: hasOpen("p.partner_id"),
      since: "0",
    })})
    update ${jobs} set held_until = (select now from clock) + 1000 * coalesce(
        (select p.hold_limit_secs from partners p where p.partner_id = ${jobs}.partner_id), $4),
      next_attempt_at = (select now from clock) + 1000 * coalesce(
        (select p.hold_limit_secs from partners p where p.partner_id = ${jobs}.partner_id), $4)
    where id ${words.amongFew("select id from due")} and held_until is null
    returning id`;
  const heldWhere = (condition: string): string => `select j.id from ${jobs} j
    where j.held_until is not null and j.status = 'pending' and ${condition}
    order by j.held_until limit $2 ${words.forUpdateSkipLocked}`;
  const expire = `${clock("$1")}, gone as materialized (${heldWhere("j.held_until <= (select now from clock)")})
    update ${jobs} set status = 'exhausted', held_until = null, next_attempt_at = null, updated_at = (select now from clock)
    where id ${words.amongFew("select id from gone")}
    returning order_id${eventColumn(leg)}`;
  const release = `${clock("$1")}, freed as materialized (${heldWhere(`not ${hasOpen("j.partner_id")}`)})
    update ${jobs} set held_until = null, next_attempt_at = (select now from clock), updated_at = (select now from clock)
    where id ${words.amongFew("select id from freed")} returning id`;
  // One statement marks and tells: what another process settles meanwhile keeps its mark for the next round.
  const wronged = `update circuit_failures set blocked = 0 where leg = '${leg}' and blocked = 1 and partner_id in (
      select c.partner_id from circuits c where c.leg = '${leg}' and c.state = 'open')
    returning job_id`;
  const takeBack = `${clock("$2")}
    update ${jobs} set status = 'pending', lane = 1, run_attempts = run_attempts - 1,
      next_attempt_at = (select now from clock), updated_at = (select now from clock)
    where id ${words.amongIds("$1")} and status = 'blocked' returning order_id`;
  const takeProbe = `${clock("$1")}
    update circuits set next_probe_at = (select now from clock) + $2, probes = probes + 1
    where leg = '${leg}' and partner_id = $3 and state = 'open' and next_probe_at <= (select now from clock)
    returning partner_id`;

  return {
    listOpen: () => run<Circuit>(listOpen, []),
    closeProven: (now) => transact((tx) => tx<Circuit>(closeProven, [now])),
    hold: async (limit, limitSecs, now) =>
      (await transact((tx) => tx(hold, [now, limit, "[]", limitSecs]))).length,
    takeBack: (now) =>
      transact(async (tx) => {
        const marked = await tx<{ job_id: number }>(wronged, []);
        if (marked.length === 0) return 0;
        const jobIds = JSON.stringify(marked.map((row) => row.job_id));
        const rows = await tx<{ order_id: number }>(takeBack, [jobIds, now]);
        await moveOrders(
          tx,
          rows.map((row) => ({
            orderId: row.order_id,
            to: "ticketing_processing",
            reason: null,
            reference: null,
          })),
          now,
        );
        return rows.length;
      }),
    expire: (limit, now) =>
      transact(async (tx) => {
        const rows = await tx<{ order_id: number; event?: string }>(expire, [now, limit]);
        const reason =
          leg === "ticketing"
            ? "held until its limit while ticketing failed for every order"
            : "held until its limit while the partner's callbacks failed for every order";
        const moveAll = (to: OrderStatus, reason: string | null) =>
          moveOrders(
            tx,
            rows
              .filter(speaksForOrder)
              .map((row) => ({ orderId: row.order_id, to, reason, reference: null })),
            now,
          );
        // An order that was never attempted has the leg's beginning before it: the map leads through it.
        await moveAll(onFirstClaim(leg).to, null);
        await moveAll(orderAfterJob(leg, "exhausted")!, reason);
        return rows.length;
      }),
    release: async (limit, now) => (await transact((tx) => tx(release, [now, limit]))).length,
    takeProbe: async (target, probeMs, now) =>
      (await transact((tx) => tx(takeProbe, [now, probeMs, target]))).length > 0,
  };
}
