import type { OrderItem } from "../orders/order-input.ts";
import { onFirstClaim } from "../orders/transitions.ts";
import type { OrderStatus } from "../orders/states.ts";
import { type Database, type Fields, type Run, type RowSet, rowSet } from "./database.ts";
import type { ClaimedJob, NewClaim } from "./jobs.ts";
import { NEW_JOB_FIELDS, newJobFields, newJobValues } from "./new-jobs.ts";
import { noOpenCircuit } from "./open-circuit.ts";

/** An order on its way in. Everything is checked; the trace id is the gateway's own. */
export interface NewOrder {
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly callbackUrl: string;
  readonly rawPayload: string;
  readonly items: readonly OrderItem[];
  /** The Idempotency-Key and what it stands for, or null. */
  readonly key: { readonly value: string; readonly fingerprint: string } | null;
  /** True: a repeat of the external order id is refused. */
  readonly rejectRepeats: boolean;
  /** A slot is set aside for its ticketing job: it is written claimed. Null: it waits in the queue. */
  readonly claim?: NewClaim | null;
}

/** What a partner's 201 says: always of the moment of acceptance. */
export interface AcceptedOrder {
  readonly id: number;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly createdAt: number;
}

export type Acceptance =
  | {
      readonly kind: "accepted";
      readonly order: AcceptedOrder;
      /** Its ticketing job, where that was written claimed. */
      readonly job: ClaimedJob | null;
    }
  /** The key was used with the same payload: the first order again. */
  | { readonly kind: "replayed"; readonly order: AcceptedOrder }
  /** The key was used with another payload. */
  | { readonly kind: "key_reused" }
  /** The partner refuses repeats, and this external order id has an order. */
  | { readonly kind: "repeated"; readonly orderId: number };

interface OrderRow {
  id: number;
  partner_id: string;
  external_order_id: string;
  trace_id: string;
  created_at: number;
}

type WrittenRow = OrderRow & { pipeline_status: OrderStatus };

export interface OrderIntake {
  /**
   * Writes orders with their items, ticketing jobs and keys in one transaction; results stand in the order of
   * the input. Of several orders with one key exactly one is written (SPEC section 3).
   */
  accept(orders: readonly NewOrder[], now: number | null): Promise<Acceptance[]>;
  /** The orders among these that are written: what to ask after an unknown COMMIT. */
  findByTraceIds(traceIds: readonly string[]): Promise<ReadonlyMap<string, AcceptedOrder>>;
  /** What became of a key, or null if nobody used it: for a repeat whose other checks fail now. */
  findByKey(partnerId: string, key: string, fingerprint: string): Promise<Acceptance | null>;
}

/** The tables' side of acceptance. */
export function createOrderIntake({ transact, words }: Database): OrderIntake {
  const names = { partner_id: "text", external_order_id: "text", trace_id: "uuid" } as const;
  // What decides, without the payload: that is passed once.
  const given = words.rows("$1", { ...names, key: "text", reject_repeats: "integer" });
  const { from: accepted, to: processing } = onFirstClaim("ticketing");
  const now = words.now("$2");

  const lockPartners = `select partner_id from partners
    where partner_id in (select partner_id from ${given} r where r.reject_repeats = 1)
    order by partner_id ${words.forUpdate}`;
  const repeats = `select r.trace_id, min(o.id) as id from ${given} r
    join orders o on o.external_order_id = r.external_order_id and o.partner_id = r.partner_id
    where r.reject_repeats = 1 and not exists (
      select 1 from idempotency_keys k where k.partner_id = r.partner_id and k.key = r.key)
    group by r.trace_id`;
  // Keys first: the unique index decides between requests, and between processes. In one order everywhere, so
  // that two batches never wait for each other.
  const insertKeys = `${words.insertRows(
    "idempotency_keys",
    {
      partner_id: "r.partner_id",
      key: "r.key",
      fingerprint: "r.fingerprint",
      trace_id: "r.trace_id",
      created_at: now,
    },
    KEY_FIELDS,
  )} on conflict (partner_id, key) do nothing returning trace_id`;
  const insertOrders = `${words.insertRows(
    "orders",
    {
      partner_id: "r.partner_id",
      external_order_id: "r.external_order_id",
      trace_id: "r.trace_id",
      callback_url: "r.callback_url",
      pipeline_status: `case when r.claimed = 1 and ${noOpenCircuit("ticketing", "r.partner_id")}
        then '${processing}' else '${accepted}' end`,
      idempotency_key: "r.key",
      raw_payload: "r.raw_payload",
      created_at: now,
      updated_at: now,
    },
    ORDER_FIELDS,
  )} returning id, partner_id, external_order_id, trace_id, pipeline_status, created_at`;
  const asGiven = (fields: Fields) =>
    Object.fromEntries(Object.keys(fields).map((name) => [name, `r.${name}`]));
  const insertItems = words.insertRows("order_items", asGiven(ITEM_FIELDS), ITEM_FIELDS);
  const insertJobs = words.insertRows(
    "ticketing_jobs",
    { id: "r.id", order_id: "r.id", partner_id: "r.partner_id", ...newJobValues("r.created_at") },
    JOB_FIELDS,
  );
  const ordersOfKeys = `select k.key, k.partner_id, k.fingerprint, o.id, o.external_order_id, o.trace_id, o.created_at
    from ${words.rows("$1", { partner_id: "text", key: "text" })} r
    join idempotency_keys k on k.partner_id = r.partner_id and k.key = r.key
    join orders o on o.trace_id = k.trace_id`;
  const ordersOfTraces = `select o.id, o.partner_id, o.external_order_id, o.trace_id, o.created_at
    from ${words.rows("$1", { trace_id: "uuid" })} r join orders o on o.trace_id = r.trace_id`;

  type KeyRow = OrderRow & { key: string; fingerprint: string };

  function replayOf(row: KeyRow | undefined, fingerprint: string): Acceptance | null {
    if (!row) return null;
    return row.fingerprint === fingerprint
      ? { kind: "replayed", order: acceptedOrder(row) }
      : { kind: "key_reused" };
  }

  async function refuseRepeats(tx: Run, orders: readonly NewOrder[]): Promise<Map<string, number>> {
    if (!orders.some((order) => order.rejectRepeats)) return new Map();
    const parameter = nameRows(orders);
    await tx(lockPartners, [parameter]);
    const rows = await tx<{ trace_id: string; id: number }>(repeats, [parameter]);
    return new Map(rows.map((row) => [row.trace_id, row.id]));
  }

  async function write(tx: Run, orders: readonly NewOrder[], now: number | null): Promise<Acceptance[]> {
    const repeated = await refuseRepeats(tx, orders);
    const candidates = orders.filter((order) => !repeated.has(order.traceId));
    const keyed = candidates.filter((order) => order.key !== null);
    const won = keyed.length === 0 ? [] : await tx<{ trace_id: string }>(insertKeys, [keyRows(keyed), now]);
    const winners = new Set(won.map((row) => row.trace_id));
    const fresh = candidates.filter((order) => order.key === null || winners.has(order.traceId));
    const written = new Map<string, WrittenRow>();
    const claimOf = ({ traceId, claim }: NewOrder): NewClaim | null =>
      written.get(traceId)?.pipeline_status === processing ? (claim ?? null) : null;
    if (fresh.length > 0) {
      const rows = await tx<WrittenRow>(insertOrders, [orderRows(fresh), now]);
      for (const row of rows) written.set(row.trace_id, row);
      void tx(insertItems, [itemRows(fresh, written)]);
      void tx(insertJobs, [jobRows(fresh, written, claimOf)]);
    }
    const losers = keyed.filter((order) => !winners.has(order.traceId));
    const first =
      losers.length === 0 ? [] : await tx<KeyRow>(ordersOfKeys, [JSON.stringify(keyNames(losers))]);
    const firstOf = new Map(first.map((row) => [`${row.partner_id} ${row.key}`, row]));
    return orders.map((order): Acceptance => {
      const row = written.get(order.traceId);
      if (row) {
        const claim = claimOf(order);
        const job = claim && claimedJob(order, row, claim);
        return { kind: "accepted", order: acceptedOrder(row), job };
      }
      const repeatOf = repeated.get(order.traceId);
      if (repeatOf !== undefined) return { kind: "repeated", orderId: repeatOf };
      const key = order.key!;
      const replay = replayOf(firstOf.get(`${order.partnerId} ${key.value}`), key.fingerprint);
      if (!replay) throw new Error("an idempotency key has no order");
      return replay;
    });
  }

  /** Of orders that a partner may not repeat, each sees those before it, in one transaction. */
  async function writeInTurns(
    tx: Run,
    orders: readonly NewOrder[],
    now: number | null,
  ): Promise<Acceptance[]> {
    const results = new Map<NewOrder, Acceptance>();
    let rest = orders;
    while (rest.length > 0) {
      const seen = new Set<string>();
      const together = rest.filter((order) => {
        const name = `${order.partnerId} ${order.externalOrderId}`;
        if (order.rejectRepeats && seen.has(name)) return false;
        seen.add(name);
        return true;
      });
      const written = await write(tx, together, now);
      together.forEach((order, index) => results.set(order, written[index]!));
      rest = rest.filter((order) => !results.has(order));
    }
    return orders.map((order) => results.get(order)!);
  }

  return {
    accept: (orders, now) => transact((tx) => writeInTurns(tx, orders, now)),
    async findByTraceIds(traceIds) {
      const parameter = JSON.stringify(traceIds.map((traceId) => ({ trace_id: traceId })));
      const rows = await transact((tx) => tx<OrderRow>(ordersOfTraces, [parameter]));
      return new Map(rows.map((row) => [row.trace_id, acceptedOrder(row)]));
    },
    async findByKey(partnerId, key, fingerprint) {
      const parameter = JSON.stringify([{ partner_id: partnerId, key }]);
      const rows = await transact((tx) => tx<KeyRow>(ordersOfKeys, [parameter]));
      return replayOf(rows[0], fingerprint);
    },
  };
}

function acceptedOrder(row: OrderRow): AcceptedOrder {
  return {
    id: row.id,
    partnerId: row.partner_id,
    externalOrderId: row.external_order_id,
    traceId: row.trace_id,
    createdAt: row.created_at,
  };
}

const ORDER_FIELDS = {
  partner_id: "text",
  external_order_id: "text",
  trace_id: "uuid",
  callback_url: "text",
  key: "text",
  raw_payload: "text",
  claimed: "integer",
} as const;

function orderRows(orders: readonly NewOrder[]): RowSet {
  const rows = orders.map((order) => ({
    partner_id: order.partnerId,
    external_order_id: order.externalOrderId,
    trace_id: order.traceId,
    callback_url: order.callbackUrl,
    key: order.key?.value ?? null,
    raw_payload: order.rawPayload,
    claimed: order.claim ? 1 : 0,
  }));
  return rowSet(ORDER_FIELDS, rows);
}

function nameRows(orders: readonly NewOrder[]): string {
  return JSON.stringify(
    orders.map((order) => ({
      partner_id: order.partnerId,
      external_order_id: order.externalOrderId,
      trace_id: order.traceId,
      key: order.key?.value ?? null,
      reject_repeats: order.rejectRepeats ? 1 : 0,
    })),
  );
}

const KEY_FIELDS = { partner_id: "text", key: "text", fingerprint: "text", trace_id: "uuid" } as const;

/** In one order everywhere, so that two batches never wait for each other. */
function keyRows(orders: readonly NewOrder[]): RowSet {
  const rows = orders.map(({ partnerId, key, traceId }) => ({
    partner_id: partnerId,
    key: key!.value,
    fingerprint: key!.fingerprint,
    trace_id: traceId,
  }));
  const sorted = rows.toSorted((a, b) => compare(a.partner_id, b.partner_id) || compare(a.key, b.key));
  return rowSet(KEY_FIELDS, sorted);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function keyNames(orders: readonly NewOrder[]) {
  return orders.map((order) => ({ partner_id: order.partnerId, key: order.key!.value }));
}

const JOB_FIELDS = { id: "integer", partner_id: "text", created_at: "integer", ...NEW_JOB_FIELDS } as const;

function jobRows(
  orders: readonly NewOrder[],
  written: ReadonlyMap<string, OrderRow>,
  claimOf: (order: NewOrder) => NewClaim | null,
): RowSet {
  const rows = orders.map((order) => {
    const { id, partner_id, created_at } = written.get(order.traceId)!;
    return { id, partner_id, created_at, ...newJobFields(claimOf(order)) };
  });
  return rowSet(JOB_FIELDS, rows);
}

/** The job as its claim wrote it: nothing needs to be read again. */
function claimedJob(order: NewOrder, row: OrderRow, { claim }: NewClaim): ClaimedJob {
  const { id, created_at: at } = row;
  return {
    jobId: id,
    orderId: id,
    partnerId: order.partnerId,
    claim,
    no: 1,
    attemptInRun: 1,
    runStartedAt: at,
    startedAt: at,
    dueAt: at,
    isRetry: false,
    externalOrderId: order.externalOrderId,
    traceId: order.traceId,
    rawPayload: order.rawPayload,
    callbackUrl: order.callbackUrl,
    callback: null,
  };
}

const ITEM_FIELDS = {
  order_id: "integer",
  partner_id: "text",
  no: "integer",
  sku: "text",
  qty: "integer",
  unit_price_minor: "integer",
  currency: "text",
  visit_date: "text",
  visit_time: "text",
} as const;

function itemRows(orders: readonly NewOrder[], written: ReadonlyMap<string, OrderRow>): RowSet {
  const rows = orders.flatMap((order) => {
    const orderId = written.get(order.traceId)!.id;
    return order.items.map((item, index) => ({
      order_id: orderId,
      partner_id: order.partnerId,
      no: index + 1,
      sku: item.sku,
      qty: item.qty,
      unit_price_minor: item.unit_price_minor,
      currency: item.currency,
      visit_date: item.visit_date ?? null,
      visit_time: item.visit_time ?? null,
    }));
  });
  return rowSet(ITEM_FIELDS, rows);
}
