import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import type { Step } from "../../src/storage/retention.ts";
import { parseDatabaseUrl } from "../../src/storage/target.ts";
import { type DatabaseUnderTest, onEachDatabase, openUrl, POSTGRES, SQLITE } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { json } from "../support/recorder.ts";
import { PARTNER_ID, startWay, type Way } from "../support/way.ts";
import { placesOf, wholeDatabase } from "../support/whole-database.ts";

const NAME = "Zbigniew";
const DAY_MS = 86_400_000;
const TICKETS = [
  { code: "A1", holder: NAME, seat: { of: NAME } },
  "B2",
  `${NAME} has no code`,
  { code: `Mr ${NAME}`, id: `ID-OF-${NAME}` },
];
const ORDER = {
  buyer: { name: NAME, phone: "1" },
  note: `call ${NAME}`,
  items: [{ sku: "ADULT", qty: 1, unit_price_minor: 5, currency: "THB", visitor: NAME }],
};

/** Where copies of the name lie once an order has gone its whole way. */
const PLACES = [
  "late_results.answer",
  "orders.raw_payload",
  "ota_callback_attempts.answer",
  "ota_callback_jobs.body",
  "ticketing_attempts.answer",
  "tickets.body",
  "tickets.code",
];

async function opened(t: TestContext, kind: DatabaseUnderTest) {
  const url = await kind.migratedUrl();
  const storage = openUrl(url);
  const clock = createFakeClock();
  const way = await startWay({ storage, clock });
  t.after(() => way.close());
  const run = (text: string) => storage.database.run(text, []);
  return { url, storage, clock, way, run, retention: storage.retention };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** An order that has been delivered after a failure on each leg, with a late result. */
async function delivered({ way, clock, run }: Opened, key: string | null = null): Promise<number> {
  way.ticketing.answer(json(500, { error: NAME }), json(200, { reference: "R-1", tickets: TICKETS }));
  way.partner.answer(json(500, { error: NAME }), json(200, { thanks: NAME }));
  const result = await way.accept(ORDER, key);
  assert.equal(result.kind, "accepted");
  const { id } = (result as { order: { id: number } }).order;
  for (let round = 0; round < 3; round += 1) {
    await way.work();
    clock.advance(3_000);
  }
  await run(`insert into late_results (leg, job_id, no, order_id, partner_id, claim, at, answer, recorded_at)
    select 'ticketing', id, 1, id, partner_id, trace_id, created_at, '${NAME}', created_at from orders where id = ${id}`);
  assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_delivered");
  return id;
}

/** Goes all the way with pages so small that it takes several. */
async function all(step: Step, before: number, limit = 2): Promise<number> {
  let [orders, from]: [number, number | null] = [0, 0];
  while (from !== null) {
    const page = await step(before, from, limit);
    orders += page.orders;
    from = page.next;
  }
  return orders;
}

async function rowsOf({ storage }: Opened, orderId: number): Promise<string[]> {
  const found: string[] = [];
  for (const [table, rows] of await wholeDatabase(storage)) {
    const id = table === "orders" || table === "ticketing_jobs" ? "id" : "order_id";
    if (rows.some((row) => row[id] === orderId)) found.push(table);
  }
  return found;
}

async function replay(way: Way, key: string): Promise<string> {
  return (await way.accept(ORDER, key)).kind;
}

onEachDatabase("retention", (kind) => {
  test("a buyer is blanked wherever a copy lies, and a repeat still gets its first answer", async (t) => {
    const here = await opened(t, kind);
    const { storage, clock, way, retention } = here;
    const id = await delivered(here, "key-1");
    assert.deepEqual(await placesOf(storage, NAME), PLACES, "the test would notice each of them");
    const before = clock.nowMs + 1;
    assert.equal(await all(retention.countWithBuyers, before), 1);
    const { order: was } = await way.story(id);

    assert.equal(await all(retention.blankBuyers, before), 1);
    assert.deepEqual(await placesOf(storage, NAME), []);
    assert.equal(await all(retention.countWithBuyers, before), 0);
    assert.equal(await all(retention.blankBuyers, before), 0);

    const { order, items, tickets, ticketing, callback } = await way.story(id);
    assert.deepEqual(Object.assign({}, order), {
      ...was,
      raw_payload: order.raw_payload,
      buyer_blanked_at: order.buyer_blanked_at,
    });
    assert.deepEqual(JSON.parse(order.raw_payload), {
      external_order_id: "EXT-42",
      callback_url: `${way.partner.url}/callback`,
      items: [{ sku: "ADULT", qty: 1, unit_price_minor: 5, currency: "THB" }],
      buyer: {},
    });
    assert.deepEqual([items.length, tickets], [1, [{ code: "A1" }, "B2", "", {}]]);
    // What is left of a ticket is what finds it: not what stood under another name.
    const codes = storage.database.queries.selectFrom("tickets").select("code").orderBy("no");
    assert.deepEqual(
      (await codes.execute()).map(({ code }) => code),
      ["A1", "B2", null, null],
    );
    assert.deepEqual([ticketing?.attempts.length, callback?.attempts.length], [2, 2]);
    const event = JSON.parse(callback!.job.body) as { event: string; order: Record<string, unknown> };
    assert.equal(event.event, "order.ticketed");
    assert.deepEqual(event.order["tickets"], tickets);
    assert.equal(event.order["reference"], "R-1");
    assert.equal(await replay(way, "key-1"), "replayed");
  });

  test("an old order is deleted with all that belongs to it; its key may be used again", async (t) => {
    const here = await opened(t, kind);
    const { storage, clock, way, retention } = here;
    const [old, other] = [await delivered(here, "key-1"), await delivered(here)];
    await storage.operatorActions.retry(old, { actor: "x", reason: "y" }, null);
    const before = clock.nowMs + 1;
    clock.advance(DAY_MS);
    const young = await delivered(here, "key-2");
    assert.equal(await all(retention.countOrders, before), 2);
    assert.equal(await all(retention.deleteOrders, before), 2);
    for (const id of [old, other]) assert.deepEqual(await rowsOf(here, id), []);
    assert.ok((await rowsOf(here, young)).length >= 7);
    assert.equal(await all(retention.deleteOrders, before), 0);
    assert.equal(await replay(way, "key-2"), "replayed");
    assert.equal(await replay(way, "key-1"), "accepted");
  });

  test("an order that anybody may still work on is never touched", async (t) => {
    const here = await opened(t, kind);
    const { storage, clock, way, retention, run } = here;
    const finished = await delivered(here);
    // Delivered, with another event on its way.
    const busy = await delivered(here);
    await run(`insert into ota_callback_jobs (order_id, partner_id, status, created_at, updated_at, event, event_id, sequence, body)
      values (${busy}, '${PARTNER_ID}', 'pending', 0, 0, 'order.ticketed', 'e', 2, '{}')`);
    await storage.operatorActions.cancel(await way.order(ORDER), { actor: "x", reason: "y" }, clock.nowMs);
    for (const status of [200, 422]) {
      way.ticketing.answer(json(status, { tickets: TICKETS }));
      way.partner.answer(status === 200 ? 404 : 200);
      await way.order(ORDER);
      await way.work();
    }
    way.ticketing.answer(503);
    await way.order(ORDER);
    await way.work();
    await way.order(ORDER);
    const statuses = async () =>
      (await run("select pipeline_status as s from orders order by id")).map(
        (row) => (row as { s: string }).s,
      );
    assert.deepEqual(await statuses(), [
      "ota_callback_delivered",
      "ota_callback_delivered",
      "cancelled",
      "ota_callback_blocked",
      "ticketing_blocked",
      "ticketing_processing",
      "accepted",
    ]);
    const before = clock.nowMs + 1;
    assert.equal(await all(retention.blankBuyers, before), 2);
    assert.equal(await all(retention.deleteOrders, before), 2);
    assert.deepEqual(await rowsOf(here, finished), []);
    assert.equal((await statuses()).length, 5);
    assert.equal((await placesOf(storage, NAME)).includes("orders.raw_payload"), true);
  });

  test("what was changed lately is kept, however old it is", async (t) => {
    const here = await opened(t, kind);
    const { clock, way, retention, storage } = here;
    way.ticketing.answer(422);
    const id = await way.order(ORDER);
    await way.work();
    clock.advance(100 * DAY_MS);
    await storage.operatorActions.cancel(id, { actor: "x", reason: "y" }, clock.nowMs);
    assert.equal(await all(retention.deleteOrders, clock.nowMs - 90 * DAY_MS), 0);
    assert.equal(await all(retention.deleteOrders, clock.nowMs + 1), 1);
  });

  if (kind === POSTGRES) {
    test("an order whose row somebody holds is left for the next time", async (t) => {
      const here = await opened(t, kind);
      const { storage, clock, retention } = here;
      const [held] = [await delivered(here), await delivered(here)];
      const before = clock.nowMs + 1;
      await storage.database.transact(async (tx) => {
        await tx("select id from orders where id = $1 for update", [held]);
        assert.equal(await all(retention.blankBuyers, before), 1);
        assert.equal(await all(retention.deleteOrders, before), 1);
      });
      assert.equal(await all(retention.deleteOrders, before), 1);
    });
  }

  if (kind === SQLITE) {
    test("not even the file holds the name any more", async (t) => {
      const here = await opened(t, kind);
      const { url, clock, retention, run } = here;
      for (let count = 0; count < 5; count += 1) await delivered(here);
      const { at } = parseDatabaseUrl(url);
      assert.ok(at.kind === "sqlite");
      const holds = async (): Promise<boolean> => {
        await run("pragma wal_checkpoint(truncate)");
        return readFileSync(at.path).includes(NAME);
      };
      assert.equal(await holds(), true);
      await all(retention.blankBuyers, clock.nowMs + 1);
      assert.equal(await holds(), false);
    });
  }
});
