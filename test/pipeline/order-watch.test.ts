import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { watchOrders } from "../../src/pipeline/order-watch.ts";
import type { Storage } from "../../src/storage/open.ts";
import { claimOne, newOrder, NOW, place, settle, settlement } from "../storage/fixtures.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";

const clock = { wallMs: () => NOW };
const ACT = { actor: "kim", reason: "again" };

onEachDatabase("orders that are watched", (kind) => {
  let storage: Storage;
  before(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
  });
  after(() => storage.close());

  test("what comes, moves and is acted on is told once; a look that failed is made up for", async () => {
    const [first] = await place(storage);
    await settle(
      storage,
      "ticketing",
      settlement("ticketing", await claimOne(storage, "ticketing"), "blocked"),
    );
    // The first one is far behind the newest, and at rest.
    await place(
      storage,
      Array.from({ length: 250 }, () => newOrder()),
      NOW + 3_600_000,
    );
    let fails = false;
    const states = async (ids: readonly number[]) => {
      if (fails) throw new Error("away");
      return storage.changes.states(ids);
    };
    const look = await watchOrders({ changes: { ...storage.changes, states }, clock });
    assert.deepEqual(await look(), { orders: [], more: false });

    await storage.operatorActions.cancel(first!.id, ACT, NOW);
    const [came] = await place(storage);
    fails = true;
    await assert.rejects(look());
    fails = false;
    const told = await look();
    assert.deepEqual(told.orders, [
      { id: first!.id, status: "cancelled", came: false },
      { id: came!.id, status: "accepted", came: true },
    ]);
    assert.deepEqual((await look()).orders, []);

    const job = await claimOne(storage, "ticketing");
    await settle(storage, "ticketing", settlement("ticketing", job, "blocked"));
    assert.deepEqual((await look()).orders, [{ id: came!.id, status: "ticketing_blocked", came: false }]);
  });

  test("more than one look reads is said", async () => {
    const look = await watchOrders({ changes: storage.changes, clock });
    await place(
      storage,
      Array.from({ length: 701 }, () => newOrder()),
    );
    const { orders, more } = await look();
    assert.deepEqual([orders.length, more], [700, true]);
    assert.deepEqual(await look(), { orders: [], more: false });
  });
});
