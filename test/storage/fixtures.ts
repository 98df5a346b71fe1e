import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { JobStatus, Leg, OrderStatus } from "../../src/orders/states.ts";
import type { Claim, ClaimedJob, ClaimRequest } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { AcceptedOrder, NewOrder } from "../../src/storage/orders.ts";
import type { Settlement } from "../../src/storage/settlements.ts";
import type { Ticketed } from "../../src/storage/tickets.ts";
import { PARTNER_ID } from "../support/way.ts";

/** A moment at which the tests stand still. */
export const NOW = Date.UTC(2026, 0, 1);

let count = 0;

/** A checked order of its own. */
export function newOrder(more: Partial<NewOrder> = {}): NewOrder {
  count += 1;
  return {
    partnerId: PARTNER_ID,
    externalOrderId: `EXT-${count}`,
    traceId: randomUUID(),
    callbackUrl: "https://partner.example.com/callback",
    rawPayload: "{}",
    items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" }],
    key: null,
    rejectRepeats: false,
    ...more,
  };
}

/** The same order under a key; equal names are equal payloads. */
export function keyed(key: string, more: Partial<NewOrder> = {}, payload = "same"): NewOrder {
  return newOrder({ key: { value: key, fingerprint: payload }, ...more });
}

export async function place(storage: Storage, orders: readonly NewOrder[] = [newOrder()], now = NOW) {
  const results = await storage.intake.accept(orders, now);
  return results.map((result): AcceptedOrder => {
    if (result.kind !== "accepted") assert.fail(`not accepted: ${result.kind}`);
    return result.order;
  });
}

export function claimRequest(more: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    limit: 1000,
    busy: [],
    slotsPerPartner: 1000,
    since: 0,
    claim: randomUUID(),
    claimedBy: "test",
    leaseMs: 15_000,
    now: NOW,
    ...more,
  };
}

export function claim(storage: Storage, leg: Leg, more: Partial<ClaimRequest> = {}): Promise<ClaimedJob[]> {
  return storage.queues[leg].claim(claimRequest(more));
}

export async function claimOne(storage: Storage, leg: Leg, more: Partial<ClaimRequest> = {}) {
  const jobs = await claim(storage, leg, { ...more, limit: 1 });
  assert.equal(jobs.length, 1, `no ${leg} job is due`);
  return jobs[0]!;
}

/** What a 2xx of ticketing brings. */
export function ticketed(reference = "TK-1"): Ticketed {
  const id = `evt_${randomUUID()}`;
  return {
    reference,
    tickets: [`{"code":"${reference}"}`],
    event: { name: "order.ticketed", id, sequence: 1, body: "{}" },
  };
}

const CODES: Partial<Record<JobStatus, number>> = {
  succeeded: 200,
  blocked: 422,
  pending: 500,
  exhausted: 503,
};

/** The end of a claim; `pending` is due again in two seconds. */
export function settlement(
  leg: Leg,
  held: Claim,
  job: JobStatus,
  more: Partial<Settlement> = {},
): Settlement {
  return {
    claim: held,
    attempt: { code: CODES[job] ?? null, error: null, durationMs: 7, answer: "ok", note: null },
    job,
    dueAt: job === "pending" ? NOW + 2_000 : null,
    reason: job === "pending" || job === "succeeded" ? null : "a reason",
    ticketed: leg === "ticketing" && job === "succeeded" ? ticketed() : null,
    health: null,
    finding: "",
    ...more,
  };
}

/** The end that the rescuer writes for a claim whose process died. */
export function lost(held: Claim, job: JobStatus = "pending"): Settlement {
  const attempt = { code: null, error: "lost", durationMs: null, answer: null, note: null } as const;
  return { ...settlement("callback", held, job), attempt };
}

/** Settles alone. */
export async function settle(storage: Storage, leg: Leg, end: Settlement, now = NOW) {
  return (await storage.settlements[leg].settle([end], now))[0]!;
}

export async function storyOf(storage: Storage, orderId: number) {
  const story = await storage.orders.story(orderId, null);
  assert.ok(story, `no order ${orderId}`);
  return story;
}

export async function statusOf(storage: Storage, orderId: number): Promise<OrderStatus> {
  return (await storyOf(storage, orderId)).order.pipeline_status;
}

/** How many rows a table has. */
export async function rowsIn(storage: Storage, table: string): Promise<number> {
  const rows = await storage.database.run<{ n: number }>(`select count(*) as n from ${table}`, []);
  return rows[0]!.n;
}

/** Attempts as `[no, code or error]`. */
export async function attemptsOf(storage: Storage, orderId: number, leg: Leg = "ticketing") {
  const story = (await storyOf(storage, orderId))[leg];
  return (story?.attempts ?? []).map(({ no, code, error }) => [no, error ?? code]);
}
