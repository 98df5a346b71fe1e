import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readCsv } from "../../src/lib/csv.ts";
import { unguardFormula } from "../../src/lib/csv-line.ts";
import type { ExportedOrder } from "../../src/orders/order-export.ts";
import { onEachDatabase } from "../support/databases.ts";
import { claimOne, settle, settlement, ticketed } from "../storage/fixtures.ts";
import { addOperator, type Door, openDoor, ORDER } from "./door.ts";

async function recordsOf(text: string): Promise<Record<string, string>[]> {
  const rows: string[][] = [];
  for await (const { cells } of readCsv([Buffer.from(text)].values() as never, {
    delimiter: ",",
    encoding: null,
  })) {
    rows.push(cells.map(unguardFormula));
  }
  const [head, ...records] = rows;
  return records.map((cells) => Object.fromEntries(head!.map((name, place) => [name, cells[place] ?? ""])));
}

onEachDatabase("GET /admin/export.csv", (kind) => {
  let door: Door;
  let viewer: { authorization: string };
  let operator: { authorization: string };
  before(async () => {
    door = await openDoor({ kind });
    viewer = await addOperator(door, "vera", { role: "viewer" });
    operator = await addOperator(door, "olga");
    const items = [
      {
        sku: "=cmd|' /C calc'!A0",
        qty: 2,
        unit_price_minor: 129_900,
        currency: "THB",
        visit_date: "2026-08-25",
      },
      { sku: "CHILD, 1 day", qty: 1, unit_price_minor: 500, currency: "JPY", visit_time: "10:00" },
    ];
    await door.post({
      payload: { ...ORDER, external_order_id: "@SUM(1)", items, buyer: { name: "Zbigniew" } },
    });
    const job = await claimOne(door.storage, "ticketing", { now: null });
    await settle(
      door.storage,
      "ticketing",
      { ...settlement("ticketing", job, "succeeded"), ticketed: ticketed("-TK") },
      Date.now(),
    );
    await door.post({ payload: { ...ORDER, external_order_id: "EXT-2" } });
  });
  after(() => door.close());

  test("a row for each item, amounts exact, nothing of the buyer, nothing that a spreadsheet runs", async () => {
    const { statusCode, headers, body } = await door.get("/admin/export.csv", viewer);
    assert.equal(statusCode, 200);
    assert.equal(headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert.equal(headers["content-disposition"], 'attachment; filename="orders.csv"');
    assert.doesNotMatch(body, /Zbigniew|Alex/);
    assert.doesNotMatch(body, /(^|,)"?[=+@-]/m);
    assert.ok(body.endsWith("\r\n") && !/[^\r]\n/.test(body));
    const records = await recordsOf(body);
    const { trace_id, accepted_at, ticketed_at, ...first } = records[0]!;
    assert.match(`${trace_id} ${accepted_at} ${ticketed_at}`, /^[0-9a-f-]{36} 2\d{3}-\S+Z 2\d{3}-\S+Z$/);
    assert.deepEqual(first, {
      order_id: "1",
      partner_id: "demo",
      external_order_id: "@SUM(1)",
      reference: "-TK",
      status: "ticketed",
      delivered_at: "",
      item: "1",
      sku: "=cmd|' /C calc'!A0",
      visit_date: "2026-08-25",
      visit_time: "",
      qty: "2",
      unit_price_minor: "129900",
      amount_minor: "259800",
      amount: "2598.00",
      currency: "THB",
      ticket_count: "1",
    });
    assert.deepEqual(
      records.slice(1).map((each) => [each["order_id"], each["sku"], each["amount"], each["visit_time"]]),
      [
        ["1", "CHILD, 1 day", "500", "10:00"],
        ["2", "ADULT-DAY", "2598.00", ""],
      ],
    );
  });

  test("the filter of every list; what it doesn't know is refused", async () => {
    const found = async (query: string) =>
      (await recordsOf((await door.get(`/admin/export.csv?${query}`, viewer)).body)).map(
        (each) => each["external_order_id"],
      );
    assert.deepEqual(await found("status=accepted"), ["EXT-2"]);
    assert.deepEqual(await found("visit_from=2026-08-25&visit_to=2026-08-25"), ["@SUM(1)", "@SUM(1)"]);
    assert.deepEqual(await found("partner=nobody"), []);
    assert.deepEqual(await found("created_before=2020-01-01"), []);
    assert.equal((await door.get("/admin/export.csv?partnr=demo", viewer)).statusCode, 400);
    assert.equal((await door.get("/admin/export.csv?codes=perhaps", operator)).statusCode, 400);
    assert.equal((await door.get("/admin/export.csv", {})).statusCode, 401);
  });

  test("ticket codes are for who may act, and recorded", async () => {
    const acts = () =>
      door.storage.database.run<{ actor: string; detail: string }>(
        "select actor, detail from operator_actions where action = 'export codes'",
        [],
      );
    assert.equal((await door.get("/admin/export.csv?codes=true", viewer)).statusCode, 403);
    assert.deepEqual(await acts(), []);
    const { body } = await door.get("/admin/export.csv?codes=true&partner=demo", operator);
    assert.deepEqual(
      (await recordsOf(body)).map((each) => each["ticket_codes"]),
      ["-TK", "-TK", ""],
    );
    const [act] = await acts();
    assert.equal(act?.actor, "olga");
    assert.match(act.detail, /"partnerId":"demo"/);
  });
});

/** Pages without an end, that are counted. */
function endless() {
  const asked = { pages: 0, ended: 0 };
  async function* pages(): AsyncGenerator<ExportedOrder[]> {
    try {
      for (;;) {
        asked.pages += 1;
        await sleep(1);
        yield Array.from({ length: 250 }, (_, id) => order(id));
      }
    } finally {
      asked.ended += 1;
    }
  }
  return { asked, pages };
}

function order(id: number): ExportedOrder {
  const item = {
    no: 1,
    sku: "S",
    qty: 1,
    unitPriceMinor: 1,
    currency: "THB",
    visitDate: null,
    visitTime: null,
  };
  return {
    id,
    partnerId: "demo",
    externalOrderId: "E",
    reference: null,
    traceId: "t",
    status: "accepted",
    createdAt: 0,
    ticketedAt: null,
    deliveredAt: null,
    items: [item],
    tickets: 0,
    codes: null,
  };
}

test("nothing is read for a client that doesn't; one that goes away ends it; two at once; the end of the process", async (t) => {
  const { asked, pages } = endless();
  const door = await openDoor({ exportPages: { pages } });
  const operator = await addOperator(door, "olga");
  await door.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = door.app.server.address() as AddressInfo;
  const begin = async () => {
    const sent = request({
      port,
      host: "127.0.0.1",
      path: "/admin/export.csv",
      headers: operator,
      agent: false,
    });
    sent.on("error", () => {}).end();
    const answer = await new Promise<IncomingMessage>((resolve) => sent.once("response", resolve));
    answer.on("error", () => {});
    return { sent, answer };
  };
  const settled = async (what: () => number): Promise<number> => {
    for (let last = -1; ;) {
      if (what() === last) return last;
      last = what();
      await sleep(300);
    }
  };
  const first = await begin();
  assert.equal(first.answer.statusCode, 200);
  // What fits into the buffers of both sockets, and then no more.
  assert.ok((await settled(() => asked.pages)) < 2000);
  const second = await begin();
  const third = await begin();
  assert.deepEqual(
    [second.answer.statusCode, third.answer.statusCode, third.answer.headers["retry-after"]],
    [200, 503, "10"],
  );
  first.sent.destroy();
  while (asked.ended < 1) await sleep(10);
  const fourth = await begin();
  assert.equal(fourth.answer.statusCode, 200);
  t.after(() => [second, third, fourth].map(({ sent }) => sent.destroy()));
  await door.close();
  assert.equal(asked.ended, 3);
});

test("a client that goes away before its export begins leaves its place to the next", async (t) => {
  let asks = 0;
  const [left, came] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const record = async () => {
    asks += 1;
    await (asks <= 5 ? left : came).promise;
  };
  const { pages } = endless();
  const door = await openDoor({ exportPages: { pages }, disclosures: { record } });
  t.after(() => door.close());
  const operator = await addOperator(door, "olga");
  await door.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = door.app.server.address() as AddressInfo;
  const begin = (query: string) =>
    request({ port, path: `/admin/export.csv${query}`, headers: operator, agent: false })
      .on("error", () => {})
      .end();
  const leaving = Array.from({ length: 5 }, () => begin("?codes=true"));
  while (asks < 5) await sleep(10);
  for (const sent of leaving) sent.destroy();
  const connections = async () =>
    new Promise((resolve) => {
      door.app.server.getConnections((_, count) => resolve(count));
    });
  while ((await connections()) !== 0) await sleep(10);
  const answerOf = async (query: string) =>
    new Promise<IncomingMessage>((resolve) => begin(query).once("response", resolve));
  const coming = Array.from({ length: 4 }, async () => answerOf("?codes=true"));
  while (asks < 9) await sleep(10);
  left.resolve();
  await sleep(50);
  came.resolve();
  const answers = await Promise.all(coming);
  t.after(() => answers.map((answer) => answer.destroy()));
  const codes = answers.map((answer) => String(answer.statusCode)).toSorted();
  assert.deepEqual(codes, ["200", "200", "503", "503"], "two at once, however many were recorded");
});
