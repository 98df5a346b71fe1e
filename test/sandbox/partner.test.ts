import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { callbackHeaders, signingKey } from "../../src/outbound/signature.ts";
import { type ReceivedCallback, startSandboxPartner } from "../../src/sandbox/partner.ts";

const signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const body = '{"event":"order.ticketed","order":{"id":1}}';

async function start(t: TestContext) {
  const callbacks: ReceivedCallback[] = [];
  const server = await startSandboxPartner({ signingSecret, onCallback: (one) => callbacks.push(one) });
  t.after(() => server.close());
  const send = (eventId: string, options: { query?: string; secret?: string; text?: string } = {}) => {
    const { query = "", secret = signingSecret, text = body } = options;
    const timestampSecs = Math.floor(Date.now() / 1000);
    const signed = callbackHeaders({ body: text, eventId, timestampSecs, keys: [signingKey(secret)] });
    const headers = { ...signed, "x-trace-id": "t1" };
    return fetch(server.url + query, { method: "POST", headers, body: text });
  };
  return { ...server, callbacks, send };
}

test("a signed callback is taken", async (t) => {
  const { send, callbacks, received, url } = await start(t);
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/callbacks$/);
  const response = await send("evt_1");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { received: "evt_1", duplicate: false });
  const seen = { eventId: "evt_1", traceId: "t1", status: 200, verified: true, duplicate: false };
  assert.deepEqual(callbacks, [{ ...seen, body: JSON.parse(body) }]);
  assert.deepEqual(received(), [{ eventId: "evt_1", deliveries: 1, taken: 1 }]);
});

test("a callback with a wrong signature, or none, is refused and not remembered", async (t) => {
  const { send, callbacks, received, url } = await start(t);
  assert.equal((await send("evt_1", { secret: "another" })).status, 401);
  assert.equal((await send("evt_1", { secret: "another", text: "not JSON" })).status, 401);
  assert.equal((await fetch(url, { method: "POST", body })).status, 401);
  assert.deepEqual(
    callbacks.map(({ eventId, status, verified }) => [eventId, status, verified]),
    [
      ["evt_1", 401, false],
      ["evt_1", 401, false],
      [null, 401, false],
    ],
  );
  assert.deepEqual(received(), []);
});

test("a repeat of what was taken is a duplicate; a repeat of what was refused is not", async (t) => {
  const { send, callbacks, received } = await start(t);
  for (const eventId of ["evt_1", "evt_2", "evt_1", "evt_1"]) {
    await (await send(eventId, { query: "?answers=503,200" })).text();
  }
  assert.deepEqual(
    callbacks.map(({ eventId, status, duplicate }) => [eventId, status, duplicate]),
    [
      ["evt_1", 503, false],
      ["evt_2", 503, false],
      ["evt_1", 200, false],
      ["evt_1", 200, true],
    ],
  );
  assert.deepEqual(received(), [
    { eventId: "evt_2", deliveries: 1, taken: 0 },
    { eventId: "evt_1", deliveries: 3, taken: 2 },
  ]);
});

test("the answers to each event can be scripted, failures too", async (t) => {
  const { send } = await start(t);
  const seen: unknown[] = [];
  for (let no = 1; no <= 4; no += 1) {
    const answer = send("evt_1", { query: "?answers=429,reset,garbage,empty" });
    seen.push(await answer.then(async (got) => [got.status, await got.text()]).catch(() => "failed"));
  }
  assert.deepEqual(seen, [[429, '{"error":"Too Many Requests"}'], "failed", "failed", [200, ""]]);
});

test("a script that is none is refused", async (t) => {
  const { send } = await start(t);
  for (const answers of ["", "200,", "later", "100", "600", "200;503", "200,".repeat(100) + "200", "%"]) {
    assert.equal((await send("evt_1", { query: `?answers=${answers}` })).status, 400, answers);
  }
});

test("a callback whose body is not JSON is taken for what it is", async (t) => {
  const { send, callbacks } = await start(t);
  assert.equal((await send("evt_1", { text: "not JSON" })).status, 200);
  assert.equal(callbacks[0]?.body, undefined);
});

test("a signing secret that is none stops the start", async () => {
  await assert.rejects(startSandboxPartner({ signingSecret: "whsec_" }), /empty/);
});

test("close ends a callback that hangs", async (t) => {
  const { send, callbacks, close } = await start(t);
  const failing = assert.rejects(send("evt_1", { query: "?answers=timeout" }));
  while (callbacks.length === 0) await new Promise(setImmediate);
  await close();
  await failing;
});
