import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { AcceptResult } from "../../src/pipeline/accept.ts";
import { DEMO, type Door, openDoor, ORDER } from "./door.ts";

const TIMEOUTS = { headersMs: 150, requestMs: 300, keepAliveMs: 5000, idleMs: 5000 };
let door: Door;
before(async () => {
  door = await openDoor({ timeouts: TIMEOUTS });
  await door.app.listen({ host: "127.0.0.1", port: 0 });
});
after(() => door.close());

function open({ app }: Door = door): Socket {
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  // A server that is done with a client may reset the connection while the client still writes.
  socket.on("error", () => {});
  return socket;
}

/** Sends what is given and gives everything that comes back until the connection ends. */
async function exchange(...parts: readonly string[]): Promise<string> {
  const socket = open();
  for (const part of parts) socket.write(part);
  return text(socket);
}

const head = (headers: Record<string, string | number>, line = "POST /orders HTTP/1.1") =>
  [
    line,
    "Host: localhost",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "",
    "",
  ].join("\r\n");
const JSON_POST = { ...DEMO, "content-type": "application/json" };
const closing = { connection: "close" };
const order = JSON.stringify(ORDER);

test("an order over a socket", async () => {
  const answer = await exchange(head({ ...JSON_POST, ...closing, "content-length": order.length }), order);
  assert.match(answer, /^HTTP\/1\.1 201 Created\r\n/);
});

test("repeated credentials are not joined", async () => {
  for (const extra of ["X-Partner-Token: demotoken", "x-partner-id: demo"]) {
    const twice = head({ ...JSON_POST, ...closing, "content-length": 2 }).replace(
      "\r\n\r\n",
      `\r\n${extra}\r\n\r\n`,
    );
    assert.match(await exchange(twice, "{}"), /^HTTP\/1\.1 401 /, extra);
  }
  const bearer = { ...closing, authorization: "Bearer a", Authorization: "Bearer b" };
  assert.match(await exchange(head(bearer, "GET /orders HTTP/1.1")), /^HTTP\/1\.1 401 /);
});

test("a request without a Host, or with two, is a problem too", async () => {
  const get = (...lines: string[]) => [...lines, "Connection: close", "", ""].join("\r\n");
  for (const hosts of [[], ["Host: localhost", "Host: elsewhere"]]) {
    const answer = await exchange(get("GET /health HTTP/1.1", ...hosts));
    assert.match(answer, /^HTTP\/1\.1 400 [^]*application\/problem\+json/, String(hosts));
  }
  assert.match(await exchange(get("GET /health HTTP/1.0")), /^HTTP\/1\.1 200 /);
});

test("413 for a declared and for a streamed body, without reading on", async () => {
  const declared = await exchange(head({ ...JSON_POST, "content-length": 10_000_000 }));
  assert.match(declared, /^HTTP\/1\.1 413 [^]*application\/problem\+json/);
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const streamed = await exchange(
    head({ ...JSON_POST, "transfer-encoding": "chunked" }),
    ...Array(5).fill(chunk),
  );
  assert.match(streamed, /^HTTP\/1\.1 413 /);
});

test("a wrong token is 401 before a large body is sent, and ends the connection", async () => {
  const wrong = { ...JSON_POST, "x-partner-token": "wrong", "content-length": 10_000_000 };
  const answer = await exchange(head(wrong));
  assert.match(answer, /^HTTP\/1\.1 401 [^]*\r\nconnection: close\r\n/i);
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, "nothing but the 401 is said");
});

test("slow headers and slow bodies end with 408", async () => {
  assert.match(await exchange("GET /health HTTP/1.1\r\nHost: loc"), /^HTTP\/1\.1 408 [^]*problem\+json/);
  const slow = await exchange(head({ ...JSON_POST, "content-length": 100 }), "{");
  assert.match(slow, /^HTTP\/1\.1 408 [^]*request-timeout/);
  assert.equal(door.events.filter(({ event }) => event === "http.failed").length, 0);
});

test("what is no HTTP gets a plain problem, and the server lives on", async () => {
  assert.match(await exchange("\u0016\u0003\u0001 hello\r\n\r\n"), /^HTTP\/1\.1 400 [^]*bad-request/);
  assert.match(await exchange("GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400 /);
  const both = { ...JSON_POST, "content-length": 2, "transfer-encoding": "chunked" };
  assert.match(await exchange(head(both), "{}"), /^HTTP\/1\.1 400 /);
  const long = await exchange(head({ "x-long": "x".repeat(20_000) }, "GET /health HTTP/1.1"));
  assert.match(long, /^HTTP\/1\.1 431 [^]*headers-too-large/);
  const aborted = open();
  aborted.write(head({ ...JSON_POST, "content-length": 100 }));
  await once(aborted, "connect");
  aborted.resetAndDestroy();
  const health = await exchange(head(closing, "GET /health HTTP/1.1"));
  assert.match(health, /^HTTP\/1\.1 200 [^]*\{"status":"ok"\}$/);
  assert.equal(door.events.filter(({ event }) => event === "http.failed").length, 0);
});

/** A gateway whose acceptance waits until it is told the result. */
async function openHeld() {
  const arrived = Promise.withResolvers<void>();
  const result = Promise.withResolvers<AcceptResult>();
  const held = await openDoor({
    accept: () => {
      arrived.resolve();
      return result.promise;
    },
  });
  await held.app.listen({ host: "127.0.0.1", port: 0 });
  return { held, arrived: arrived.promise, finish: result.resolve };
}
const ACCEPTED: AcceptResult = {
  kind: "accepted",
  order: { id: 7, partnerId: "demo", externalOrderId: "EXT-42", traceId: "t", createdAt: 0 },
  job: null,
};

const statusesOf = (answer: string) =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

test("garbage behind a request never passes for its answer, and comes after it", async () => {
  const posted = head({ ...JSON_POST, "content-length": order.length }) + order;
  const garbage = "garbage\r\n\r\n";
  for (const atOnce of [true, false]) {
    const { held, arrived, finish } = await openHeld();
    const socket = open(held);
    const answer = text(socket);
    socket.write(atOnce ? posted + garbage : posted);
    await arrived;
    if (!atOnce) socket.write(garbage);
    // Refused by now, while the order is not decided yet.
    await held.app.inject("/health");
    finish(ACCEPTED);
    assert.deepEqual(statusesOf(await answer), ["201", "400"]);
    await held.close();
  }
});

test("a request that breaks after its answer gets no second one", async () => {
  const wrong = head({ ...JSON_POST, "x-partner-token": "wrong", "transfer-encoding": "chunked" });
  const socket = open();
  let answer = "";
  socket.setEncoding("latin1").on("data", (piece: string) => (answer += piece));
  socket.write(wrong);
  await once(socket, "data");
  socket.write("no chunk\r\n");
  await once(socket, "close");
  assert.deepEqual(statusesOf(answer), ["401"]);
});

test("while closing, what is under way is finished and what arrives is refused", async () => {
  const { held, arrived, finish } = await openHeld();
  const request = head(closing, "GET /health HTTP/1.1");
  const [late, early] = [open(held), open(held)];
  const answers = [text(early), text(late)];
  late.write(request.slice(0, -2));
  await once(late, "connect");
  early.write(head({ ...JSON_POST, "content-length": order.length }) + order);
  await arrived;
  const closed = held.app.close();
  late.write(request.slice(-2));
  assert.match(await answers[1]!, /^HTTP\/1\.1 503 [^]*retry-after: 1[^]*problem\+json/i);
  finish(ACCEPTED);
  assert.match(await answers[0]!, /^HTTP\/1\.1 201 /);
  await closed;
  await held.storage.close();
});
