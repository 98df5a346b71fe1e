import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type TicketingRequest, startSandboxTicketing } from "../../src/sandbox/ticketing.ts";

const item = { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" };
const order = { trace_id: "t1", partner_id: "demo", external_order_id: "EXT-42", items: [item], buyer: {} };

async function start(t: TestContext) {
  const requests: TicketingRequest[] = [];
  const server = await startSandboxTicketing({ onRequest: (request) => requests.push(request) });
  t.after(() => server.close());
  const post = (body: unknown, key = "key", headers: Record<string, string> = {}) =>
    fetch(server.url, {
      method: "POST",
      headers: { "idempotency-key": key, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  /** What became of scripted attempts: each one's status and body, or "failed". */
  const outcomes = async (sandbox: object, attempts: number): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (let no = 1; no <= attempts; no += 1) {
      const answer = post({ ...order, sandbox }).then(async (got) => [got.status, await got.text()]);
      seen.push(await answer.catch(() => "failed"));
    }
    return seen;
  };
  return { ...server, requests, post, outcomes };
}

test("an order is ticketed: one ticket for each unit, with readable codes", async (t) => {
  const { post, requests } = await start(t);
  const items = [item, { ...item, sku: "CHILD-DAY", qty: 1, visit_date: "2026-12-24" }];
  const headers = { "x-trace-id": "t1", "x-external-order-id": "EXT-42" };
  const response = await post({ ...order, items, unknown: [1] }, "key", headers);
  const body = (await response.json()) as { reference: string };
  assert.equal(response.status, 200);
  assert.match(body.reference, /^TK-[0-9A-Z]{5}-[0-9A-Z]{5}$/);
  assert.deepEqual(body, {
    reference: body.reference,
    tickets: [
      { code: `${body.reference}-0001`, sku: "ADULT-DAY" },
      { code: `${body.reference}-0002`, sku: "ADULT-DAY" },
      { code: `${body.reference}-0003`, sku: "CHILD-DAY", visit_date: "2026-12-24" },
    ],
  });
  assert.deepEqual(requests, [{ traceId: "t1", externalOrderId: "EXT-42", attempt: 1, status: 200 }]);
});

test("a thousand tickets are the most that an order gets", async (t) => {
  const { post } = await start(t);
  const items = [
    { ...item, qty: 999 },
    { ...item, sku: "CHILD-DAY", qty: 10_000 },
  ];
  const { tickets } = (await (await post({ ...order, items })).json()) as { tickets: { code: string }[] };
  assert.equal(tickets.length, 1000);
  assert.equal(new Set(tickets.map(({ code }) => code)).size, 1000);
});

test("one key buys the same tickets each time, another key others, a changed order none", async (t) => {
  const { post, requests } = await start(t);
  const text = async (response: Promise<Response>) => (await response).text();
  const first = await text(post(order, "one"));
  assert.equal(await text(post({ ...order, buyer: { name: "Alex" } }, "one")), first);
  assert.notEqual(await text(post(order, "two")), first);
  const changed = await post({ ...order, items: [{ ...item, qty: 3 }] }, "one");
  assert.equal(changed.status, 409);
  assert.deepEqual(
    requests.map(({ attempt, status }) => [attempt, status]),
    [
      [1, 200],
      [2, 200],
      [1, 200],
      [3, 409],
    ],
  );
});

test("the tickets are the same in another process's memory", async (t) => {
  const [one, two] = [await start(t), await start(t)];
  assert.equal(await (await one.post(order)).text(), await (await two.post(order)).text());
});

test("an order scripts its answers; the last repeats", async (t) => {
  const { outcomes, requests } = await start(t);
  const script = [500, 429, "reset", "garbage", "empty", 422];
  const answers = await outcomes({ ticketing: script, delay_ms: 1 }, 7);
  const notOnSale = [422, '{"error":"SKU ADULT-DAY is not on sale"}'];
  assert.deepEqual(answers, [
    [500, '{"error":"Internal Server Error"}'],
    [429, '{"error":"Too Many Requests"}'],
    "failed",
    "failed",
    [200, ""],
    notOnSale,
    notOnSale,
  ]);
  assert.deepEqual(
    requests.map(({ attempt, status }) => [attempt, status]),
    [...script, 422].map((status, index) => [index + 1, status]),
  );
});

test("any status from 200 to 599 can be scripted", async (t) => {
  const { outcomes } = await start(t);
  const script = [201, 204, 304, 307, 599];
  const answers = (await outcomes({ ticketing: script }, script.length)) as [number, string][];
  assert.deepEqual(
    answers.map(([status]) => status),
    script,
  );
  assert.match(answers[0]![1], /"tickets"/);
});

test("what is malformed is refused", async (t) => {
  const { post, url } = await start(t);
  const error = async (response: Promise<Response>, status: number) => {
    const answer = await response;
    assert.equal(answer.status, status);
    return ((await answer.json()) as { error: string }).error;
  };
  assert.equal(await error(post("{"), 400), "the body is not JSON");
  assert.match(await error(post("[".repeat(500_000)), 400), /JSON/);
  assert.match(await error(post("null"), 400), /^the body must/);
  assert.match(await error(post({ ...order, items: [{ ...item, qty: "2" }] }), 400), /^\/items\/0\/qty /);
  for (const body of [{}, { items: [] }, { items: [null] }, { items: [{ sku: "A", qty: 0 }] }]) {
    await error(post(body), 400);
  }
  for (const sandbox of [
    [],
    { ticketing: [] },
    { ticketing: [199] },
    { ticketing: [600] },
    { ticketing: ["late"] },
    { ticketing: Array.from({ length: 101 }, () => 200) },
    { delay_ms: 20_001 },
    { delay_ms: -1 },
  ]) {
    assert.match(await error(post({ ...order, sandbox }), 400), /^\/sandbox/);
  }
  assert.match(await error(post(order, ""), 400), /Idempotency-Key/);
  assert.match(await error(post(order, "k".repeat(256)), 400), /Idempotency-Key/);
  assert.match(await error(fetch(url), 405), /POST/);
  assert.match(await error(fetch(new URL("/elsewhere", url), { method: "POST" }), 404), /\/orders/);
});

test("a body over the limit is refused, and the server goes on", async (t) => {
  const { post, url } = await start(t);
  const socket = connect(Number(new URL(url).port), "127.0.0.1").on("error", () => {});
  socket.write("POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n");
  socket.write("x".repeat(1024 * 1024 + 1));
  const [head] = (await once(socket, "data")) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1\.1 413 /);
  socket.destroy();
  assert.equal((await post(order)).status, 200);
});

test("what is not HTTP, or stops half-way, is survived", async (t) => {
  const { post, url } = await start(t);
  for (const text of ["nonsense\r\n\r\n", "POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"]) {
    const socket = connect(Number(new URL(url).port), "127.0.0.1").resume();
    socket.end(text);
    await once(socket, "close");
  }
  assert.equal((await post(order)).status, 200);
});

test("close ends at once: idle, half-sent, hanging and delayed connections", async (t) => {
  const { post, url, close, requests } = await start(t);
  const port = Number(new URL(url).port);
  const idle = connect(port, "127.0.0.1").resume();
  const halfSent = connect(port, "127.0.0.1").resume();
  halfSent.write("POST /orders HTTP/1.1\r\nhost: x\r\ncontent-le");
  const ended = [idle, halfSent].map((socket) => {
    socket.on("error", () => {});
    return once(socket, "close");
  });
  await post(order);
  const failing = [{ ticketing: ["timeout"] }, { delay_ms: 20_000 }].map((sandbox, index) =>
    assert.rejects(post({ ...order, sandbox }, `hanging ${index}`)),
  );
  while (requests.length < 3) await new Promise(setImmediate);
  await close();
  await Promise.all([...ended, ...failing]);
  await assert.rejects(fetch(url));
  await close();
});
