import assert from "node:assert/strict";
import { connect, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { type Door, openDoor, ORDER } from "../../http/door.ts";
import { onEachDatabase } from "../../support/databases.ts";
import { until } from "../../support/gateway-process.ts";
import { orderText } from "./bodies.ts";
import { head, HOST, JSON_TYPE, PARTNER, POST } from "./siege.ts";

const TIMEOUTS = { headersMs: 200, requestMs: 400, keepAliveMs: 60_000, idleMs: 60_000 };
const DRIP_MS = 20;
const CROWD = 300;

const CHUNKED = "Transfer-Encoding: chunked";
const good = [...PARTNER, JSON_TYPE];
const order = orderText();
const LENGTH = `Content-Length: ${order.length}`;
const get = head("GET /health HTTP/1.1", HOST);
const posting = (...more: readonly string[]) => head(POST, HOST, ...good, ...more);
const strangers = (...more: readonly string[]) =>
  head(POST, HOST, "X-Partner-Id: demo", "X-Partner-Token: no", JSON_TYPE, ...more);

/** What is sent at once, what then comes in drops until the gateway has had enough, and the answers. */
const SLOW: Readonly<Record<string, readonly [atOnce: string, drops: string, answers: readonly number[]]>> = {
  silence: ["", "", [408]],
  "a line that doesn't end": ["GET /heal", "", [408]],
  "a line, drop by drop": ["", `GET /${"h".repeat(1000)}`, [408]],
  "a head that doesn't end": [get.slice(0, -2), "", [408]],
  "a head, drop by drop": ["GET /health HTTP/1.1\r\n", `${HOST}\r\nX-Long: ${"x".repeat(1000)}`, [408]],
  "many headers, drop by drop": ["GET /health HTTP/1.1\r\n", "A:\r\n".repeat(300), [408]],
  "a body that doesn't come": [posting(LENGTH), "", [408]],
  "a body that doesn't end": [posting(LENGTH) + order.slice(0, -1), "", [408]],
  "a body, drop by drop": [posting("Content-Length: 2000"), " ".repeat(2000), [408]],
  "chunks that don't come": [posting(CHUNKED), "", [408]],
  "a chunk size, drop by drop": [posting(CHUNKED), "0".repeat(15), [408]],
  "a chunk extension, drop by drop": [posting(CHUNKED), `1;${"x".repeat(1000)}`, [408]],
  "a chunk, drop by drop": [`${posting(CHUNKED)}fff\r\n`, " ".repeat(2000), [408]],
  "chunks of one byte": [posting(CHUNKED), "1\r\n \r\n".repeat(200), [408]],
  "no last chunk": [`${posting(CHUNKED)}${order.length.toString(16)}\r\n${order}\r\n`, "", [408]],
  "trailers, drop by drop": [
    `${posting(CHUNKED)}${order.length.toString(16)}\r\n${order}\r\n0\r\n`,
    "A:\r\n".repeat(300),
    [408],
  ],
  "a slow second request": [get, "GET /hea", [200, 408]],
  "a slow body behind an answer": [get + posting(LENGTH), "{", [200, 408]],
  "a stranger's body that doesn't come": [strangers(LENGTH), "", [401]],
  "a stranger's body, drop by drop": [strangers("Content-Length: 2000"), " ".repeat(2000), [401]],
  "a stranger's large body, drop by drop": [strangers("Content-Length: 2000000"), " ".repeat(2000), [401]],
  "a stranger's chunks, drop by drop": [strangers(CHUNKED), "1\r\n \r\n".repeat(200), [401]],
};

onEachDatabase("slow clients", (kind) => {
  let door: Door;
  let port: number;
  before(async () => {
    door = await openDoor({ kind, timeouts: TIMEOUTS });
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    ({ port } = door.app.server.address() as AddressInfo);
  });
  after(() => door?.close());

  const open = () =>
    connect(port, "127.0.0.1")
      .setEncoding("latin1")
      .on("error", () => {});
  const countOf = async (table: "orders" | "order_items" | "ticketing_jobs") => {
    const { queries } = door.storage.database;
    const rows = await queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll().as("count"))
      .execute();
    return Number(rows[0]!.count);
  };
  const counts = () => Promise.all([countOf("orders"), countOf("order_items"), countOf("ticketing_jobs")]);
  const isServed = async () => {
    const url = `http://127.0.0.1:${port}`;
    const headers = {
      "x-partner-id": "demo",
      "x-partner-token": "demotoken",
      "content-type": "application/json",
    };
    const response = await fetch(`${url}/orders`, { method: "POST", headers, body: JSON.stringify(ORDER) });
    assert.equal(response.status, 201, await response.text());
    assert.equal((await fetch(`${url}/health`)).status, 200);
  };

  /** The statuses that come back until the gateway ends the connection. */
  function drip(atOnce: string, drops: string): Promise<number[]> {
    const { promise, resolve } = Promise.withResolvers<number[]>();
    const socket = open();
    socket.write(atOnce);
    const falling = drops[Symbol.iterator]();
    const tap = setInterval(() => socket.write(falling.next().value ?? ""), DRIP_MS);
    let text = "";
    socket.on("data", (piece: string) => (text += piece));
    socket.on("close", () => {
      clearInterval(tap);
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)));
    });
    return promise;
  }

  test("slow heads and bodies", async (t) => {
    const before = await counts();
    const cases = Object.entries(SLOW).map(async ([name, [atOnce, drops, answers]]) => {
      assert.deepEqual(await drip(atOnce, drops), answers, name);
    });
    await Promise.all([...cases, isServed()]);
    assert.deepEqual(
      await counts(),
      before.map((count) => count + 1),
      "nothing but the good order",
    );
    await isServed();
    t.diagnostic(`slow heads and bodies: ${cases.length} cases`);
  });

  test("a crowd of them at once", async (t) => {
    const begun = [[""], ["GET /health HTTP/1.1\r\n"], [posting(LENGTH)]].flat();
    const crowd = Array.from({ length: CROWD }, (_, n) => drip(begun[n % begun.length]!, ""));
    await isServed();
    for (const answers of await Promise.all(crowd)) assert.deepEqual(answers, [408]);
    await isServed();
    t.diagnostic(`a crowd: ${CROWD} cases`);
  });

  test("who sends requests and takes no answers is cut off before they cost memory", async (t) => {
    const connections = async () => {
      const { promise, resolve } = Promise.withResolvers<number>();
      door.app.server.getConnections((_error, count) => resolve(count));
      return promise;
    };
    const requests = [
      head("GET /openapi.json HTTP/1.1", HOST),
      head("GET /ready HTTP/1.1", HOST),
      strangers(LENGTH) + order,
      "GET /%zz HTTP/1.1\r\n\r\n",
    ];
    const deaf = requests.flatMap((request) =>
      Array.from({ length: 10 }, () => {
        const socket = open().pause();
        socket.write(request.repeat(1000));
        return socket;
      }),
    );
    await isServed();
    await until("the deaf to be cut off", async () => (await connections()) < 5);
    for (const socket of deaf) socket.destroy();
    await isServed();
    t.diagnostic(`deaf clients: ${deaf.length} cases`);
  });

  test("nothing slow has been logged as a failure", () => {
    assert.deepEqual(
      door.events.filter(({ event }) => event === "http.failed"),
      [],
    );
  });
});
