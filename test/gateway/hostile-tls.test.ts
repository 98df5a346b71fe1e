import assert from "node:assert/strict";
import { once } from "node:events";
import { type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expiredCertificate, othersCertificate } from "../outbound/bad-certificates.ts";
import { startDnsServer } from "../support/dns-server.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { startRecorder } from "../support/recorder.ts";
import { testCertificate, testKey } from "../support/tls.ts";

type Leg = "ticketing" | "callback";
type Act = (socket: Socket) => void;

/** A TCP server for https URLs; what it does with a connection changes from case to case. */
async function startPort(t: TestContext): Promise<{ port: number; behave(act: Act): void }> {
  let current: Act = () => {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
    current(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    behave(act) {
      current = act;
    },
  };
}

let requests = 0;
const answer: RequestListener = (request, response) => {
  requests += 1;
  request.resume().on("end", () => response.writeHead(200, { connection: "close" }).end());
};

function withCertificate(cert: string): Act {
  const server = createHttpsServer({ key: testKey, cert }, answer);
  server.on("tlsClientError", () => {});
  return (socket) => void server.emit("connection", socket);
}

/** A gateway on each leg: one buys at the port by https, the other calls back there. */
async function startGateways(t: TestContext, port: number, timeoutSecs = "10") {
  const names = await startDnsServer({ "partner.example": ["127.0.0.1"] });
  const other = await startRecorder();
  const run = (ticketingUrl: string, timeout: string) =>
    runGateway({
      ...gatewayEnv("sqlite::memory:", ticketingUrl),
      CALLBACK_DNS_SERVERS: names.address,
      RETRY_SCHEDULE_SECS: "0",
      [timeout]: timeoutSecs,
    });
  const gateways: Record<Leg, RunningGateway> = {
    ticketing: await run(`https://127.0.0.1:${port}/ticketing`, "TICKETING_TIMEOUT_SECS"),
    callback: await run(other.url, "CALLBACK_TIMEOUT_SECS"),
  };
  t.after(async () => {
    await Promise.all([gateways.ticketing.stop(), gateways.callback.stop()]);
    await Promise.all([other.close(), names.close()]);
  });
  const callbackUrls = { ticketing: other.url, callback: `https://partner.example:${port}/callback` };

  /** The attempts of an order's leg at the port, as `[code, error, note]`, and where the order then stands. */
  return async (leg: Leg) => {
    const gateway = gateways[leg];
    const accepted = await gateway.post({
      external_order_id: "EXT-1",
      callback_url: callbackUrls[leg],
      items: [{ sku: "ADULT-DAY", qty: 1, unit_price_minor: 1, currency: "THB" }],
    });
    assert.equal(accepted.status, 201);
    const { id } = (await accepted.json()) as { id: number };
    const order = await gateway.reach(
      id,
      "ota_callback_delivered",
      "ticketing_exhausted",
      "ota_callback_exhausted",
    );
    const job = order[leg === "ticketing" ? "ticketing_job" : "ota_callback_job"];
    const attempts: { code: number | null; error: string | null; note: string | null }[] = job.attempts;
    assert.equal(attempts.length, 1);
    return { status: order["status"], ...attempts[0]! };
  };
}

const LEGS: readonly Leg[] = ["ticketing", "callback"];
const FAILED = { ticketing: "ticketing_exhausted", callback: "ota_callback_exhausted" };

test("a certificate that can't be trusted, or no TLS at all: nothing is sent, and the attempt says why", async (t) => {
  const trusted = getCACertificates();
  t.after(() => setDefaultCACertificates(trusted));
  // Each of the bad ones would be taken, were it not for the one thing that is wrong with it.
  const trust = (...more: string[]) => setDefaultCACertificates([testCertificate, ...more]);
  const { port, behave } = await startPort(t);
  const attemptAt = await startGateways(t, port);
  const refused: Record<string, { act: Act; trusted?: string; note: RegExp }> = {
    "expired certificate": {
      act: withCertificate(expiredCertificate),
      trusted: expiredCertificate,
      note: /expired/,
    },
    "somebody else's certificate": {
      act: withCertificate(othersCertificate),
      trusted: othersCertificate,
      note: /does not match certificate's altnames/,
    },
    "self-signed certificate": { act: withCertificate(othersCertificate), note: /self-signed/ },
    "plain HTTP": {
      act: (socket) => socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")),
      note: /./,
    },
    "a reset in the handshake": {
      act: (socket) => socket.once("data", () => socket.resetAndDestroy()),
      note: /./,
    },
    "an end in the handshake": { act: (socket) => socket.once("data", () => socket.end()), note: /./ },
    "an alert": {
      act: (socket) => socket.once("data", () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40]))),
      note: /handshake failure/,
    },
  };
  const right = withCertificate(testCertificate);
  for (const [name, { act, trusted: bad, note }] of Object.entries(refused)) {
    behave(act);
    trust(...(bad === undefined ? [] : [bad]));
    const sentBefore = requests;
    for (const leg of LEGS) {
      const attempt = await attemptAt(leg);
      assert.deepEqual(
        { status: attempt.status, code: attempt.code, error: attempt.error },
        { status: FAILED[leg], code: null, error: "tls" },
        `${name}, ${leg}`,
      );
      // What happened inside the operator's network is not told to the partner, who asks here.
      if (leg === "ticketing") assert.equal(attempt.note, null);
      else assert.match(attempt.note ?? "", note, name);
    }
    assert.equal(requests, sentBefore);
    behave(right);
    for (const leg of LEGS) assert.equal((await attemptAt(leg)).status, "ota_callback_delivered");
  }
  t.diagnostic(`TLS: ${Object.keys(refused).length * LEGS.length} cases`);
});

test("a handshake that never ends", async (t) => {
  const { port, behave } = await startPort(t);
  const attemptAt = await startGateways(t, port, "1");
  behave((socket) => {
    // A record of 16 KiB, a byte at a time.
    socket.write(Buffer.from([22, 3, 3, 0x40, 0]));
    const timer = setInterval(() => socket.write(Buffer.from([2])), 100);
    socket.once("close", () => clearInterval(timer));
  });
  const attempts = await Promise.all(LEGS.map(attemptAt));
  const seen = attempts.map(({ status, code, error }) => ({ status, code, error }));
  assert.deepEqual(
    seen,
    LEGS.map((leg) => ({ status: FAILED[leg], code: null, error: "timeout" })),
  );
  t.diagnostic(`TLS in drips: ${LEGS.length} cases`);
});
