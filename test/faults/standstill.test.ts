import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { after, before, beforeEach, suite, test } from "node:test";
import { POSTGRES } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { type Recorder, type Reply, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

suite("a process that stands still beyond its lease", () => {
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  beforeEach(() => {
    for (const recorder of [ticketing, partner]) recorder.requests.length = 0;
  });
  after(() => Promise.all([ticketing.close(), partner.close()]));

  /** One order: its first attempt in flight in a process that is stopped, the others answered as told. */
  async function standStill(schedule: string, ...others: Reply[]) {
    let held: ServerResponse | null = null;
    ticketing.answer((response) => (held = response), ...others);
    const env = {
      ...gatewayEnv(await POSTGRES.migratedUrl(), ticketing.url),
      TICKETING_TIMEOUT_SECS: "1.5",
      CALLBACK_TIMEOUT_SECS: "1.5",
      LEASE_SECS: "2.6",
      RETRY_SCHEDULE_SECS: schedule,
    };
    const stopped = await spawnGateway(env);
    const id = await stopped.accepted(orderBody(`${partner.url}/cb`));
    const answer = await until("the first attempt in flight", () => held ?? undefined);
    stopped.signal("SIGSTOP");
    const other = await spawnGateway(env);
    return { id, stopped, other, answer };
  }

  test("its late failure changes no schedule, and is on record", async () => {
    const { id, stopped, other, answer } = await standStill("0,0.1", 200);
    await other.reach(id, "ota_callback_delivered");
    answer.writeHead(500).end("too late");
    stopped.signal("SIGCONT");
    await stopped.logged("ticketing.attempted", (line) => line["settled"] === "late");

    const order = await other.order(id);
    assert.equal(order["status"], "ota_callback_delivered");
    const { status, attempts, late } = order["ticketing_job"];
    assert.equal(status, "succeeded");
    assert.deepEqual(attempts.map(brief), [
      { no: 1, code: null, error: "lost" },
      { no: 2, code: 200, error: null },
    ]);
    assert.deepEqual(late.map(brief), [{ no: 1, code: 500, error: null }]);
    assert.equal(partner.requests.length, 1);
    for (const each of [stopped, other]) assert.equal((await each.stop()).code, 0);
  });

  for (const [state, schedule] of [
    ["waits for its next attempt", "0,0.1,600"],
    ["was given up", "0,0.1"],
  ] as const) {
    test(`its late success makes an order ticketed that ${state}`, async () => {
      const { id, stopped, other, answer } = await standStill(schedule, 500);
      const failed = await until("the other's failure", async () => {
        const order = await other.order(id);
        return order["ticketing_job"].attempts.length === 2 && order;
      });
      assert.equal(failed["ticketing_job"].status, schedule === "0,0.1" ? "exhausted" : "pending");
      answer
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ reference: "LATE-1", tickets: ["T-1"] }));
      stopped.signal("SIGCONT");

      const order = await other.reach(id, "ota_callback_delivered");
      assert.deepEqual([order["reference"], order["tickets"]], ["LATE-1", ["T-1"]]);
      const { status, attempts, late, next_attempt_at: next } = order["ticketing_job"];
      assert.deepEqual([status, next], ["succeeded", null]);
      assert.deepEqual(attempts.map(brief), [
        { no: 1, code: null, error: "lost" },
        { no: 2, code: 500, error: null },
      ]);
      assert.deepEqual(late.map(brief), [{ no: 1, code: 200, error: null }]);
      assert.equal(ticketing.requests.length, 2);
      for (const each of [stopped, other]) assert.equal((await each.stop()).code, 0);
    });
  }
});

function brief({ no, code, error }: Record<string, unknown>) {
  return { no, code, error };
}
