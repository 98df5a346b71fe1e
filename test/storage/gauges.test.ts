import assert from "node:assert/strict";
import { test } from "node:test";
import { uuidV7 } from "../../src/lib/ids.ts";
import type { JobStatus, Leg } from "../../src/orders/states.ts";
import type { Storage } from "../../src/storage/open.ts";
import { LEG_TABLES } from "../../src/storage/tables.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";

const NOW = 1_900_000_000_000;
const PAST_DUE_MS = 10_000;

interface Planted {
  readonly leg?: Leg;
  readonly partner?: string;
  readonly status?: JobStatus;
  readonly lane?: 0 | 1;
  /** Milliseconds since it is due, and since its order was accepted. */
  readonly dueFor?: number;
  readonly age?: number;
  /** Milliseconds since its lease ended. */
  readonly leaseOver?: number;
  readonly isHeld?: boolean;
  readonly event?: string;
}

let ids = 0;

async function plant({ database }: Storage, job: Planted): Promise<void> {
  const { leg = "ticketing", partner = "demo", status = "pending", lane = 0, dueFor, age = 0 } = job;
  const { leaseOver, isHeld = false, event = "order.ticketed" } = job;
  const due = dueFor === undefined ? null : NOW - dueFor;
  ids += 1;
  await database.queries
    .insertInto(LEG_TABLES[leg].jobs)
    .values({
      order_id: ids,
      partner_id: partner,
      status,
      lane,
      next_attempt_at: due,
      held_until: isHeld ? due : null,
      claim: leaseOver === undefined ? null : uuidV7(NOW),
      lease_until: leaseOver === undefined ? null : NOW - leaseOver,
      created_at: NOW - age,
      updated_at: NOW - age,
      ...(leg === "callback" && { event, event_id: `evt_${ids}`, sequence: 1, body: "{}" }),
    } as never)
    .execute();
}

onEachDatabase("gauges", (kind) => {
  test("an empty database", async (t) => {
    const storage = await freshStorage(kind);
    t.after(() => storage.close());
    const none = { due: 0, pastDue: 0, held: 0, oldestDueMs: null };
    assert.deepEqual(await storage.readGauges(PAST_DUE_MS, NOW), {
      legs: { ticketing: none, callback: none },
      notTicketedMs: { in_work: null, standing: null },
      standing: {
        ticketing_blocked: 0,
        ticketing_exhausted: 0,
        ticketing_unknown: 0,
        ota_callback_blocked: 0,
        ota_callback_exhausted: 0,
      },
      circuits: [],
      countLimit: 10_000,
    });
  });

  test("what is due, late, held and stands", async (t) => {
    const storage = await freshStorage(kind);
    t.after(() => storage.close());
    for (const id of ["demo", "other", "down"]) await addPartner(storage, id);
    const planted: readonly Planted[] = [
      { dueFor: 1_000, age: 1_000 },
      { dueFor: 60_000, age: 90_000, partner: "other", lane: 1 },
      { dueFor: -5_000, age: 200_000 },
      { status: "running", leaseOver: -1_000 },
      { status: "running", leaseOver: 30_000 },
      { status: "blocked", age: 300_000 },
      { status: "blocked" },
      { status: "unknown" },
      { status: "closed", age: 900_000 },
      { status: "succeeded", age: 900_000 },
      { leg: "callback", dueFor: 11_000 },
      { leg: "callback", status: "exhausted" },
      // What becomes of it moves no order.
      { leg: "callback", status: "exhausted", event: "order.failed" },
      // Its circuit is open: it waits as it should, also where the keeper has not held it yet.
      { leg: "callback", dueFor: 90_000, partner: "down" },
      { leg: "callback", dueFor: -3_000_000, partner: "down", isHeld: true },
    ];
    for (const job of planted) await plant(storage, job);
    await storage.database.queries
      .insertInto("circuits")
      .values([
        { leg: "callback", partner_id: "down", state: "open", opened_at: NOW, next_probe_at: NOW },
        { leg: "ticketing", partner_id: "", state: "closed", opened_at: NOW, next_probe_at: NOW },
      ] as never)
      .execute();

    assert.deepEqual(await storage.readGauges(PAST_DUE_MS, NOW), {
      legs: {
        ticketing: { due: 2, pastDue: 2, held: 0, oldestDueMs: 60_000 },
        callback: { due: 1, pastDue: 1, held: 1, oldestDueMs: 11_000 },
      },
      notTicketedMs: { in_work: 200_000, standing: 300_000 },
      standing: {
        ticketing_blocked: 2,
        ticketing_exhausted: 0,
        ticketing_unknown: 1,
        ota_callback_blocked: 0,
        ota_callback_exhausted: 1,
      },
      circuits: [
        { leg: "callback", partnerId: "down", open: true },
        { leg: "ticketing", partnerId: "", open: false },
      ],
      countLimit: 10_000,
    });
  });
});
