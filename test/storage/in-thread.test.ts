import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, suite, test } from "node:test";
import { threadId, Worker } from "node:worker_threads";
import { CommitUnknown, DatabaseUnavailable, RowLocked } from "../../src/storage/database.ts";
import { createThread, heard, inThread, told } from "../../src/storage/in-thread.ts";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import type { Storage } from "../../src/storage/open.ts";
import { openUrl, SQLITE } from "../support/databases.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { claim, newOrder, NOW, place, rowsIn } from "./fixtures.ts";

suite("storage in a thread of its own", () => {
  let url: string;
  let storage: Storage;
  beforeEach(async () => {
    url = await SQLITE.migratedUrl();
    const here = openUrl(url);
    await addPartner(here, PARTNER_ID);
    storage = inThread(here, { url, poolSize: 1, preparedStatements: true, create: true });
  });
  afterEach(() => storage.close());

  test("what it writes is read here at once, and what it answers is what the storage answers", async () => {
    const [placed] = await place(storage);
    assert.equal(await rowsIn(storage, "orders"), 1);
    const [job] = await claim(storage, "ticketing");
    assert.deepEqual([job?.orderId, job?.no], [placed?.id, 1]);
    assert.deepEqual(await storage.queues.callback.expired(10, true, NOW), []);
  });

  test("many at once: each hears its own answer", async () => {
    const names = Array.from({ length: 300 }, (_, n) => `EXT-${n}`);
    const answers = await Promise.all(
      names.map((externalOrderId) => storage.intake.accept([newOrder({ externalOrderId })], NOW)),
    );
    const heardOf = answers.map(([answer]) => answer?.kind === "accepted" && answer.order.externalOrderId);
    assert.deepEqual(heardOf, names);
  });

  test("an export is read in short pages, by the thread that looks", async (t) => {
    await storage.intake.accept(
      Array.from({ length: 60 }, () => newOrder()),
      NOW,
    );
    const here = t.mock.method(DatabaseSync.prototype, "prepare");
    const pages: number[] = [];
    for await (const orders of storage.exportPages.pages(ANY_ORDER, true)) pages.push(orders.length);
    assert.deepEqual([pages, here.mock.callCount()], [[50, 10], 0]);
  });

  test("a fault of an order's data is still told from a database that is away", async () => {
    const twice = newOrder();
    const fault: unknown = await storage.intake.accept([twice, twice], NOW).catch((error: unknown) => error);
    assert.equal(storage.database.isDataFault(fault), true, String(fault));
    renameSync(new URL(url).pathname, `${new URL(url).pathname}.moved`);
    await assert.rejects(storage.intake.accept([newOrder()], NOW), DatabaseUnavailable);
  });
});

suite("a thread", () => {
  const start = () => new Worker(new URL("./dying-thread.ts", import.meta.url));

  test("that ends by itself leaves its calls undecided, and the next call has a new one", async () => {
    const started: number[] = [];
    const thread = createThread(() => {
      const worker = start();
      started.push(worker.threadId);
      return worker;
    });
    assert.equal(await thread.call(["one"], []), "one");
    const lost = ["wait", "wait", "die"].map((name) =>
      thread.call([name], []).catch((error: unknown) => error),
    );
    for (const error of await Promise.all(lost)) {
      assert.ok(error instanceof CommitUnknown);
      assert.match((error.cause as Error).message, /a defect/);
    }
    assert.equal(await thread.call(["two"], []), "two");
    assert.equal(new Set([threadId, ...started]).size, 3, "two threads beside this one");
    await thread.close();
  });

  test("an error that is its own cause is told all the same", () => {
    const error = new Error("round");
    error.cause = error;
    assert.equal(heard(structuredClone(told(error))).message, "round");
  });

  test("errors pass with their class, code and cause", () => {
    const cause = Object.assign(new Error("disk I/O error"), { errcode: 10 });
    for (const Known of [DatabaseUnavailable, CommitUnknown, RowLocked]) {
      const passed = heard(structuredClone(told(new Known("away", { cause }))));
      assert.ok(passed instanceof Known);
      assert.deepEqual([passed.message, passed.name], ["away", Known.name]);
      assert.deepEqual(
        [(passed.cause as Error).message, (passed.cause as typeof cause).errcode],
        [cause.message, 10],
      );
    }
    assert.equal(heard(told(new TypeError("ours"))).name, "TypeError");
    assert.equal(heard(told("not even an error")).message, "not even an error");
  });
});
