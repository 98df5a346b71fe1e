import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claim, newOrder, NOW, place, settle, settlement } from "./fixtures.ts";

onEachDatabase("groups of errors", (kind) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
    await addPartner(storage, "other");
  });
  afterEach(() => storage.close());

  /** Orders whose ticketing ended so, with these answers in turn. */
  async function fail(
    job: "blocked" | "pending",
    answers: readonly string[],
    partnerId = "demo",
  ): Promise<number[]> {
    const rawPayload = '{"buyer":{"name":"Doe-Winter"}}';
    await place(
      storage,
      answers.map(() => newOrder({ partnerId, rawPayload })),
    );
    const jobs = await claim(storage, "ticketing");
    for (const [index, held] of jobs.entries()) {
      const attempt = {
        code: job === "blocked" ? 422 : 503,
        error: null,
        durationMs: 5,
        answer: answers[index]!,
        note: null,
      };
      await settle(
        storage,
        "ticketing",
        settlement("ticketing", held, job, { attempt, dueAt: NOW + 60_000 }),
      );
    }
    return jobs.map(({ orderId }) => orderId);
  }

  test("one for each kind of failure, with its orders, partners and times", async () => {
    const sold = await fail("blocked", ["SKU 12 is sold out", "SKU 13 is sold out"]);
    const theirs = await fail("blocked", ["SKU 14 is sold out"], "other");
    const named = await fail("blocked", ["no seat for Doe-Winter"]);
    const busy = await fail("pending", ["busy", "busy"]);
    const { groups, atLeast } = await storage.errorGroups.list(NOW - 1);
    assert.equal(atLeast, false);
    assert.deepEqual(
      groups.map(({ leg, host, code, message, standing, waiting, attempts, partners }) => [
        leg,
        host,
        code,
        message,
        [...standing],
        [...waiting],
        attempts,
        partners,
      ]),
      [
        ["ticketing", null, 422, "SKU <n> is sold out", [...sold, ...theirs], [], 3, ["demo", "other"]],
        ["ticketing", null, 503, "busy", [], busy, 2, ["demo"]],
        ["ticketing", null, 422, "no seat for ***", named, [], 1, ["demo"]],
      ],
    );
    assert.deepEqual(
      [groups[0]!.firstSeen, groups[0]!.lastSeen, groups[0]!.exampleOrderId],
      [NOW, NOW, theirs[0]],
    );
    assert.deepEqual(
      (await storage.errorGroups.list(NOW + 1)).groups.map(({ attempts }) => attempts),
      [0, 0, 0],
    );
    for (const { fingerprint: errorGroup, standing, waiting } of groups) {
      const ids = [...standing, ...waiting];
      assert.deepEqual(await storage.errorGroups.ordersOf(errorGroup), ids);
      assert.deepEqual(await storage.orderSearch.ids({ ...ANY_ORDER, errorGroup }, 0, 100), ids);
    }
    assert.deepEqual(await storage.errorGroups.ordersOf("ticketing:422:-:0123456789ab:-"), []);
  });

  test("by the callback's host; what an operator has begun again is no error any more", async () => {
    await place(storage, [
      newOrder({ callbackUrl: "https://a.example/cb?key=1" }),
      newOrder({ callbackUrl: "https://b.example/cb" }),
    ]);
    for (const held of await claim(storage, "ticketing"))
      await settle(storage, "ticketing", settlement("ticketing", held, "succeeded"));
    const attempt = { code: 410, error: null, durationMs: 5, answer: null, note: null };
    const held = await claim(storage, "callback");
    for (const job of held)
      await settle(storage, "callback", settlement("callback", job, "blocked", { attempt }));
    const { groups } = await storage.errorGroups.list(NOW);
    assert.deepEqual(
      groups
        .map(({ leg, host, code, standing }) => [leg, host, code, standing.size])
        .toSorted((one, other) => (String(one) < String(other) ? -1 : 1)),
      [
        ["callback", "a.example", 410, 1],
        ["callback", "b.example", 410, 1],
      ],
    );
    await storage.operatorActions.retry(held[0]!.orderId, { actor: "olga", reason: "asked" }, NOW);
    const after = (await storage.errorGroups.list(NOW + 1)).groups;
    assert.deepEqual(
      after.map(({ standing, waiting }) => [standing.size, waiting.size]),
      [[1, 0]],
    );
  });

  test("across pages", async () => {
    const count = 1001;
    await place(
      storage,
      Array.from({ length: count }, () => newOrder()),
    );
    await storage.database.run(
      "update ticketing_jobs set status = 'exhausted', last_status_code = 503, attempts = 1",
      [],
    );
    await storage.database.run(
      `insert into ticketing_attempts (job_id, no, order_id, partner_id, claim, code, at)
       select id, 1, order_id, partner_id, '${"0".repeat(8)}-0000-7000-8000-${"0".repeat(12)}', 503, ${NOW} from ticketing_jobs`,
      [],
    );
    const { groups } = await storage.errorGroups.list(NOW);
    assert.deepEqual(
      groups.map(({ standing, attempts }) => [standing.size, attempts]),
      [[count, count]],
    );
  });
});
