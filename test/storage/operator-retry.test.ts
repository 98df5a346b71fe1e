import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { ORDER_STATUSES } from "../../src/orders/states.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import {
  attemptsOf,
  claimOne,
  claimRequest,
  lost,
  newOrder,
  NOW,
  place,
  rowsIn,
  settle,
  settlement,
  statusOf,
  storyOf,
} from "./fixtures.ts";

const ACT = { actor: "ops", reason: "it was fixed" };

onEachDatabase("an operator's retry", (kind) => {
  let storage: Storage;
  let partner: string;
  let partners = 0;
  before(async () => {
    storage = await freshStorage(kind);
  });
  beforeEach(() => addPartner(storage, (partner = `p${(partners += 1)}`)));
  after(() => storage.close());
  const order = async () => (await place(storage, [newOrder({ partnerId: partner })]))[0]!.id;
  const mine = (now: number) => ({
    busy: [{ partnerId: partner, slots: 100, firstAttempts: 0, retries: 0 }],
    slotsPerPartner: 0,
    now,
  });
  const take = (leg: "ticketing" | "callback", now = NOW) => claimOne(storage, leg, mine(now));
  const retry = (id: number, now = NOW) => storage.operatorActions.retry(id, ACT, now);

  for (const stands of ["blocked", "exhausted", "unknown"] as const) {
    test(`from ticketing_${stands}: a new run, due at once, numbers going on`, async () => {
      const id = await order();
      await settle(storage, "ticketing", settlement("ticketing", await take("ticketing"), "pending"));
      const second = await take("ticketing", NOW + 2_000);
      await settle(storage, "ticketing", settlement("ticketing", second, stands));
      assert.deepEqual(await retry(id, NOW + 60_000), {
        kind: "retried",
        leg: "ticketing",
        from: `ticketing_${stands}`,
        to: "ticketing_processing",
      });
      const { order: row, ticketing, actions } = await storyOf(storage, id);
      assert.equal(row.blocked_reason, null);
      const { status, run_attempts, run_started_at, next_attempt_at } = ticketing!.job;
      assert.deepEqual(
        [status, run_attempts, run_started_at, next_attempt_at],
        ["pending", 0, null, NOW + 60_000],
      );
      assert.deepEqual(
        actions.map(({ actor, action, reason, at, partner_id }) => [actor, action, reason, at, partner_id]),
        [["ops", "retry ticketing", "it was fixed", NOW + 60_000, partner]],
      );
      const job = await take("ticketing", NOW + 60_001);
      assert.deepEqual([job.no, job.attemptInRun, job.runStartedAt], [3, 1, NOW + 60_001]);
      await settle(storage, "ticketing", settlement("ticketing", job, "succeeded"));
      assert.deepEqual(
        (await attemptsOf(storage, id)).map(([no]) => no),
        [1, 2, 3],
      );
      assert.equal(await statusOf(storage, id), "ticketed");
    });
  }

  for (const stands of ["blocked", "exhausted"] as const) {
    test(`from ota_callback_${stands}: the same event again`, async () => {
      const id = await order();
      await settle(storage, "ticketing", settlement("ticketing", await take("ticketing"), "succeeded"));
      const first = await take("callback");
      await settle(storage, "callback", settlement("callback", first, stands));
      const retried = await retry(id);
      assert.deepEqual([retried.kind, await statusOf(storage, id)], ["retried", "ota_callback_pending"]);
      const job = await take("callback");
      assert.deepEqual([job.callback!.event, job.no, job.attemptInRun], [first.callback!.event, 2, 1]);
      await settle(storage, "callback", settlement("callback", job, "succeeded"));
      assert.equal(await statusOf(storage, id), "ota_callback_delivered");
    });
  }

  test("refused from everywhere else, and nothing is recorded", async () => {
    const retryable = /^ticketing_(blocked|exhausted|unknown)$|^ota_callback_(blocked|exhausted)$/;
    for (const status of ORDER_STATUSES.filter((name) => !retryable.test(name))) {
      const id = await order();
      await storage.database.run("update orders set pipeline_status = $2 where id = $1", [id, status]);
      const before = await storyOf(storage, id);
      assert.deepEqual(await retry(id), { kind: "refused", status });
      assert.deepEqual(await storyOf(storage, id), before);
    }
    const actions = await rowsIn(storage, "operator_actions");
    assert.deepEqual(await retry(999_999), { kind: "not_found" });
    assert.equal(await rowsIn(storage, "operator_actions"), actions);
  });

  test("two at once: one begins a run, the other is refused", async () => {
    const id = await order();
    await settle(storage, "ticketing", settlement("ticketing", await take("ticketing"), "blocked"));
    const kinds = (await Promise.all([retry(id), retry(id)])).map((retried) => retried.kind);
    assert.deepEqual(kinds.toSorted(), ["refused", "retried"]);
    assert.equal((await storyOf(storage, id)).actions.length, 1);
  });

  test("a late 2xx after the retry still makes the order ticketed, and nothing is tried again", async () => {
    const id = await order();
    const old = await take("ticketing");
    await settle(storage, "ticketing", lost(old, "blocked"));
    await retry(id);
    await settle(storage, "ticketing", settlement("ticketing", old, "succeeded"));
    assert.equal(await statusOf(storage, id), "ticketed");
    assert.deepEqual(await storage.queues.ticketing.claim(claimRequest(mine(NOW + 1))), []);
    assert.deepEqual(await retry(id), { kind: "refused", status: "ticketed" });
  });
});
