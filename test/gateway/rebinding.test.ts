import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type DnsRecord, startDnsServer } from "../support/dns-server.ts";
import { gatewayEnv, type OrderShown, type RunningGateway, runGateway } from "../support/gateway.ts";
import { startRecorder, type Recorder } from "../support/recorder.ts";

interface Scene {
  readonly gateway: RunningGateway;
  /** What the name server says from now on. */
  readonly records: Record<string, DnsRecord>;
  readonly ticketing: Recorder;
  readonly partner: Recorder;
  post(name: string, headers?: Record<string, string>): Promise<Response>;
}

async function setUp(t: TestContext, env: Record<string, string> = {}): Promise<Scene> {
  const records: Record<string, DnsRecord> = {};
  const names = await startDnsServer(records);
  const partner = await startRecorder();
  const ticketing = await startRecorder();
  const gateway = await runGateway({
    ...gatewayEnv("sqlite::memory:", ticketing.url),
    CALLBACK_DNS_SERVERS: names.address,
    ...env,
  });
  t.after(async () => {
    await gateway.stop();
    await Promise.all([partner.close(), ticketing.close(), names.close()]);
  });
  return {
    gateway,
    records,
    ticketing,
    partner,
    post: (name, headers = {}) =>
      gateway.post(
        {
          external_order_id: name,
          callback_url: partner.url.replace("127.0.0.1", name),
          items: [{ sku: "ADULT-DAY", qty: 1, unit_price_minor: 1, currency: "THB" }],
        },
        headers,
      ),
  };
}

async function idOf(response: Response): Promise<number> {
  assert.equal(response.status, 201, await response.clone().text());
  return ((await response.json()) as { id: number }).id;
}

function callbackAttempts(order: OrderShown): { code: number | null; error: string | null }[] {
  return order["ota_callback_job"].attempts.map(({ code, error }: never) => ({ code, error }));
}

/** 127.0.0.1 is allowed here, and stands for a public address. */
const TURNS: readonly (readonly string[])[] = [
  ["10.0.0.1"],
  ["127.0.0.1", "10.0.0.1"],
  ["10.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "::1"],
  ["127.0.0.1", "::ffff:a00:1"],
  ["127.0.0.1", "64:ff9b::7f00:1"],
  ["127.0.0.1", "2002:7f00:1::1"],
  ["127.0.0.1", "0.0.0.0"],
];

test("a host that turns private right after its order was accepted is blocked by the first delivery", async (t) => {
  const scene = await setUp(t);
  for (const [index, turned] of TURNS.entries()) {
    const name = `partner${index}.example`;
    scene.records[name] = ["127.0.0.1"];
    scene.ticketing.answer((response) => {
      scene.records[name] = turned;
      response.writeHead(200).end();
    });
    const id = await idOf(await scene.post(name));
    const order = await scene.gateway.reach(id, "ota_callback_blocked", "ota_callback_delivered");
    assert.deepEqual(callbackAttempts(order), [{ code: null, error: "guard" }], turned.join());
  }
  assert.equal(scene.partner.requests.length, 0);
  t.diagnostic(`turned private: ${TURNS.length} cases`);
});

test("a host with one private address is refused already when the order comes", async (t) => {
  const scene = await setUp(t);
  for (const [index, mixed] of TURNS.entries()) {
    scene.records[`partner${index}.example`] = mixed;
    const response = await scene.post(`partner${index}.example`);
    assert.equal(response.status, 400, mixed.join());
    assert.match(await response.text(), /resolves to an address that is not public/);
  }
  scene.records["partner.example"] = ["127.0.0.1", "127.0.0.2"];
  assert.equal((await scene.post("partner.example")).status, 201);
  t.diagnostic(`mixed answers at acceptance: ${TURNS.length} cases`);
});

test("a name server that hangs holds up nobody else, neither at acceptance nor at delivery", async (t) => {
  const partnerOf = (id: string) => ({
    id,
    name: id,
    token: `${id}token`,
    rate_limit: { capacity: 1000, per_sec: 1000 },
  });
  const scene = await setUp(t, {
    PARTNERS_JSON: JSON.stringify([partnerOf("slow"), partnerOf("demo")]),
    CALLBACK_CONCURRENCY: "50",
    DRAIN_SECS: "0",
  });
  const hanging = Array.from({ length: 20 }, (_, index) => `n${index}.slow.example`);
  for (const name of hanging) scene.records[name] = "hang";
  scene.records["private.test"] = ["10.0.0.1"];
  scene.records["quick.test"] = ["127.0.0.1"];

  const slow = { "x-partner-id": "slow", "x-partner-token": "slowtoken" };
  const undecided = hanging.map((name) => scene.post(name, slow));
  // Were its lookup held up, this one would be put off to delivery too.
  assert.equal((await scene.post("private.test")).status, 400);
  await Promise.all((await Promise.all(undecided)).map(idOf));
  // All of them wait for their names at delivery now.
  while (scene.ticketing.requests.length < hanging.length) await new Promise((done) => setTimeout(done, 10));
  const order = await scene.gateway.reach(
    await idOf(await scene.post("quick.test")),
    "ota_callback_delivered",
  );
  assert.deepEqual(callbackAttempts(order), [{ code: 200, error: null }]);
  assert.deepEqual(
    scene.partner.requests.map(({ headers }) => headers["x-external-order-id"]),
    ["quick.test"],
  );
  t.diagnostic(`hanging names: ${hanging.length} cases`);
});
