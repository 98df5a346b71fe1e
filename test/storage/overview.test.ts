import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import type { Storage } from "../../src/storage/open.ts";
import { createOverview } from "../../src/storage/overview.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claim, newOrder, NOW, place, settle, settlement } from "./fixtures.ts";

const HOUR = 3_600_000;
const item = { sku: "ADULT-DAY", qty: 1, unit_price_minor: 100, currency: "THB" };

onEachDatabase("the overview", (kind) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
    await addPartner(storage, "other");
  });
  afterEach(() => storage.close());

  /** Places orders at a time, works ticketing at that time, and tells the partner of the ticketed ones. */
  async function work(
    at: number,
    ends: readonly ("succeeded" | "blocked" | "pending")[],
    delivered: boolean,
  ): Promise<void> {
    await place(
      storage,
      ends.map(() => newOrder()),
      at,
    );
    for (const [index, job] of (await claim(storage, "ticketing", { now: at })).entries()) {
      const end = settlement("ticketing", job, ends[index]!, { dueAt: at + 100 * HOUR });
      await settle(
        storage,
        "ticketing",
        { ...end, attempt: { ...end.attempt, durationMs: 10 * (index + 1) } },
        at,
      );
    }
    if (!delivered) return;
    for (const job of await claim(storage, "callback", { now: at }))
      await settle(storage, "callback", settlement("callback", job, "succeeded"), at);
  }

  test("counts hours, and those that are over once", async () => {
    await work(NOW, ["succeeded", "succeeded", "blocked"], true);
    await work(NOW + HOUR, ["succeeded"], false);
    const { overview } = createOverview(storage.database);
    const hours = async (now: number) =>
      (await overview(3, [], now)).hours.map(({ from, accepted, ticketed, delivered, stood }) => [
        (from - NOW) / HOUR,
        accepted,
        ticketed,
        delivered,
        stood,
      ]);
    const expected = [
      [0, 3, 2, 2, 1],
      [1, 1, 1, 0, 0],
    ];
    assert.deepEqual(await hours(NOW + HOUR + 1), [[-1, 0, 0, 0, 0], ...expected]);
    await work(NOW + HOUR + 2, ["pending"], true);
    assert.deepEqual(await hours(NOW + 2 * HOUR + 5), [expected[0], [1, 2, 1, 1, 0], [2, 0, 0, 0, 0]]);
    assert.deepEqual(await hours(NOW + 4 * HOUR), [
      [2, 0, 0, 0, 0],
      [3, 0, 0, 0, 0],
      [4, 0, 0, 0, 0],
    ]);
  });

  test("tells latency, health and the oldest", async () => {
    await work(NOW, ["succeeded", "blocked", "pending", "succeeded"], false);
    await place(storage, [newOrder({ partnerId: "other" })], NOW);
    await storage.database.run(
      `insert into circuits (leg, partner_id, state, reason, opened_at, next_probe_at) values ('callback', 'other', 'open', 'why', ${NOW}, ${NOW})`,
      [],
    );
    const told = await createOverview(storage.database).overview(1, [], NOW + 1);
    assert.deepEqual(told.latency, {
      ticketing: { attempts: 4, p50Ms: 30, p95Ms: 40 },
      callback: { attempts: 0, p50Ms: null, p95Ms: null },
    });
    assert.deepEqual(told.circuits, [{ leg: "callback", partnerId: "other", reason: "why", openedAt: NOW }]);
    assert.deepEqual(told.legs.ticketing, { failures: 2, waiting: 2, standing: 1 });
    const none = { failures: 0, waiting: 0, standing: 0 };
    assert.deepEqual(
      told.partners.map(({ id, legs }) => [id, legs]),
      [
        ["demo", { ticketing: { failures: 2, waiting: 1, standing: 1 }, callback: { ...none, waiting: 2 } }],
        ["other", { ticketing: { ...none, waiting: 1 }, callback: none }],
      ],
    );
    assert.deepEqual(
      [told.oldest.standing?.status, told.oldest.inWork?.status],
      ["ticketing_blocked", "ticketing_processing"],
    );
    assert.equal(told.atLeast, false);
    assert.equal(
      (await createOverview(storage.database).overview(1, [], NOW + 2 * HOUR)).legs.ticketing.failures,
      0,
    );
  });

  test("tells of visits that come and have no tickets", async () => {
    const visiting = (visit_date: string) =>
      newOrder({
        items: [
          { ...item, visit_date },
          { ...item, visit_date },
        ],
      });
    await place(storage, ["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-01"].map(visiting));
    const jobs = await claim(storage, "ticketing");
    await settle(storage, "ticketing", settlement("ticketing", jobs[0]!, "succeeded"));
    await settle(storage, "ticketing", settlement("ticketing", jobs[2]!, "blocked"));
    const { visits } = await createOverview(storage.database).overview(
      1,
      ["2026-01-01", "2026-01-02", "2026-01-03"],
      NOW,
    );
    assert.deepEqual(
      visits.map(({ date, notTicketed, orders }) => [date, notTicketed, orders.map(({ id }) => id)]),
      [
        ["2026-01-01", 2, [jobs[2]!.orderId, jobs[3]!.orderId]],
        ["2026-01-02", 1, [jobs[1]!.orderId]],
        ["2026-01-03", 0, []],
      ],
    );
  });
});
