import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../support/databases.ts";
import { gatewayEnv, runGateway, type RunningGateway } from "../support/gateway.ts";
import { json, startRecorder, type Recorder } from "../support/recorder.ts";

/** Orders as OTAs really send them. */
const NAMES = ["สมชาย ใจดี", "王小明", "محمد بن سلمان", "Zoë O’Brien-Núñez 🎢👨‍👩‍👧", "Ærøskøbing Ñandú"];

onEachDatabase("orders as OTAs really send them", (kind) => {
  let gateway: RunningGateway;
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder(json(200, { reference: "TK-1", tickets: ["T-1"] }));
    partner = await startRecorder();
    gateway = await runGateway(gatewayEnv(await kind.createUrl(), ticketing.url));
  });
  after(async () => {
    await gateway?.stop();
    await Promise.all([ticketing.close(), partner.close()]);
  });

  let count = 0;
  /** Sends an order, and gives what was stored, shown, sent to ticketing and called back. */
  async function send(more: Record<string, unknown>) {
    count += 1;
    const body = JSON.stringify({
      external_order_id: `REAL-${count}`,
      callback_url: `${partner.url}/ota`,
      items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
      ...more,
    });
    const response = await gateway.post(body);
    assert.equal(response.status, 201, await response.clone().text());
    const { id } = (await response.json()) as { id: number };
    const shown = await gateway.reach(id, "ota_callback_delivered");
    const { order } = (await gateway.storage.orders.story(id, null))!;
    const ofOrder = ({ headers }: { headers: NodeJS.Dict<string | string[]> }) =>
      headers["x-trace-id"] === order.trace_id;
    return {
      body,
      shown,
      raw: order.raw_payload,
      toTicketing: JSON.parse(ticketing.requests.find(ofOrder)!.body),
      toPartner: JSON.parse(partner.requests.find(ofOrder)!.body),
    };
  }

  for (const name of NAMES) {
    test(`a buyer called ${name}`, async () => {
      const { body, raw, toTicketing, shown } = await send({ buyer: { name, note: `สวัสดี ${name}` } });
      assert.equal(raw, body);
      assert.deepEqual(toTicketing.buyer, { name, note: `สวัสดี ${name}` });
      assert.equal(JSON.stringify(shown).includes(name), false, "the buyer stays in the raw payload");
    });
  }

  test("300 items", async () => {
    const items = Array.from({ length: 300 }, (_, index) => ({
      sku: `ZONE-${index}-ผู้ใหญ่`,
      qty: (index % 10) + 1,
      unit_price_minor: index * 1000,
      currency: "THB",
    }));
    const { shown, toTicketing, toPartner } = await send({ items });
    assert.deepEqual(shown["items"], items);
    assert.deepEqual(toTicketing.items, items);
    assert.deepEqual(toPartner.order.items, items);
  });

  test("price 0, JPY, KWD, amounts beyond 2^31 and up to 2^53-1", async () => {
    const items = [
      { sku: "INFANT", qty: 1, unit_price_minor: 0, currency: "THB" },
      { sku: "JP-PASS", qty: 1, unit_price_minor: 12_800, currency: "JPY" },
      { sku: "KW-DAY", qty: 1, unit_price_minor: 12_345, currency: "KWD" },
      { sku: "CHARTER", qty: 10_000, unit_price_minor: 5_000_000_000, currency: "VND" },
      { sku: "MOST", qty: 1, unit_price_minor: Number.MAX_SAFE_INTEGER, currency: "IDR" },
    ];
    const { shown, toTicketing, toPartner } = await send({ items });
    for (const seen of [shown["items"], toTicketing.items, toPartner.order.items])
      assert.deepEqual(seen, items);
  });

  test("visit dates and times", async () => {
    const items = [
      {
        sku: "DAY",
        qty: 1,
        unit_price_minor: 1,
        currency: "THB",
        visit_date: "2028-02-29",
        visit_time: "09:30",
      },
      { sku: "DAY", qty: 1, unit_price_minor: 1, currency: "THB", visit_date: "2026-12-31" },
    ];
    const { shown, toPartner } = await send({ items });
    assert.deepEqual(shown["items"], items);
    assert.deepEqual(toPartner.order.items, items);
  });

  test("unknown fields at every level are kept as received and forwarded", async () => {
    const { raw, body, toTicketing, shown } = await send({
      channel: { name: "app", build: [1, { nested: true }] },
      booked_at: "2026-01-25T07:09:55Z",
      items: [{ sku: "A", qty: 1, unit_price_minor: 1, currency: "THB", seat: { row: "C" } }],
      buyer: { name: "Alex", passports: [{ no: "X1" }] },
    });
    assert.equal(raw, body);
    assert.deepEqual(toTicketing.channel, { name: "app", build: [1, { nested: true }] });
    assert.equal(toTicketing.booked_at, "2026-01-25T07:09:55Z");
    assert.deepEqual(toTicketing.items[0].seat, { row: "C" });
    assert.deepEqual(toTicketing.buyer.passports, [{ no: "X1" }]);
    assert.equal("callback_url" in toTicketing, false);
    assert.deepEqual(shown["items"], [{ sku: "A", qty: 1, unit_price_minor: 1, currency: "THB" }]);
  });

  test("numbers that a double can't carry are forwarded as they were written", async () => {
    const body = JSON.stringify({
      external_order_id: "REAL-BIG",
      callback_url: `${partner.url}/ota`,
      items: [{ sku: "A", qty: 1, unit_price_minor: 1, currency: "THB" }],
    }).replace("{", '{"voucher":12345678901234567890,"rate":1.10,');
    const response = await gateway.post(body);
    const { id, trace_id } = (await response.json()) as { id: number; trace_id: string };
    await gateway.reach(id, "ota_callback_delivered");
    const sent = ticketing.requests.find(({ headers }) => headers["x-trace-id"] === trace_id)!.body;
    assert.match(sent, /"voucher":12345678901234567890,/);
    assert.match(sent, /"rate":1\.10,/);
  });

  test("a ticketing answer with 40 tickets", async () => {
    const tickets = Array.from({ length: 40 }, (_, index) => ({
      code: `TCK-${index}`,
      holder: NAMES[index % 5],
    }));
    ticketing.answer(json(201, { reference: "GROUP-40", tickets }));
    const { shown, toPartner } = await send({});
    ticketing.answer(json(200, { reference: "TK-1", tickets: ["T-1"] }));
    assert.deepEqual(shown["tickets"], tickets);
    assert.equal(shown["reference"], "GROUP-40");
    assert.deepEqual(toPartner.order.tickets, tickets);
    assert.equal(toPartner.order.reference, "GROUP-40");
  });

  test("the same external id again is a new order, and both say so", async () => {
    const body = {
      external_order_id: "TWICE",
      callback_url: `${partner.url}/ota`,
      items: [{ sku: "A", qty: 1, unit_price_minor: 1, currency: "THB" }],
    };
    const ids: number[] = [];
    for (let n = 0; n < 2; n += 1) ids.push(((await (await gateway.post(body)).json()) as { id: number }).id);
    const [first, second] = ids as [number, number];
    assert.notEqual(first, second);
    assert.deepEqual((await gateway.reach(first, "ota_callback_delivered"))["same_external_id"], [second]);
    assert.deepEqual((await gateway.reach(second, "ota_callback_delivered"))["same_external_id"], [first]);
  });
});

onEachDatabase("in real time", (kind) => {
  test("RETRY_SCHEDULE_SECS=0,1,2: 500, 500, 200, then a callback", async () => {
    const ticketing = await startRecorder(500, 500, 200);
    const partner = await startRecorder();
    const env = { ...gatewayEnv(await kind.createUrl(), ticketing.url), RETRY_SCHEDULE_SECS: "0,1,2" };
    const gateway = await runGateway(env);
    const response = await gateway.post({
      external_order_id: "EXT-42",
      callback_url: `${partner.url}/ota/callback`,
      items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
      buyer: { name: "Alex" },
    });
    const { id } = (await response.json()) as { id: number };
    const order = await gateway.reach(id, "ota_callback_delivered");
    await gateway.stop();
    await Promise.all([ticketing.close(), partner.close()]);

    const { ticketing_job: job, ota_callback_job: callback } = order;
    assert.equal(job.status, "succeeded");
    assert.equal(job.last_status_code, 200);
    const seen = job.attempts.map(({ no, code, error }: OrderAttempt) => ({ no, code, error }));
    assert.deepEqual(seen, [
      { no: 1, code: 500, error: null },
      { no: 2, code: 500, error: null },
      { no: 3, code: 200, error: null },
    ]);
    assert.equal(callback.attempts.length, 1);
    // Never early: the schedule is a lower bound.
    const at = job.attempts.map((attempt: OrderAttempt) => Date.parse(attempt.at));
    assert.ok(at[1] - at[0] >= 1_000 && at[2] - at[1] >= 1_000);
  });
});

interface OrderAttempt {
  readonly no: number;
  readonly code: number | null;
  readonly error: string | null;
  readonly at: string;
}
