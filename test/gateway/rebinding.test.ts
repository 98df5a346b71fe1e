import assert from "node:assert/strict";
import { test } from "node:test";
import { type DnsRecord, startDnsServer } from "../support/dns-server.ts";
import { gatewayEnv, runGateway } from "../support/gateway.ts";
import { startRecorder } from "../support/recorder.ts";

test("a host that turns private right after its order was accepted is blocked by the first delivery", async (t) => {
  const records: Record<string, DnsRecord> = { "partner.example": ["127.0.0.1"] };
  const names = await startDnsServer(records);
  t.after(() => names.close());
  const partner = await startRecorder();
  t.after(() => partner.close());
  const ticketing = await startRecorder((response) => {
    records["partner.example"] = ["127.0.0.1", "10.0.0.1"];
    response.writeHead(200).end();
  });
  t.after(() => ticketing.close());
  const gateway = await runGateway({
    ...gatewayEnv("sqlite::memory:", ticketing.url),
    CALLBACK_DNS_SERVERS: names.address,
  });
  t.after(() => gateway.stop());

  const accepted = await gateway.post({
    external_order_id: "EXT-1",
    callback_url: partner.url.replace("127.0.0.1", "partner.example"),
    items: [{ sku: "ADULT-DAY", qty: 1, unit_price_minor: 1, currency: "THB" }],
  });
  assert.equal(accepted.status, 201);
  const { id } = (await accepted.json()) as { id: number };
  const order = await gateway.reach(id, "ota_callback_blocked", "ota_callback_delivered");
  const attempts = order["ota_callback_job"].attempts.map(({ code, error }: never) => ({ code, error }));
  assert.deepEqual(attempts, [{ code: null, error: "guard" }]);
  assert.equal(partner.requests.length, 0);
});
