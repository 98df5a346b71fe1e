import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { Mapping } from "../../src/orders/mapping.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { json, type Reply } from "../support/recorder.ts";
import { startWay, type Way, type WayOptions } from "../support/way.ts";

const ACT = { actor: "kim", reason: "the mapping is mended" };
const plain: Mapping["request"] = (order) => ({ body: order });

onEachDatabase("a mapping on the order's way", (kind) => {
  const clock = createFakeClock();
  let way: Way;
  afterEach(() => way.close());

  async function start(mapping: Mapping, more: Partial<WayOptions> = {}): Promise<Way> {
    way = await startWay({ storage: await freshStorage(kind), clock, mapping, ...more });
    return way;
  }

  /** Works an order once and tells what became of it. */
  async function story(id: number) {
    await way.work();
    const { order, ticketing, tickets } = await way.story(id);
    const { attempts, job } = ticketing!;
    return { order, tickets, attempt: attempts.at(-1)!, attempts, job };
  }

  test("its request is what is sent, under the gateway's own headers, and the same on each attempt", async () => {
    await start({
      request: ({ trace_id, items }, { toDecimal }) => ({
        body: { key: trace_id, price: toDecimal(items[0]!.unit_price_minor, items[0]!.currency) },
        headers: { "X-Api-Version": "2", "Content-Type": "application/vnd.example+json" },
      }),
    });
    way.ticketing.answer(503, json(200, { reference: "R", tickets: ["T"] }));
    const id = await way.order();
    assert.equal((await story(id)).attempt.code, 503);
    clock.advance(10_000);
    const { order, tickets } = await story(id);
    // Without a `response` the default rule takes the tickets.
    assert.deepEqual([order.reference, tickets], ["R", ["T"]]);
    const [first, second] = way.ticketing.requests;
    assert.deepEqual(JSON.parse(first!.body), { key: order.trace_id, price: "1299.00" });
    assert.equal(second!.body, first!.body);
    for (const { headers } of [first!, second!]) {
      assert.equal(headers["x-api-version"], "2");
      assert.equal(headers["content-type"], "application/vnd.example+json");
      assert.equal(headers["idempotency-key"], order.trace_id);
    }
  });

  test("an order that it fails on is blocked with the reason, unsent; the worker goes on with the others", async () => {
    await start({
      request(order) {
        if (order["channel"] === "fax") throw new Error("no such channel: see https://x.example/?key=hidden");
        return { body: order };
      },
    });
    const broken = await way.order({ channel: "fax" });
    const whole = await way.order({ external_order_id: "EXT-43" });
    const { order, attempt, job } = await story(broken);
    assert.equal(order.pipeline_status, "ticketing_blocked");
    assert.deepEqual(
      [job.status, attempt.code, attempt.error, attempt.answer],
      ["blocked", null, "mapping", null],
    );
    assert.match(
      attempt.note!,
      /nothing was sent.*it threw Error: no such channel: see https:\/\/x\.example\//,
    );
    assert.doesNotMatch(attempt.note! + order.blocked_reason, /hidden/);
    assert.equal((await story(whole)).order.pipeline_status, "ota_callback_delivered");
    assert.equal(way.ticketing.requests.length, 1);
  });

  test("errors inside a 200, and a 4xx that means success", async () => {
    await start({
      request: plain,
      response: (status, body) => {
        const { code, tickets } = body as { code?: string; tickets?: string[] };
        if (status === 409) return { outcome: "already_done", tickets };
        if (code === "BUSY") return { outcome: "retry", reason: "busy", retryAfterSecs: 5 };
        if (code === "FULL") return { outcome: "blocked", reason: "no seats left" };
        return { outcome: "done", tickets, reference: "R-1" };
      },
    });
    way.ticketing.answer(json(200, { code: "BUSY" }), json(200, { tickets: ["T"] }));
    const id = await way.order();
    const busy = await story(id);
    assert.deepEqual([busy.job.status, busy.attempt.code, busy.attempt.error], ["pending", 200, null]);
    assert.match(busy.attempt.note!, /retry by the mapping: busy/);
    assert.equal(busy.job.next_attempt_at, clock.nowMs + 5_000);
    clock.advance(5_000);
    const done = await story(id);
    assert.deepEqual([done.order.reference, done.tickets, done.attempt.note], ["R-1", ["T"], null]);

    way.ticketing.answer(json(200, { code: "FULL" }));
    const full = await story(await way.order());
    assert.equal(full.order.pipeline_status, "ticketing_blocked");
    assert.match(full.order.blocked_reason!, /ticketing answered 200, by the mapping blocked: no seats left/);

    way.ticketing.answer(json(409, { tickets: ["T-9"] }), json(409, {}));
    const again = await story(await way.order());
    assert.deepEqual([again.order.pipeline_status, again.tickets], ["ota_callback_delivered", ["T-9"]]);
    assert.equal(again.attempt.note, "ticketed by an earlier attempt");
    const bare = await story(await way.order());
    assert.deepEqual([bare.order.pipeline_status, bare.tickets], ["ota_callback_delivered", []]);
    assert.match(bare.attempt.note!, /carries no tickets/);
  });

  test("a response that fails on a 2xx loses nothing: blocked, the whole answer kept, and mended by a retry", async () => {
    let broken = true;
    await start({
      request: plain,
      response: (_, body) => {
        if (broken) throw new TypeError("sale is undefined");
        return { outcome: "done", tickets: (body as { tickets: string[] }).tickets };
      },
    });
    const tickets = Array.from({ length: 300 }, (_, n) => `TICKET-${String(n).padStart(20, "0")}`);
    way.ticketing.answer(json(200, { tickets }));
    const id = await way.order();
    const { order, attempt } = await story(id);
    assert.equal(order.pipeline_status, "ticketing_blocked");
    const words = "ticketed there, answer unreadable by the mapping: it threw TypeError: sale is undefined";
    assert.equal(order.blocked_reason, words);
    assert.deepEqual([attempt.code, attempt.error], [200, "mapping"]);
    assert.deepEqual(JSON.parse(attempt.answer!), { tickets });

    broken = false;
    const retried = await way.storage.operatorActions.retry(id, ACT, clock.nowMs);
    assert.equal(retried.kind, "retried");
    assert.deepEqual((await story(id)).tickets, tickets);
    const [first, second] = way.ticketing.requests;
    assert.equal(second!.headers["idempotency-key"], first!.headers["idempotency-key"]);
  });

  test("an answer that isn't whole is none of its business, and null leaves one to the default rule", async () => {
    let asked = 0;
    await start({ request: plain, response: () => ((asked += 1), null) });
    const half: Reply = (response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write('{"tickets":', () => response.socket?.destroy());
    };
    way.ticketing.answer(half, json(422, {}), json(200, { tickets: ["T"] }));
    const cut = await story(await way.order());
    assert.deepEqual(
      [cut.attempt.code, cut.attempt.error, cut.job.status, asked],
      [200, "reset", "pending", 0],
    );
    assert.equal((await story(await way.order())).order.pipeline_status, "ticketing_blocked");
    assert.deepEqual((await story(await way.order())).tickets, ["T"]);
    assert.equal(asked, 2);
  });

  test("slow calls are told; a request that took too long isn't sent, an answer is never thrown away", async () => {
    let takesMs = 60;
    await start({
      request: (order) => (clock.advance(takesMs), { body: order }),
      response: () => (clock.advance(2_000), { outcome: "done" }),
    });
    const done = await story(await way.order());
    assert.equal(done.order.pipeline_status, "ota_callback_delivered");
    const told = way.log.filter(({ event }) => event === "mapping.slow");
    assert.deepEqual(
      told.map(({ call, duration_ms }) => [call, duration_ms]),
      [
        ["request", 60],
        ["response", 2_000],
      ],
    );
    assert.equal(told[0]!["order_id"], done.order.id);

    takesMs = 1_001;
    const late = await story(await way.order());
    assert.equal(late.order.pipeline_status, "ticketing_blocked");
    assert.match(late.order.blocked_reason!, /nothing was sent.*1001 ms/);
    assert.equal(way.ticketing.requests.length, 1);
  });

  test("a mapping's failures say nothing of ticketing: its circuit stays closed", async () => {
    await start({ request: () => ({ body: Number.NaN }) });
    for (let count = 0; count < 25; count += 1) await way.order();
    await way.work();
    assert.deepEqual(await way.storage.circuits.ticketing.listOpen(), []);
    assert.equal(way.ticketing.requests.length, 0);
  });
});
