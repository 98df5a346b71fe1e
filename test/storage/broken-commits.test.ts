import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import pg from "pg";
import { systemClock } from "../../src/lib/clock.ts";
import { checkOrderInput } from "../../src/orders/order-input.ts";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import { createAccept } from "../../src/pipeline/accept.ts";
import { createSettle } from "../../src/pipeline/settle.ts";
import type { Verdict } from "../../src/pipeline/attempt.ts";
import { CommitUnknown, DatabaseUnavailable } from "../../src/storage/database.ts";
import type { ClaimedJob } from "../../src/storage/jobs.ts";
import type { Storage } from "../../src/storage/open.ts";
import { openUrl, POSTGRES } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { addPartner, LOOPBACK_POLICY, orderBody, PARTNER_ID, startWay } from "../support/way.ts";
import { startCommitProxy, type CommitProxy } from "./commit-proxy.ts";
import { attemptsOf, claimOne, NOW, place, rowsIn, statusOf, storyOf, ticketed } from "./fixtures.ts";
import { noSlots } from "../support/no-slots.ts";
import { SILENT } from "../support/log.ts";

suite("a worker's claim over a connection that breaks", () => {
  for (const fate of ["answer lost", "lost on the way"] as const) {
    test(`whose COMMIT has ${fate === "answer lost" ? "its answer lost" : "been lost"}: given back, and taken as if new`, async () => {
      const proxy = await startCommitProxy(await POSTGRES.migratedUrl());
      const storage = openUrl(proxy.url);
      const way = await startWay({ storage, clock: createFakeClock() });
      const id = await way.order();
      proxy.fate = fate;
      await assert.rejects(way.engine.workers.ticketing.takeDue(), CommitUnknown);
      assert.equal((await way.story(id)).ticketing!.job.attempts, fate === "answer lost" ? 1 : 0);
      assert.equal(await way.work(), 2);
      assert.equal((await way.story(id)).order.pipeline_status, "ota_callback_delivered");
      assert.deepEqual(await attemptsOf(storage, id), [[1, 200]]);
      await way.close();
      await proxy.close();
    });
  }
});

// What a COMMIT without an answer, and a lock that doesn't go, do to the steps that share transactions.
suite("accept and settle over a connection that breaks", () => {
  let url: string;
  let storage: Storage;
  let proxy: CommitProxy;
  let accept: (key: string | null, name?: string) => ReturnType<ReturnType<typeof createAccept>>;
  let settled: (job: ClaimedJob, verdict: Verdict) => Promise<string>;
  before(async () => {
    url = await POSTGRES.migratedUrl();
    proxy = await startCommitProxy(url);
    storage = openUrl(proxy.url);
    await addPartner(storage, PARTNER_ID);

    const guard = createAddressGuard({
      policy: LOOPBACK_POLICY,
      resolve: async () => ({ kind: "failed", code: "NO_NETWORK" }),
    });
    const { database, intake } = storage;
    const common = { database, clock: systemClock, log: SILENT };
    const acceptOrder = createAccept({
      ...common,
      intake,
      guard,
      policy: LOOPBACK_POLICY,
      reserve: noSlots,
      onAccepted() {},
    });
    accept = (idempotencyKey, name = "Alex") => {
      const payload = orderBody("http://127.0.0.1:9/callback", { buyer: { name } });
      const checked = checkOrderInput(payload, []);
      assert.ok(checked.ok);
      const partner = { id: PARTNER_ID, callbackHosts: null, rejectRepeats: false };
      const rawPayload = JSON.stringify(payload);
      const parsed = { value: payload, members: new Map<string, string>() };
      return acceptOrder({ partner, idempotencyKey, input: checked.order, payload: parsed, rawPayload });
    };
    const settle = createSettle({
      ...common,
      leg: "ticketing",
      settlements: storage.settlements.ticketing,
      schedule: { offsetsMs: [0, 2_000], jitterMs: 0 },
      onUnknown: "retry",
      random: () => 0,
      reserveCallbacks: noSlots,
      onTicketed() {},
    });
    settled = async (job, verdict) =>
      (await settle.attempted(job, verdict, NOW, new AbortController().signal)).job;
  });
  after(async () => {
    await storage.close();
    await proxy.close();
  });
  beforeEach(() => (proxy.fate = "pass"));

  const success = (): Verdict => ({
    outcome: "done",
    record: { code: 200, error: null, durationMs: 1, answer: null, note: null },
    retryAfterMs: null,
    finding: "",
    ticketed: ticketed(),
  });

  test("orders whose COMMIT was done are accepted; what lost to a key is told so", async () => {
    await accept("used");
    const before = await rowsIn(storage, "orders");
    proxy.fate = "answer lost";
    const results = await Promise.all([
      accept(null),
      accept("used"),
      accept("new"),
      accept("new"),
      accept("used", "another"),
    ]);
    assert.equal(proxy.fate, "pass", "the answer was lost");
    assert.deepEqual(
      results.map((result) => result.kind),
      ["accepted", "replayed", "accepted", "replayed", "key_reused"],
    );
    assert.equal(await rowsIn(storage, "orders"), before + 2);
  });

  test("orders whose COMMIT never arrived are refused, and nothing of them is there", async () => {
    const before = await rowsIn(storage, "orders");
    proxy.fate = "lost on the way";
    const results = await Promise.allSettled([accept(null), accept("lost")]);
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    }
    assert.equal(await rowsIn(storage, "orders"), before);
    assert.equal((await accept("lost")).kind, "accepted");
  });

  for (const fate of ["answer lost", "lost on the way"] as const) {
    test(`a settle whose COMMIT has ${fate === "answer lost" ? "its answer lost" : "been lost"} is done once`, async () => {
      const [placed] = await place(storage, undefined, 0);
      const job = await claimOne(storage, "ticketing");
      proxy.fate = fate;
      assert.equal(await settled(job, success()), "succeeded");
      assert.equal(proxy.fate, "pass");
      const story = await storyOf(storage, job.orderId);
      assert.equal(story.order.pipeline_status, "ticketed");
      assert.deepEqual(await attemptsOf(storage, job.orderId), [[1, 200]]);
      assert.deepEqual(story.late, []);
      assert.equal(story.callback!.job.sequence, 1);
      assert.equal(placed!.id, job.orderId);
    });
  }

  test("a result is not thrown away because somebody holds the order's row", async () => {
    await place(storage, undefined, 0);
    const job = await claimOne(storage, "ticketing");
    const holder = new pg.Client({ connectionString: url });
    await holder.connect();
    await holder.query("begin");
    await holder.query("select 1 from orders where id = $1 for update", [job.orderId]);
    const settling = settled(job, success());
    await Promise.race([settling.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 2_300))]);
    await holder.query("rollback");
    await holder.end();
    assert.equal(await settling, "succeeded");
    assert.equal(await statusOf(storage, job.orderId), "ticketed");
  });
});
