import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { ANY_ORDER, type OrderFilter } from "../../src/orders/order-filter.ts";
import type { OrderStatus } from "../../src/orders/states.ts";
import { firstIdSince } from "../../src/storage/ids-in-time.ts";
import { createOrderSearch, type OrderSearch } from "../../src/storage/order-search.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claimOne, newOrder, NOW, place, settle, settlement, ticketed } from "./fixtures.ts";

const MINUTE = 60_000;
const any = (more: Partial<OrderFilter> = {}): OrderFilter => ({ ...ANY_ORDER, ...more });
const act = { actor: "olga", reason: "a test" };

onEachDatabase("the search for orders", (kind) => {
  let storage: Storage;
  let search: OrderSearch;
  /** By name: each stands where its name says. */
  const ids: Record<string, number> = {};

  const accept = async (name: string, at: number, visit?: string, partnerId = "demo") => {
    const item = { sku: "ADULT", qty: 2, unit_price_minor: 1500, currency: "EUR" };
    const items = [
      { ...item, ...(visit && { visit_date: visit }) },
      { ...item, qty: 1, currency: "THB" },
    ];
    const [order] = await place(storage, [newOrder({ externalOrderId: name, partnerId, items })], at);
    ids[name] = order!.id;
    return order!;
  };
  const attempt = async (
    leg: "ticketing" | "callback",
    job: "succeeded" | "blocked" | "exhausted" | "pending",
    at: number,
    more = {},
  ) => {
    const held = await claimOne(storage, leg, { now: at });
    await settle(storage, leg, settlement(leg, held, job, more), at);
  };

  before(async () => {
    storage = await freshStorage(kind);
    search = createOrderSearch(storage.database, { clock: { wallMs: () => NOW + 60 * MINUTE } });
    await addPartner(storage);
    await addPartner(storage, "other");
    await accept("delivered", NOW + MINUTE, "2026-03-01");
    const brought = {
      ...ticketed("REF-1"),
      tickets: ['{"barcode":"88-12","holder":"Alex Smith"}', '"PLAIN"'],
    };
    await attempt("ticketing", "succeeded", NOW + MINUTE, { ticketed: brought });
    await attempt("callback", "succeeded", NOW + MINUTE);
    await accept("blocked", NOW + 2 * MINUTE, "2026-03-02");
    await attempt("ticketing", "blocked", NOW + 2 * MINUTE);
    await accept("exhausted", NOW + 3 * MINUTE, "2026-03-02", "other");
    await attempt("ticketing", "exhausted", NOW + 3 * MINUTE);
    await accept("callback-blocked", NOW + 4 * MINUTE);
    await attempt("ticketing", "succeeded", NOW + 4 * MINUTE);
    await attempt("callback", "blocked", NOW + 4 * MINUTE);
    await accept("cancelled", NOW + 5 * MINUTE, "2026-03-05");
    await storage.operatorActions.cancel(ids["cancelled"]!, act, NOW + 5 * MINUTE);
    await accept("waiting", NOW + 6 * MINUTE);
    const lost = { attempt: { code: null, error: "timeout", durationMs: 1, answer: null, note: null } };
    await attempt("ticketing", "pending", NOW + 6 * MINUTE, lost);
    await accept("new", NOW + 60 * MINUTE, "2026-03-02");
  });
  after(() => storage.close());

  const names = (found: readonly number[]) =>
    found.map((id) => Object.keys(ids).find((name) => ids[name] === id));
  /** The same orders by every way: in pages, by ascending ids, and counted. */
  async function found(filter: Partial<OrderFilter>): Promise<(string | undefined)[]> {
    const pages: number[] = [];
    for (let cursor: number | null = null, first = true; first || cursor !== null; first = false) {
      const page = await search.page(any(filter), cursor, 2);
      pages.push(...page.orders.map((order) => order.id));
      cursor = page.next;
    }
    assert.deepEqual(await search.ids(any(filter), 0, 100), pages.toReversed());
    assert.deepEqual(await search.count(any(filter)), { count: pages.length, atLeast: false });
    return names(pages);
  }

  test("one word finds an order by whatever name it has", async () => {
    const { orders } = await search.page(any({ ids: [ids["blocked"]!] }), null, 1);
    const { traceId } = orders[0]!;
    assert.deepEqual(await found({ q: "delivered" }), ["delivered"]);
    assert.deepEqual(await found({ q: traceId.toUpperCase() }), ["blocked"]);
    assert.deepEqual(await found({ q: "REF-1" }), ["delivered"]);
    assert.deepEqual(await found({ q: "88-12" }), ["delivered"]);
    assert.deepEqual(await found({ q: "PLAIN" }), ["delivered"]);
    assert.deepEqual(await found({ q: String(ids["waiting"]) }), ["waiting"]);
    assert.deepEqual(await found({ q: "Alex Smith" }), []);
    assert.deepEqual(await found({ q: "REF-1", statuses: ["cancelled"] }), []);
  });

  test("filters, alone and together", async () => {
    const cases: [Partial<OrderFilter>, string[]][] = [
      [{}, ["new", "waiting", "cancelled", "callback-blocked", "exhausted", "blocked", "delivered"]],
      [
        { statuses: ["ticketing_blocked", "ota_callback_blocked", "accepted"] },
        ["new", "callback-blocked", "blocked"],
      ],
      [{ statuses: ["ota_callback_delivered", "cancelled"] }, ["cancelled", "delivered"]],
      [{ statuses: ["ticketing_processing"] }, ["waiting"]],
      [{ partnerId: "other" }, ["exhausted"]],
      [{ partnerId: "other", statuses: ["ticketing_blocked"] }, []],
      [{ createdFrom: NOW + 3 * MINUTE, createdBefore: NOW + 5 * MINUTE }, ["callback-blocked", "exhausted"]],
      [{ createdFrom: NOW + 61 * MINUTE }, []],
      [{ createdBefore: NOW + MINUTE }, []],
      [{ visitFrom: "2026-03-02", visitTo: "2026-03-04" }, ["new", "exhausted", "blocked"]],
      [{ visitTo: "2026-03-01" }, ["delivered"]],
      [{ visitFrom: "2026-03-02", statuses: ["ticketing_exhausted"], code: 503 }, ["exhausted"]],
      [{ code: 422 }, ["callback-blocked", "blocked"]],
      [{ code: 200, statuses: ["ota_callback_delivered"] }, ["delivered"]],
      [{ code: 200 }, ["callback-blocked", "delivered"]],
      [{ error: "timeout" }, ["waiting"]],
      [{ pastDue: true }, ["waiting"]],
      [{ ids: [ids["new"]!, ids["blocked"]!, 4711] }, ["new", "blocked"]],
      [{ errorGroup: "nobody knows it" }, []],
    ];
    for (const [filter, expected] of cases)
      assert.deepEqual(await found(filter), expected, JSON.stringify(filter));
  });

  test("what a circuit holds isn't past due", async () => {
    const hold = (until: number | null) =>
      sql`update ticketing_jobs set held_until = ${until} where id = ${ids["waiting"]}`.execute(
        storage.database.queries,
      );
    await hold(NOW + 90 * MINUTE);
    assert.deepEqual(await found({ pastDue: true }), []);
    await hold(null);
  });

  test("counts by status are of the same filter", async () => {
    const standing: Partial<Record<OrderStatus, number>> = (await search.countsByStatus(any())).counts;
    assert.deepEqual(
      Object.entries(standing).filter(([, n]) => n > 0),
      [
        ["accepted", 1],
        ["ticketing_processing", 1],
        ["ticketing_blocked", 1],
        ["ticketing_exhausted", 1],
        ["ota_callback_delivered", 1],
        ["ota_callback_blocked", 1],
        ["cancelled", 1],
      ],
    );
    const ofOther = await search.countsByStatus(
      any({ partnerId: "other", statuses: ["cancelled", "ticketing_exhausted"] }),
    );
    assert.deepEqual(ofOther, { counts: { cancelled: 0, ticketing_exhausted: 1 }, atLeast: false });
  });

  test("a row tells what a list shows", async () => {
    const { orders } = await search.page(any({ q: "delivered" }), null, 10);
    const { traceId, updatedAt, ...row } = orders[0]!;
    assert.ok(traceId.length === 36 && updatedAt === NOW + MINUTE);
    assert.deepEqual(row, {
      id: ids["delivered"],
      partnerId: "demo",
      externalOrderId: "delivered",
      status: "ota_callback_delivered",
      blockedReason: null,
      reference: "REF-1",
      createdAt: NOW + MINUTE,
      visitFrom: "2026-03-01",
      visitTo: "2026-03-01",
      items: 2,
      qty: 3,
      totals: [
        { currency: "EUR", minor: 3000 },
        { currency: "THB", minor: 1500 },
      ],
      tickets: 2,
      leg: "callback",
      attempts: { ticketing: 1, callback: 1 },
      runAttempts: 1,
      nextAttemptAt: null,
      heldUntil: null,
      code: 200,
      error: null,
    });
  });

  test("an order that comes in between moves no page", async () => {
    const first = await search.page(any(), null, 3);
    await accept("later", NOW + 61 * MINUTE);
    const second = await search.page(any(), first.next, 3);
    assert.deepEqual(names(second.orders.map((order) => order.id)), [
      "callback-blocked",
      "exhausted",
      "blocked",
    ]);
  });

  test("a moment's first id, also where ids are missing", async () => {
    const { queries } = storage.database;
    await sql`insert into orders (id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, raw_payload,
      created_at, updated_at) values (1000, 'demo', 'far', '0198f0c4-0000-7000-8000-000000000000', '', 'closed', '',
      ${NOW + 90 * MINUTE}, 0)`.execute(queries);
    const at = (minutes: number) => firstIdSince(storage.database, NOW + minutes * MINUTE);
    assert.equal(await at(0), ids["delivered"]);
    assert.equal(await at(2), ids["blocked"]);
    assert.equal(await at(7), ids["new"]);
    assert.equal(await at(89), 1000);
    assert.equal(await at(91), 1001);
  });
});
