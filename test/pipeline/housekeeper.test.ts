import assert from "node:assert/strict";
import { test } from "node:test";
import { createHousekeeper } from "../../src/pipeline/housekeeper.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { startWay } from "../support/way.ts";
import { wholeDatabase } from "../support/whole-database.ts";
import { SILENT } from "../support/log.ts";

const DAY_MS = 86_400_000;

onEachDatabase("the housekeeper", (kind) => {
  test("deletes what is old enough, and orders only when it is told to", async (t) => {
    const storage = await freshStorage(kind);
    const clock = createFakeClock();
    const way = await startWay({ storage, clock });
    t.after(() => way.close());
    const keeper = (ordersMs: number | null) =>
      createHousekeeper({ storage, keep: { ordersMs, authEventsMs: 90 * DAY_MS }, clock, log: SILENT });
    const failure = { partnerId: "p", reason: "wrong_token", userAgent: null, count: 1, lastAt: 0 } as const;
    const failedNow = () =>
      storage.authEvents.write([
        { ...failure, ip: null, minute: clock.nowMs },
        { ...failure, ip: "192.0.2.1", minute: clock.nowMs },
      ]);
    const refused = { partnerId: "p", status: 400, problem: "invalid-order", reason: "r", count: 1 } as const;
    await storage.rejections.write([{ ...refused, externalOrderId: null, ip: null, at: clock.nowMs }]);
    await failedNow();
    await way.order();
    await way.work();
    clock.advance(90 * DAY_MS + 1);
    await failedNow();
    await way.order();
    await way.work();

    assert.deepEqual(await keeper(null).round(), { orders: 0, authEvents: 2, rejections: 1 });
    assert.deepEqual(await keeper(90 * DAY_MS).round(), { orders: 1, authEvents: 0, rejections: 0 });
    assert.deepEqual(await keeper(90 * DAY_MS).round(), { orders: 0, authEvents: 0, rejections: 0 });
    const tables = await wholeDatabase(storage);
    assert.deepEqual([tables.get("orders")?.length, tables.get("auth_events")?.length], [1, 2]);
  });
});
