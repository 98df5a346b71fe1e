import assert from "node:assert/strict";
import { afterEach, beforeEach, suite, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Overloaded } from "../../src/lib/combiner.ts";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import { inLine } from "../../src/storage/in-line.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, SQLITE } from "../support/databases.ts";

suite("what operators look for", () => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await freshStorage(SQLITE);
  });
  afterEach(() => storage.close());

  test("is looked for a few at a time, bounded, and holds up nothing else", async () => {
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    let [running, most] = [0, 0];
    const count: Storage["orderSearch"]["count"] = async (filter) => {
      most = Math.max(most, (running += 1));
      await opened;
      running -= 1;
      return storage.orderSearch.count(filter);
    };
    const heavy = { ...storage, orderSearch: { ...storage.orderSearch, count } };
    const { orderSearch, lists, orders } = inLine(heavy, 2);
    const first = [orderSearch.count(ANY_ORDER), orderSearch.count(ANY_ORDER)];
    await turn();
    await turn();
    const waiting = Array.from({ length: 100 }, () => orderSearch.count(ANY_ORDER));
    const anyone = { partnerId: null, reason: null, ip: null, since: null, until: null };
    await assert.rejects(lists.authEvents(anyone, null, 1), Overloaded);
    assert.equal(await orders.story(1, null), null, "an order itself waits for nobody");
    open();
    const found = await Promise.all([...first, ...waiting]);
    assert.deepEqual(new Set(found.map((each) => each.count)), new Set([0]));
    assert.equal(most, 2);
    assert.deepEqual((await lists.authEvents(anyone, null, 1)).rows, []);
  });
});
