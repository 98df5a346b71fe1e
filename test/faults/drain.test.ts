import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, suite, test } from "node:test";
import { onEachDatabase, openUrl, SQLITE } from "../support/databases.ts";
import { gatewayEnv, PARTNER_HEADERS } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway, until } from "../support/gateway-process.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

let ticketing: Recorder;
let partner: Recorder;
before(async () => {
  ticketing = await startRecorder();
  partner = await startRecorder();
});
beforeEach(() => {
  for (const recorder of [ticketing, partner]) {
    recorder.answer(200);
    recorder.requests.length = 0;
  }
});
after(() => Promise.all([ticketing.close(), partner.close()]));

onEachDatabase("SIGTERM while attempts are in flight", (kind) => {
  test("those that end in time are settled, the rest is back in the queue at once", async () => {
    const held: ServerResponse[] = [];
    ticketing.answer((response) => held.push(response));
    const url = await kind.migratedUrl();
    const env = { ...gatewayEnv(url, ticketing.url), DRAIN_SECS: "1.5", RETRY_SCHEDULE_SECS: "0,0.1,0.2" };
    const first = await spawnGateway(env);
    const answered = await first.accepted(orderBody(`${partner.url}/cb`));
    await until("its attempt in flight", () => held.length === 1);
    const cutOff = await first.accepted(orderBody(`${partner.url}/cb`));
    await until("the other's attempt in flight", () => held.length === 2);
    first.signal("SIGTERM");
    await first.logged("gateway.stopping");
    const untouched = held.length;
    held[0]!.writeHead(200).end();
    assert.deepEqual(await first.ended, { code: 0, signal: null });
    assert.equal(first.stderr(), "");

    const storage = openUrl(url);
    const stories = [await storage.orders.story(answered, null), await storage.orders.story(cutOff, null)];
    await storage.close();
    const seen = stories.map((story) => {
      const { job, attempts } = story!.ticketing!;
      return {
        order: story!.order.pipeline_status,
        job: job.status,
        attempts: attempts.map(({ no, code, error }) => [no, code, error]),
      };
    });
    assert.deepEqual(seen, [
      { order: "ticketed", job: "succeeded", attempts: [[1, 200, null]] },
      { order: "ticketing_processing", job: "pending", attempts: [[1, null, "reset"]] },
    ]);
    assert.deepEqual([untouched, partner.requests.length], [2, 0], "no attempt begins any more");

    ticketing.answer(200);
    const next = await spawnGateway(env);
    for (const id of [answered, cutOff]) await next.reach(id, "ota_callback_delivered");
    assert.equal((await next.stop()).code, 0);
    assert.equal(ticketing.requests.length, 3);
  });
});

suite("SIGTERM while clients are connected", () => {
  const start = async (drainSecs: number): Promise<GatewayProcess> =>
    spawnGateway({
      ...gatewayEnv(await SQLITE.migratedUrl(), ticketing.url),
      DRAIN_SECS: String(drainSecs),
    });

  test("not ready any more at once; a request under way is answered, a new one turned away", async () => {
    const gateway = await start(10);
    const body = JSON.stringify(orderBody(`${partner.url}/cb`));
    const order = await open(gateway, postHead(body) + body.slice(0, 20));
    const probe = await open(gateway, "GET /ready HTTP/1.1\r\nhost: gateway\r\n");
    const newcomer = await open(gateway, postHead(body).slice(0, 20));
    gateway.signal("SIGTERM");
    await gateway.logged("gateway.stopping");

    assert.match(await finish(probe, "\r\n"), /^HTTP\/1\.1 503 /);
    const turnedAway = await finish(newcomer, postHead(body).slice(20) + body);
    assert.match(turnedAway, /^HTTP\/1\.1 503 /);
    assert.match(turnedAway, /^retry-after: 1\r$/m);
    const accepted = await finish(order, body.slice(20));
    assert.match(accepted, /^HTTP\/1\.1 201 /);
    assert.match(accepted, /^connection: close\r$/m);
    assert.deepEqual(await gateway.ended, { code: 0, signal: null });
  });

  test("who has connected is answered, also where the gateway had not come to look", async () => {
    const gateway = await start(10);
    const { hostname, port } = new URL(gateway.url);
    const body = JSON.stringify(orderBody(`${partner.url}/cb`));
    gateway.signal("SIGSTOP");
    const sockets = Array.from({ length: 30 }, async () => {
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      return { answer: finish(socket, postHead(body) + body) };
    });
    const asked = await Promise.all(sockets);
    gateway.signal("SIGTERM");
    gateway.signal("SIGCONT");
    const answers = await Promise.all(asked.map(({ answer }) => answer));
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.deepEqual(await gateway.ended, { code: 0, signal: null });
  });

  test("nobody can keep it from ending: a body that never ends is cut off after DRAIN_SECS", async () => {
    const gateway = await start(0.5);
    const body = JSON.stringify(orderBody(`${partner.url}/cb`));
    const idle = await open(gateway, "");
    const slow = await open(gateway, postHead(body) + body.slice(0, 20));
    const stoppedAt = performance.now();
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    // A request may take 30 s, which is what would be waited for.
    assert.ok(performance.now() - stoppedAt < 15_000);
    for (const socket of [idle, slow]) socket.destroy();
  });
});

async function open(gateway: GatewayProcess, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(bytes);
  // Until it has been read: what was answered to a later connection was read after it.
  await gateway.get("/health");
  return socket;
}

async function finish(socket: Socket, bytes: string): Promise<string> {
  socket.write(bytes);
  return text(socket);
}

function postHead(body: string): string {
  const headers = {
    host: "gateway",
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    ...PARTNER_HEADERS,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /orders HTTP/1.1\r\n${lines.join("")}\r\n`;
}
