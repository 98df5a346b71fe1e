import { isEdge, type Leg, LEGS, type OrderStatus } from "../orders/states.ts";
import { mayBeTicketedByHand } from "../orders/possible-actions.ts";
import { onRetry } from "../orders/transitions.ts";
import { createExplainCancelled } from "./cancelled.ts";
import type { Database, Run, SqlWords } from "./database.ts";
import { createMoveOrders } from "./moves.ts";
import { type Act, createRecordAct } from "./operator-record.ts";
import { LEG_TABLES } from "./tables.ts";
import { createWriteTickets, REFERENCE_OF_ORDER, type Ticketed } from "./tickets.ts";

/**
 * The order is not there, or stands where this can't be done; `repeated`: `action` has been done to it under the same
 * request key.
 */
export type Refused =
  | { readonly kind: "not_found" }
  | { readonly kind: "refused"; readonly status: OrderStatus; readonly why?: string }
  | { readonly kind: "repeated"; readonly status: OrderStatus; readonly action: string };

export type Retried =
  | { readonly kind: "retried"; readonly leg: Leg; readonly from: OrderStatus; readonly to: OrderStatus }
  | Refused;

export type Cancelled =
  | { readonly kind: "cancelled" }
  /** An attempt is in flight: a success of it still counts, anything else ends in `cancelled`. */
  | { readonly kind: "requested" }
  | Refused;

export type MarkedTicketed = { readonly kind: "ticketed"; readonly from: OrderStatus } | Refused;

export type Resent = { readonly kind: "resent" } | Refused;

export type Closed = { readonly kind: "closed"; readonly from: OrderStatus } | Refused;

export interface OperatorActions {
  /** Begins a new run of the leg on which an order came to stand still: due at once, with the whole schedule. */
  retry(orderId: number, act: Act, now: number | null): Promise<Retried>;
  /** The same, if it is ticketing that has come to a stop: its callback is another matter. */
  retryTicketing(orderId: number, act: Act, now: number | null): Promise<Retried>;
  /** Ends an order before it is ticketed. Never revokes a claim (SPEC section 4). */
  cancel(orderId: number, act: Act, now: number | null): Promise<Cancelled>;
  /**
   * Makes an order ticketed by hand, and has the partner told. While the gateway is held, also one that it would work: after a
   * restore, ticketing may have tickets of which the database knows nothing.
   */
  markTicketed(orderId: number, ticketed: Ticketed, act: Act, now: number | null): Promise<MarkedTicketed>;
  /** Sends a delivered callback once more: a new run of its job, so the same event with the same bytes. */
  resend(orderId: number, act: Act, now: number | null): Promise<Resent>;
  /** Ends an order that stands still, as it is handled outside the gateway. */
  close(orderId: number, act: Act, now: number | null): Promise<Closed>;
}

/** The same within a transaction, which may hold the order's lock, and those of its jobs, already. */
export type ActsInTransaction = {
  readonly [Name in keyof OperatorActions]: (
    tx: Run,
    ...args: [...Parameters<OperatorActions[Name]>, locked?: LockedOrder]
  ) => ReturnType<OperatorActions[Name]>;
};

/** What an act goes by. */
export interface LockedOrder {
  readonly id: number;
  readonly partner_id: string;
  readonly status: OrderStatus;
  readonly buyer_blanked_at: number | null;
  readonly failures_told: number;
}

/** Their texts lock orders, and before them their jobs, in the order in which everybody does. */
export function lockingOrders(words: SqlWords, ids: string) {
  return {
    jobs: LEGS.map(
      (leg) =>
        `select id from ${LEG_TABLES[leg].jobs} where ${LEG_TABLES[leg].jobOfOrder} ${ids} order by id ${words.forUpdate}`,
    ),
    orders: `select id, partner_id, pipeline_status as status, buyer_blanked_at, failures_told
      from orders where id ${ids} order by id ${words.forUpdate}`,
  };
}

export function createOperatorActions({ transact, words }: Database): OperatorActions {
  const acts = createActs(words);
  return {
    retry: (...args) => transact((tx) => acts.retry(tx, ...args)),
    retryTicketing: (...args) => transact((tx) => acts.retryTicketing(tx, ...args)),
    cancel: (...args) => transact((tx) => acts.cancel(tx, ...args)),
    markTicketed: (...args) => transact((tx) => acts.markTicketed(tx, ...args)),
    resend: (...args) => transact((tx) => acts.resend(tx, ...args)),
    close: (...args) => transact((tx) => acts.close(tx, ...args)),
  };
}

const CLOSED = "closed: handled outside the gateway";
const UNDER_WAY = "an attempt is under way: see what it brings";
const NO_CALLBACK = "it has no delivered callback";
const BLANKED = "its callback can't be sent as it was: the buyer's data has been blanked";

export function createActs(words: SqlWords): ActsInTransaction {
  const moveOrders = createMoveOrders(words);
  const writeTickets = createWriteTickets(words);
  const explainCancelled = createExplainCancelled(words);
  const recordAct = createRecordAct(words);
  const clock = (parameter: string): string => `with clock as (select ${words.now(parameter)} as now)`;
  const lock = lockingOrders(words, "= $1");
  // Of the callback jobs only that of the event which moves the status.
  const jobOf = (leg: Leg, statuses: string): string =>
    `${LEG_TABLES[leg].jobOfOrder} = $1 and status in (${statuses})${leg === "callback" ? " and event = 'order.ticketed'" : ""}`;
  const STOPPED = "'blocked', 'exhausted', 'unknown'";
  const newRun = (leg: Leg, statuses: string): string => `${clock("$2")}
    update ${LEG_TABLES[leg].jobs} set
      status = 'pending', lane = 1, run_attempts = 0, run_started_at = null, ends_as = null, held_until = null,
      next_attempt_at = (select now from clock), updated_at = (select now from clock)
    where ${jobOf(leg, statuses)}
    returning id`;
  const newRuns: Record<Leg, string> = {
    ticketing: newRun("ticketing", STOPPED),
    callback: newRun("callback", STOPPED),
  };
  const sendAgain = newRun("callback", "'succeeded'");
  const closeJobs = LEGS.map(
    (leg) => `${clock("$2")}
    update ${LEG_TABLES[leg].jobs} set status = 'closed', next_attempt_at = null, held_until = null,
      updated_at = (select now from clock)
    where ${jobOf(leg, STOPPED)}`,
  );
  const endTicketing = `${clock("$2")}
    update ticketing_jobs set
      ends_as = case when status = 'running' then $3 else null end,
      next_attempt_at = null, held_until = null, ${REFERENCE_OF_ORDER},
      status = case when status = 'running' then status else $3 end,
      updated_at = (select now from clock)
    where id = $1
    returning status`;
  const hold = "select since from holds where partner_id = ''";
  const underWay = `select id from ticketing_jobs
    where id = $1 and status = 'running' and lease_until >= ${words.now("$2")}`;
  const doneUnder = "select action from operator_actions where order_id = $1 and request_key = $2";

  interface Ask {
    readonly tx: Run;
    readonly orderId: number;
    readonly act: Act;
    readonly now: number | null;
    readonly locked: LockedOrder | undefined;
  }

  async function lockOne(tx: Run, orderId: number): Promise<LockedOrder | undefined> {
    for (const text of lock.jobs) await tx(text, [orderId]);
    return (await tx<LockedOrder>(lock.orders, [orderId]))[0];
  }

  /** Locks the order, and does the work if the order may go to `to(order)`. */
  async function act<Done extends { readonly kind: string }>(
    { tx, orderId, act: { requestKey }, locked }: Ask,
    to: (status: OrderStatus) => OrderStatus | null,
    work: (order: LockedOrder, to: OrderStatus) => Promise<Done | Refused>,
  ): Promise<Done | Refused> {
    const order = locked ?? (await lockOne(tx, orderId));
    if (!order) return { kind: "not_found" };
    const { status } = order;
    if (requestKey !== undefined) {
      const [done] = await tx<{ action: string }>(doneUnder, [orderId, requestKey]);
      if (done) return { kind: "repeated", status, action: done.action };
    }
    const target = to(status);
    return target === null ? { kind: "refused", status } : work(order, target);
  }

  const record = ({ tx, orderId, act: by, now }: Ask, order: LockedOrder, action: string): Promise<void> =>
    recordAct(tx, { partnerId: order.partner_id, orderId }, action, by, now);

  const move = (
    { tx, orderId, now }: Ask,
    to: OrderStatus,
    reason: string | null,
    reference?: string | null,
  ) => moveOrders(tx, [{ orderId, to, reason, reference: reference ?? null }], now);

  const retryOf =
    (legs: readonly Leg[]): ActsInTransaction["retry"] =>
    (tx, orderId, by, now, locked) => {
      const ask = { tx, orderId, act: by, now, locked };
      const again = (status: OrderStatus) => {
        const found = onRetry(status);
        return found !== null && legs.includes(found.leg) ? found : null;
      };
      return act(
        ask,
        (status) => again(status)?.to ?? null,
        async (order, to) => {
          const { status: from } = order;
          const { leg } = again(from)!;
          const jobs = await tx(newRuns[leg], [orderId, now]);
          if (jobs.length === 0)
            return { kind: "refused", status: from, why: `it has no ${leg} job that stands still` };
          await move(ask, to, null);
          await record(ask, order, `retry ${leg}`);
          return { kind: "retried", leg, from, to };
        },
      );
    };

  return {
    retry: retryOf(LEGS),
    retryTicketing: retryOf(["ticketing"]),
    resend: (tx, orderId, by, now, locked) => {
      const ask = { tx, orderId, act: by, now, locked };
      return act(
        ask,
        (status) => (status === "ota_callback_delivered" ? "ota_callback_pending" : null),
        async (order, to) => {
          if (order.buyer_blanked_at !== null) return { kind: "refused", status: order.status, why: BLANKED };
          const jobs = await tx(sendAgain, [orderId, now]);
          if (jobs.length === 0) return { kind: "refused", status: order.status, why: NO_CALLBACK };
          await move(ask, to, null);
          await record(ask, order, "resend callback");
          return { kind: "resent" };
        },
      );
    },
    cancel: (tx, orderId, by, now, locked) => {
      const ask = { tx, orderId, act: by, now, locked };
      return act(
        ask,
        (status) => (isEdge(status, "cancelled") ? "cancelled" : null),
        async (order, to) => {
          const [job] = await tx<{ status: string }>(endTicketing, [orderId, now, "cancelled"]);
          await record(ask, order, "cancel");
          if (job?.status === "running") return { kind: "requested" };
          await move(ask, to, null);
          await explainCancelled(tx, [orderId]);
          return { kind: "cancelled" };
        },
      );
    },
    close: (tx, orderId, by, now, locked) => {
      const ask = { tx, orderId, act: by, now, locked };
      return act(
        ask,
        (status) => (isEdge(status, "closed") ? "closed" : null),
        async (order, to) => {
          for (const text of closeJobs) await tx(text, [orderId, now]);
          await move(ask, to, CLOSED);
          await record(ask, order, "close");
          return { kind: "closed", from: order.status };
        },
      );
    },
    markTicketed: async (tx, orderId, ticketed, by, now, locked) => {
      const ask = { tx, orderId, act: by, now, locked };
      const isHeld = (await tx(hold, [])).length > 0;
      return act(
        ask,
        (status) => (mayBeTicketedByHand(status, isHeld) ? "ticketed" : null),
        async (order, to) => {
          if ((await tx(underWay, [orderId, now])).length > 0)
            return { kind: "refused", status: order.status, why: UNDER_WAY };
          // Along the map, which knows no shorter way.
          if (order.status === "accepted") await move(ask, "ticketing_processing", null);
          // The record first, so that the story tells the act before what came of it.
          await record(ask, order, "mark ticketed");
          await move(ask, to, null, ticketed.reference);
          await tx(endTicketing, [orderId, now, "succeeded"]);
          await writeTickets(
            tx,
            [{ orderId, partnerId: order.partner_id, ticketed, told: order.failures_told }],
            now,
          );
          return { kind: "ticketed", from: order.status };
        },
      );
    },
  };
}
