import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, type Server, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { othersCertificate } from "../outbound/bad-certificates.ts";
import { gatewayEnv, type OrderShown, runGateway } from "../support/gateway.ts";
import { spawnGateway } from "../support/gateway-process.ts";
import { type Reply, startRecorder } from "../support/recorder.ts";
import { testCertificate, testKey } from "../support/tls.ts";

const orderOf = (externalId: string, callbackUrl: string) => ({
  external_order_id: externalId,
  callback_url: callbackUrl,
  items: [{ sku: "ADULT-DAY", qty: 1, unit_price_minor: 1, currency: "THB" }],
});

function attemptsOf(order: OrderShown, job: "ticketing_job" | "ota_callback_job") {
  return order[job].attempts.map(({ code, error }: never) => ({ code, error }));
}

test("redirects to anywhere are answers, and followed nowhere", async (t) => {
  const elsewhere = await startRecorder();
  t.after(() => elsewhere.close());
  const locations = [
    elsewhere.url,
    elsewhere.url.replace("http:", ""),
    elsewhere.url.replace("127.0.0.1", "localhost"),
    elsewhere.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"),
    elsewhere.url.replace("127.0.0.1", "user:secret@2130706433"),
    "/elsewhere",
    "?again",
    "",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "http://",
    "\u00ff\u0001",
  ];
  const hints = {
    refresh: `0; url=${elsewhere.url}`,
    "alt-svc": `http/1.1="${new URL(elsewhere.url).host}"`,
  };
  const cases = [
    ...[300, 301, 302, 303, 305, 307, 308].map((status) => ({ status, location: elsewhere.url })),
    ...locations.map((location) => ({ status: 307, location })),
    // As odd as a redirect that isn't one.
    { status: 201, location: elsewhere.url },
  ];
  const hostileOn =
    (leg: string): Reply =>
    (response, request) => {
      const [where, index] = String(request.headers["x-external-order-id"]).split(".");
      if (where !== leg) return void response.writeHead(200).end();
      const { status, location } = cases[Number(index)]!;
      // Written raw, as Node would not let all of these through.
      response.socket?.end(
        `HTTP/1.1 ${status} X\r\nlocation: ${location.replace("\u0001", "\t")}\r\nrefresh: ${hints.refresh}\r\n` +
          `alt-svc: ${hints["alt-svc"]}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
        "latin1",
      );
    };
  const ticketing = await startRecorder(hostileOn("ticketing"));
  t.after(() => ticketing.close());
  const partner = await startRecorder(hostileOn("callback"));
  t.after(() => partner.close());
  const gateway = await runGateway({
    ...gatewayEnv("sqlite::memory:", ticketing.url),
    RETRY_SCHEDULE_SECS: "0",
    CIRCUIT_FAILURES: "0",
  });
  t.after(() => gateway.stop());

  const accept = async (externalId: string) => {
    const accepted = await gateway.post(orderOf(externalId, `${partner.url}/callback`));
    return ((await accepted.json()) as { id: number }).id;
  };
  for (const [leg, job] of [
    ["ticketing", "ticketing_job"],
    ["callback", "ota_callback_job"],
  ] as const) {
    const ids = await Promise.all(cases.map((_, index) => accept(`${leg}.${index}`)));
    for (const [index, { status, location }] of cases.entries()) {
      const end = job.replace("job", status === 201 ? "delivered" : "exhausted");
      const order = await gateway.reach(ids[index]!, end, "ota_callback_delivered");
      assert.deepEqual(
        attemptsOf(order, job),
        [{ code: status, error: null }],
        `${leg} ${status} ${location}`,
      );
    }
  }
  assert.equal(elsewhere.requests.length, 0);
  // One request for each order and leg that it came to, to the path that was meant.
  assert.equal(ticketing.requests.length, cases.length * 2);
  assert.deepEqual(new Set(ticketing.requests.map(({ path }) => path)), new Set(["/"]));
  assert.equal(partner.requests.length, cases.length + 1);
  assert.deepEqual(new Set(partner.requests.map(({ path }) => path)), new Set(["/callback"]));
  t.diagnostic(`redirects: ${cases.length * 2} cases`);
});

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function callbackServer(cert: string): Server {
  return createHttpsServer({ key: testKey, cert }, (request, response) => {
    request.resume().on("end", () => response.writeHead(200, { connection: "close" }).end());
  });
}

test("no variable of the environment leads through a proxy, or past a certificate", async (t) => {
  let proxied = 0;
  const proxy = await listen(
    t,
    createServer((socket) => {
      proxied += 1;
      socket.destroy();
    }),
  );
  const trusted = await listen(t, callbackServer(testCertificate));
  const untrusted = await listen(t, callbackServer(othersCertificate));
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  t.after(() => Promise.all([ticketing.close(), partner.close()]));
  const directory = mkdtempSync(join(tmpdir(), "wavegate-test-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authorities = join(directory, "ca.pem");
  writeFileSync(authorities, testCertificate);

  const variables = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "SOCKS_PROXY",
    "NPM_CONFIG_PROXY",
    "GLOBAL_AGENT_HTTP_PROXY",
  ];
  const proxies = variables.flatMap((name) => [name, name.toLowerCase()]);
  const gateway = await spawnGateway({
    ...gatewayEnv("sqlite::memory:", ticketing.url),
    RETRY_SCHEDULE_SECS: "0",
    LOG_LEVEL: "info",
    NODE_USE_ENV_PROXY: "1",
    NODE_TLS_REJECT_UNAUTHORIZED: "0",
    NODE_EXTRA_CA_CERTS: authorities,
    NO_PROXY: "",
    ...Object.fromEntries(proxies.map((name) => [name, `http://127.0.0.1:${proxy}`])),
  });
  t.after(() => gateway.stop());
  const send = async (callbackUrl: string) => {
    const id = await gateway.accepted(orderOf("EXT-1", callbackUrl));
    const order = await gateway.reach(id, "ota_callback_delivered", "ota_callback_exhausted");
    return attemptsOf(order, "ota_callback_job");
  };
  const good = [{ code: 200, error: null }];
  assert.deepEqual(await send(`${partner.url}/callback`), good);
  assert.deepEqual(await send(`https://127.0.0.1:${trusted}/callback`), good);
  assert.deepEqual(await send(`https://127.0.0.1:${untrusted}/callback`), [{ code: null, error: "tls" }]);
  assert.equal(ticketing.requests.length, 3);
  assert.equal(proxied, 0);
  t.diagnostic(`variables of the environment: ${proxies.length + 2} cases`);
});
