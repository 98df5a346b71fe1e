import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { combine } from "../../src/lib/combiner.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { Acceptance, NewOrder } from "../../src/storage/orders.ts";
import { freshStorage, onEachDatabase, openUrl } from "../support/databases.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { claimOne, keyed, newOrder, NOW, place, rowsIn, storyOf } from "./fixtures.ts";
import { otherProcess } from "./other-process.ts";

const OTHER = "other";
/** 250 KiB of what is hard to carry: Thai, emoji, escapes of U+0000 and of a lone surrogate's neighbour. */
const HARD = String.raw`{"ผู้ซื้อ":"🎟️","nul":"\u0000","quote":"\"\\","pair":"\ud83c\udf9f"}`;

onEachDatabase("intake", (kind) => {
  let storage: Storage;
  let partner: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage, OTHER);
  });
  beforeEach(() => addPartner(storage, (partner = `p${(partners += 1)}`)));
  after(() => storage.close());
  const mine = (more: Partial<NewOrder> = {}) => newOrder({ partnerId: partner, ...more });
  const mineUnder = (key: string, more: Partial<NewOrder> = {}, payload?: string) =>
    keyed(key, { partnerId: partner, ...more }, payload);

  /** Group commit, as the accept step has it. */
  const combined = () =>
    combine<NewOrder, Acceptance>({
      run: (orders) => storage.intake.accept(orders, NOW),
      maxBatch: 100,
      maxQueue: 10_000,
      isItemFault: (error) => storage.database.isDataFault(error),
    });

  test("order, items, job and key are written together, or not at all", async () => {
    const tables = ["orders", "order_items", "ticketing_jobs", "idempotency_keys"];
    const count = () => Promise.all(tables.map((table) => rowsIn(storage, table)));
    const before = await count();
    const order = mineUnder("k");
    await place(storage, [order]);
    assert.deepEqual(
      await count(),
      before.map((n) => n + 1),
    );
    const same = mineUnder("k2", { traceId: order.traceId });
    const fault = await storage.intake.accept([mineUnder("k3"), same], NOW).catch((error: unknown) => error);
    assert.ok(storage.database.isDataFault(fault), String(fault));
    assert.deepEqual(
      await count(),
      before.map((n) => n + 1),
    );
    assert.equal(await storage.intake.findByKey(partner, "k3", "same"), null);
  });

  test("a batch of 100: results in the order of the input, with new and used keys mixed", async () => {
    const first = Array.from({ length: 20 }, (_, index) => mineUnder(`mixed${index}`));
    const placed = await place(storage, first);
    const orders = Array.from({ length: 100 }, (_, index) => {
      if (index % 5 === 0) return mineUnder(`mixed${index / 5}`);
      if (index % 5 === 1) return mineUnder(`mixed${(index - 1) / 5}`, {}, "another");
      return index % 5 === 2 ? mine() : mineUnder(`fresh${index}`);
    });
    const results = await storage.intake.accept(orders, NOW);
    results.forEach((result, index) => {
      const expected = ["replayed", "key_reused", "accepted", "accepted", "accepted"][index % 5]!;
      assert.equal(result.kind, expected);
      if (result.kind === "accepted") assert.equal(result.order.traceId, orders[index]!.traceId);
      if (result.kind === "replayed") assert.deepEqual(result.order, placed[index / 5]);
    });
    const written = await storage.intake.findByTraceIds(orders.map((order) => order.traceId));
    assert.deepEqual(
      orders.map((order) => written.has(order.traceId)),
      results.map((result) => result.kind === "accepted"),
    );
  });

  test("fifty parallel requests with one key make one order", async () => {
    const accept = combined();
    const results = await Promise.all(Array.from({ length: 50 }, () => accept(mineUnder("fifty"))));
    const kinds = results.map((result) => result.kind).toSorted();
    assert.deepEqual(kinds, ["accepted", ...Array.from({ length: 49 }, () => "replayed")]);
    const ids = results.map((result) => "order" in result && result.order.id);
    assert.equal(new Set(ids).size, 1);
    const found = await storage.intake.findByKey(partner, "fifty", "same");
    assert.equal(found?.kind, "replayed");
    assert.equal((await storage.intake.findByKey(partner, "fifty", "another"))?.kind, "key_reused");
  });

  test("one key in one batch with two payloads: the first wins", async () => {
    const results = await storage.intake.accept([mineUnder("two", {}, "a"), mineUnder("two", {}, "b")], NOW);
    assert.deepEqual(results.map((result) => result.kind).toSorted(), ["accepted", "key_reused"]);
  });

  test("one key of two partners is two keys", async () => {
    const orders = [mineUnder("shared"), keyed("shared", { partnerId: OTHER }, "another")];
    const results = await storage.intake.accept(orders, NOW);
    assert.deepEqual(
      results.map((result) => result.kind),
      ["accepted", "accepted"],
    );
    const replays = await storage.intake.accept(orders, NOW);
    assert.deepEqual(
      replays.map((result) => (result.kind === "replayed" ? result.order.partnerId : result.kind)),
      [partner, OTHER],
    );
  });

  test("one bad order of a batch fails alone", async () => {
    const [used] = await place(storage, [mine()]);
    const accept = combined();
    const orders = Array.from({ length: 30 }, (_, index) =>
      index === 13 ? mine({ traceId: used!.traceId }) : mineUnder(`good${index}`),
    );
    const results = await Promise.allSettled(orders.map(accept));
    results.forEach((result, index) => {
      if (index === 13) return assert.equal(result.status, "rejected");
      assert.equal(result.status === "fulfilled" && result.value.kind, "accepted");
    });
    assert.equal((await storyOf(storage, used!.id)).sameExternalId.length, 0);
  });

  test("a partner who refuses repeats gets one order for each external order id", async () => {
    const repeat = { externalOrderId: "ONCE", rejectRepeats: true };
    const [first] = await place(storage, [mineUnder("once", repeat)]);
    const results = await storage.intake.accept(
      [
        mine(repeat),
        mineUnder("once", repeat),
        mineUnder("new", repeat),
        mine({ ...repeat, partnerId: OTHER }),
      ],
      NOW,
    );
    assert.deepEqual(
      results.map((result) => (result.kind === "repeated" ? result.orderId : result.kind)),
      [first!.id, "replayed", first!.id, "accepted"],
    );
    assert.equal(
      await storage.intake.findByKey(partner, "new", "same"),
      null,
      "failures are never remembered",
    );
  });

  test("repeats that come together: one order, with and without keys", async () => {
    const repeat = { externalOrderId: "RACE", rejectRepeats: true };
    const orders = [mine(repeat), mineUnder("r1", repeat), mineUnder("r1", repeat), mine(repeat)];
    const results = await storage.intake.accept(orders, NOW);
    assert.deepEqual(
      results.map((result) => result.kind),
      ["accepted", "repeated", "repeated", "repeated"],
    );
    const again = { externalOrderId: "RACE2", rejectRepeats: true };
    const under = [mineUnder("r2", again), mineUnder("r2", again), mineUnder("r2", again, "another")];
    const kinds = (await storage.intake.accept(under, NOW)).map((result) => result.kind);
    assert.deepEqual(kinds, ["accepted", "replayed", "key_reused"]);
    const races = Array.from({ length: 12 }, () =>
      storage.intake.accept([mine({ externalOrderId: "RACE3", rejectRepeats: true })], NOW),
    );
    const raced = (await Promise.all(races)).map(([result]) => result!.kind);
    assert.equal(raced.filter((result) => result === "accepted").length, 1);
  });

  test("big values come back as they went in", async () => {
    const items = Array.from({ length: 300 }, (_, index) => ({
      sku: `บัตร 🎟️ ${index} \u0001 "'\\`,
      qty: 10_000,
      unit_price_minor: Number.MAX_SAFE_INTEGER - index,
      currency: "THB",
      ...(index % 2 === 0 ? { visit_date: "2026-12-24", visit_time: "09:30" } : {}),
    }));
    const rawPayload = `[${Array.from({ length: Math.floor(250_000 / Buffer.byteLength(HARD)) }, () => HARD).join()}]`;
    const [placed] = await place(storage, [mine({ items, rawPayload })]);
    const story = await storyOf(storage, placed!.id);
    assert.deepEqual(story.items, items);
    assert.equal(story.order.raw_payload, rawPayload);
    const busy = [{ partnerId: partner, slots: 1, firstAttempts: 0, retries: 0 }];
    const job = await claimOne(storage, "ticketing", { busy, slotsPerPartner: 0 });
    assert.equal(job.rawPayload, rawPayload);
  });

  test("ids stay in the order of acceptance, and the list pages through them", async () => {
    const placed = await place(storage, [mine()]);
    placed.push(...(await place(storage, [mine()])));
    const page = { partnerId: partner, status: null, externalOrderId: null, limit: 1 };
    const [newest] = await storage.orders.list({ ...page, before: null });
    assert.equal(newest!.id, placed[1]!.id);
    const [older] = await storage.orders.list({ ...page, before: newest!.id });
    assert.equal(older!.id, placed[0]!.id);
    assert.equal(await storage.orders.story(older!.id, OTHER), null, "another's order does not exist");
  });
});

onEachDatabase("intake by two processes", (kind) => {
  test("racing with the same 200 keys they make exactly one order for each", async () => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    await addPartner(storage, PARTNER_ID);
    const processes = ["10", "50"].map((batch) => otherProcess("accept", url, "200", batch));
    const said = (await Promise.all(processes.map((process) => process.said))) as Record<string, number>[];
    const sum = (name: string) => said.reduce((total, counts) => total + (counts[name] ?? 0), 0);
    assert.deepEqual(
      { accepted: sum("accepted"), replayed: sum("replayed") },
      { accepted: 200, replayed: 200 },
    );
    assert.deepEqual(
      [await rowsIn(storage, "orders"), await rowsIn(storage, "idempotency_keys")],
      [200, 200],
    );
    await storage.close();
  });
});

onEachDatabase("keys", (kind) => {
  test("trace ids are found by their text, those that aren't there are not", async () => {
    const storage = await freshStorage(kind);
    const [placed] = await place(storage);
    const found = await storage.intake.findByTraceIds([placed!.traceId, randomUUID()]);
    assert.deepEqual([...found], [[placed!.traceId, placed]]);
    assert.deepEqual(await storage.intake.findByTraceIds([]), new Map());
    await storage.close();
  });
});
