import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../src/observe/log.ts";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import type { Storage } from "../../src/storage/open.ts";
import { claim, newOrder, place, settlement } from "../storage/fixtures.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { gatewayEnv, runGateway, type RunningGateway } from "../support/gateway.ts";
import { until } from "../support/gateway-process.ts";
import { json, type Recorder, type Reply, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";
import { heardBy } from "../support/log.ts";

const ACT = { actor: "kim", reason: "restored" };
/** Several polls. */
const POLLS_MS = 600;

function heard(): { log: Log; events: string[] } {
  const events: string[] = [];
  const tell = ({ event }: { readonly event: string }): void => void events.push(event);
  return { events, log: heardBy(tell) };
}

onEachDatabase("a held gateway", (kind) => {
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  beforeEach(() => {
    ticketing.answer(json(200, { reference: "TK-1" }));
    partner.answer(200);
    for (const { requests } of [ticketing, partner]) requests.length = 0;
  });
  after(() => Promise.all([ticketing.close(), partner.close()]));

  /** What a backup may hold: a job that is due, one whose process is gone, a circuit to be probed, an act upon many. */
  async function backlog(
    storage: Storage,
  ): Promise<{ due: number; orphan: number; probed: number; blocked: number }> {
    const past = Date.now() - 60_000;
    const callbackUrl = `${partner.url}/cb`;
    const rawPayload = JSON.stringify(orderBody(callbackUrl));
    const placed = await place(
      storage,
      ["due", "orphan", "probed", "blocked"].map(() => newOrder({ callbackUrl, rawPayload })),
      past,
    );
    const [due, orphan, probed, blocked] = placed.map(({ id }) => id) as [number, number, number, number];
    const jobs = await claim(storage, "ticketing", { now: past });
    const jobOf = (id: number) => jobs.find(({ orderId }) => orderId === id)!;
    const { settle } = storage.settlements.ticketing;
    await storage.queues.ticketing.giveBack([jobOf(due)], past);
    await settle([settlement("ticketing", jobOf(blocked), "blocked")], past);
    await settle([settlement("ticketing", jobOf(probed), "succeeded")], past);
    await storage.database.queries
      .insertInto("circuits")
      .values({
        leg: "callback",
        partner_id: "demo",
        state: "open",
        reason: "503",
        opened_at: past,
        closed_at: null,
        next_probe_at: past,
        probes: 0,
      })
      .execute();
    const filter = { ...ANY_ORDER, ids: [blocked] };
    await storage.bulkJobs.create({ action: "close", filter, total: 1, pacePerSec: 10 }, ACT, past);
    return { due, orphan, probed, blocked };
  }

  test("accepts and shows, and works nothing over restarts and in any process; released, it begins", async () => {
    const url = await kind.createUrl();
    const env = { ...gatewayEnv(url, ticketing.url), CIRCUIT_PROBE_SECS: "1" };
    const storage = openUrl(url);
    const running: RunningGateway[] = [];
    const start = async (log?: Log): Promise<RunningGateway> => {
      const gateway = await runGateway(env, log);
      running.push(gateway);
      return gateway;
    };
    try {
      // The partner is made by a gateway that works.
      await (await runGateway(env)).stop();
      const { due, orphan, probed, blocked } = await backlog(storage);
      const { idsAfter } = await storage.holds.placeRestored(ACT, null);

      const first = await start();
      const posted = await first.post(orderBody(`${partner.url}/cb`));
      assert.equal(posted.status, 201);
      const { id: accepted } = (await posted.json()) as { id: number };
      assert.ok(accepted > idsAfter);
      assert.equal(
        ((await (await first.get(`/orders/${accepted}`)).json()) as { status: string }).status,
        "accepted",
      );
      await sleep(POLLS_MS);
      await running.pop()!.stop();

      const { log, events } = heard();
      const next = await start(log);
      if (storage.database.manyProcesses) await start();
      const ready = await next.get("/ready");
      assert.equal(ready.status, 200);
      assert.match(
        ((await ready.json()) as { checks: { working: string } }).checks.working,
        /^no: held since 20/,
      );
      await sleep(POLLS_MS);
      assert.deepEqual([ticketing.requests.length, partner.requests.length], [0, 0]);
      const [bulk] = await storage.bulkQueries.list(null, 1);
      assert.deepEqual([bulk!.status, bulk!.acted], ["running", 0]);
      const { legs, bulkJobs } = await storage.readBacklog(null);
      assert.deepEqual(
        [legs, bulkJobs],
        [{ ticketing: { due: 2, later: 0, claimed: 1 }, callback: { due: 1, later: 0, claimed: 0 } }, 1],
      );

      await storage.holds.lift(ACT, null);
      for (const id of [due, orphan, probed, accepted]) await next.reach(id, "ota_callback_delivered");
      const story = await next.get(`/orders/${orphan}`);
      const { ticketing_job: job } = (await story.json()) as {
        ticketing_job: { attempts: { error: string | null }[] };
      };
      assert.deepEqual(
        job.attempts.map(({ error }) => error),
        ["lost", null],
      );
      await next.reach(blocked, "closed");
      assert.deepEqual(
        events.filter((event) => /held|released/.test(event)),
        ["gateway.held", "gateway.released"],
      );
    } finally {
      for (const gateway of running) await gateway.stop();
      await storage.close();
    }
  });

  test("that runs already ends what is in flight, and takes up nothing more", async () => {
    let answer: () => void = () => {};
    const late: Reply = (response) => {
      answer = () =>
        response.writeHead(200, { "content-type": "application/json" }).end(`{"reference":"TK-2"}`);
    };
    ticketing.answer(late, json(200, { reference: "TK-3" }));
    const { log, events } = heard();
    const gateway = await runGateway(gatewayEnv(await kind.createUrl(), ticketing.url), log);
    const accepted = async () =>
      ((await (await gateway.post(orderBody(`${partner.url}/cb`))).json()) as { id: number }).id;
    const inFlight = await accepted();
    await until("an attempt in flight", () => ticketing.requests.length === 1);
    await gateway.storage.holds.place(ACT, null);
    await until("it is held", () => events.includes("gateway.held"));
    const waiting = await accepted();
    answer();
    await gateway.reach(inFlight, "ticketed");
    await sleep(POLLS_MS);
    assert.deepEqual([ticketing.requests.length, partner.requests.length], [1, 0]);
    await gateway.storage.holds.lift(ACT, null);
    for (const id of [inFlight, waiting]) await gateway.reach(id, "ota_callback_delivered");
    await gateway.stop();
  });
});
