import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type LookupFunction, type Server, Socket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import * as fc from "fast-check";
import { type AddressGuard, createAddressGuard } from "../../src/outbound/address-guard.ts";
import type { CallbackPolicy } from "../../src/outbound/callback-url.ts";
import type { Resolve } from "../../src/outbound/resolver.ts";
import { testCertificate, testKey } from "../support/tls.ts";
import { IPV4_IN_IPV6, IPV6_NOTATIONS, dotted, edges4, edges6 } from "./address-table.ts";

const policy: CallbackPolicy = {
  requireHttps: true,
  allowedHosts: [],
  allowedPorts: "any",
  allowedCidrs: [],
  refuseUnknownNames: true,
};
const NAME = "partner.example";

const answering =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve({ kind: "addresses", addresses });

const guardOf = (resolve: Resolve, allowedCidrs: readonly string[] = []) =>
  createAddressGuard({ policy: { ...policy, allowedCidrs }, resolve });

/**
 * From here on no socket of this test connects to anything: what one would have connected to is kept instead, so that
 * the whole table can be tried, and a guard that is broken still reaches nobody.
 */
function keepDialled(t: TestContext): string[] {
  const dialled: string[] = [];
  t.mock.method(Socket.prototype, "connect", function (this: Socket, args: [Dialled]) {
    const { host, lookup } = args[0];
    if (lookup === undefined || host !== NAME) {
      dialled.push(host);
      this.destroy(new Error("dialled"));
    } else {
      lookup(host, { all: true }, (error, found) => {
        if (Array.isArray(found)) dialled.push(...found.map(({ address }) => address));
        this.destroy(error ?? new Error("dialled"));
      });
    }
    return this;
  });
  return dialled;
}

interface Dialled {
  readonly host: string;
  readonly lookup?: LookupFunction;
}

interface Target {
  readonly port?: number;
  readonly protocol?: string;
  /** Is given the socket while it is still connecting. */
  readonly meddle?: (socket: Socket) => void;
}

/** The code of the error that a connection to the host ends with, or `connected`. */
function connectTo(guard: AddressGuard, hostname: string, options: Target = {}): Promise<string> {
  const { port = 443, protocol = "http:", meddle = () => {} } = options;
  const connector = guard.connector({ timeoutMs: 5000, ca: testCertificate });
  return new Promise((resolve) => {
    const socket = connector({ hostname, port: String(port), protocol }, (...[error, connected]) => {
      connected?.destroy();
      if (error !== null) assert.ok("code" in error);
      resolve(error === null ? "connected" : String(error.code));
    });
    if (socket !== null) meddle(socket);
  });
}

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const tableOfAddresses = [
  ...edges4.map(({ value, isPublic }) => ({ text: dotted(value), isPublic })),
  ...edges6.map(({ value, isPublic }) => ({ text: IPV6_NOTATIONS["compressed"]!(value), isPublic })),
  ...Object.values(IPV4_IN_IPV6).flatMap((embed) =>
    edges4.map(({ value }) => ({ text: IPV6_NOTATIONS["compressed"]!(embed(value)), isPublic: false })),
  ),
];

test("the table, at acceptance: as literals and as answers", async (t) => {
  const never: Resolve = () => assert.fail("a literal is not resolved");
  for (const { text, isPublic } of tableOfAddresses) {
    const host = text.includes(":") ? `[${text}]` : text;
    const literal = await guardOf(never).checkAtAcceptance(new URL(`https://${host}/`));
    const answer = await guardOf(answering(text)).checkAtAcceptance(new URL(`https://${NAME}/`));
    const expected = isPublic ? "allowed" : "refused";
    assert.deepEqual([literal.kind, answer.kind], [expected, expected], text);
  }
  t.diagnostic(`at acceptance: ${tableOfAddresses.length * 2} cases`);
});

test("the table, at delivery: as literals and as answers", async (t) => {
  const dialled = keepDialled(t);
  for (const { text, isPublic } of tableOfAddresses) {
    const expected = isPublic ? [text] : [];
    const code = isPublic ? "connect" : "guard";
    for (const host of [text, NAME]) {
      assert.equal(await connectTo(guardOf(answering(text)), host), code, `${text} as ${host}`);
      assert.deepEqual(dialled.splice(0), expected, `${text} as ${host}`);
    }
  }
  t.diagnostic(`at delivery: ${tableOfAddresses.length * 2} cases`);
});

test("answers that mix: one forbidden address, wherever it stands, forbids them all", async (t) => {
  const dialled = keepDialled(t);
  const publicOnes = tableOfAddresses.filter(({ isPublic }) => isPublic).map(({ text }) => text);
  const forbidden = tableOfAddresses.filter(({ isPublic }) => !isPublic).map(({ text }) => text);
  const some = fc.array(fc.constantFrom(...publicOnes), { minLength: 1, maxLength: 30 });
  let cases = 0;
  const property = fc.asyncProperty(some, fc.constantFrom(...forbidden), fc.nat(), async (mixed, one, at) => {
    const withOne = mixed.toSpliced(at % (mixed.length + 1), 0, one);
    const bad = guardOf(answering(...withOne));
    assert.equal((await bad.checkAtAcceptance(new URL(`https://${NAME}/`))).kind, "refused");
    assert.equal(await connectTo(bad, NAME), "guard");
    assert.deepEqual(dialled.splice(0), []);
    const good = guardOf(answering(...mixed));
    assert.equal((await good.checkAtAcceptance(new URL(`https://${NAME}/`))).kind, "allowed");
    assert.equal(await connectTo(good, NAME), "connect");
    const tried = dialled.splice(0);
    assert.ok(tried.length > 0 && tried.length <= 8);
    for (const address of tried) assert.ok(mixed.includes(address), address);
    cases += 1;
  });
  await fc.assert(property, { numRuns: 200 });
  t.diagnostic(`mixed answers: ${cases * 2} cases`);
});

test("answers that are no addresses forbid the connection too", async (t) => {
  const dialled = keepDialled(t);
  const texts = [
    "",
    "nonsense",
    "127.1",
    "0x7f000001",
    "2130706433",
    "8.8.8.8:53",
    "[2a00::1]",
    "2a00::1%eth0",
    NAME,
  ];
  for (const text of texts) {
    assert.equal(await connectTo(guardOf(answering(text)), NAME), "guard", text);
    assert.equal(await connectTo(guardOf(answering("8.8.8.8", text)), NAME), "guard", text);
    assert.equal(await connectTo(guardOf(answering(text), ["0.0.0.0/0", "::/0"]), NAME), "guard", text);
  }
  assert.equal(await connectTo(guardOf(answering()), NAME), "guard");
  assert.deepEqual(dialled, []);
  t.diagnostic(`answers that are no addresses: ${texts.length * 3 + 1} cases`);
});

test("allowed ranges allow themselves: IPv6 ones no IPv4, and mapped ones what they carry", async (t) => {
  const dialled = keepDialled(t);
  const cases: [range: string, address: string, allowed: boolean][] = [
    ["10.0.0.0/8", "10.0.0.0", true],
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "9.255.255.255", true],
    ["10.0.0.0/8", "127.0.0.1", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "::a01:203", false],
    ["10.0.0.0/8", "64:ff9b::10.1.2.3", false],
    ["10.0.0.0/8", "2002:a01:203::1", false],
    ["::/0", "10.1.2.3", false],
    ["::/0", "::ffff:10.1.2.3", false],
    ["::/0", "fd00::1", true],
    ["0.0.0.0/0", "10.1.2.3", true],
    ["0.0.0.0/0", "fd00::1", false],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "127.0.0.1", false],
    ["::ffff:0:0/95", "10.1.2.3", false],
    ["64:ff9b::/96", "64:ff9b::a00:1", true],
    ["64:ff9b::/96", "10.0.0.1", false],
    ["::1/128", "::1", true],
    ["::1/128", "127.0.0.1", false],
    ["127.0.0.0/8", "::1", false],
  ];
  for (const [range, address, allowed] of cases) {
    const expected = allowed ? "connect" : "guard";
    assert.equal(
      await connectTo(guardOf(answering(address), [range]), NAME),
      expected,
      `${address} in ${range}`,
    );
    assert.equal(dialled.splice(0).length, allowed ? 1 : 0);
  }
  t.diagnostic(`allowed ranges: ${cases.length} cases`);
});

test("a connection that ends up elsewhere is cut before a byte has left, also of the TLS handshake", async (t) => {
  const received: Buffer[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {}).on("data", (bytes: Buffer) => received.push(bytes));
  });
  const port = await listen(t, server);
  // Connecting to 0.0.0.0 ends up at 127.0.0.1, which nobody has approved.
  const guard = guardOf(answering("0.0.0.0"), ["0.0.0.0/32"]);
  let cases = 0;
  for (const protocol of ["http:", "https:"]) {
    for (const hostname of [NAME, "0.0.0.0"]) {
      const closed = once(server, "connection").then(([socket]: Socket[]) => once(socket!, "close"));
      assert.equal(await connectTo(guard, hostname, { port, protocol }), "guard");
      await closed;
      cases += 1;
    }
  }
  assert.equal(connections, cases);
  assert.equal(Buffer.concat(received).length, 0);
  t.diagnostic(`ended up elsewhere: ${cases} cases`);
});

test("to a peer that is approved, the connection stands, and TLS begins by itself", async (t) => {
  const guard = guardOf(answering("127.0.0.1"), ["127.0.0.1"]);
  const plain = await listen(t, createServer());
  assert.equal(await connectTo(guard, NAME, { port: plain }), "connected");
  const secure = await listen(t, createTlsServer({ key: testKey, cert: testCertificate }));
  assert.equal(await connectTo(guard, NAME, { port: secure, protocol: "https:" }), "connected");
});

test("a connection that is gone before anyone looked at its peer is none, not a forbidden one", async (t) => {
  const port = await listen(t, createServer());
  const meddle = (socket: Socket) => void socket.prependListener("connect", () => socket.destroy());
  const guard = guardOf(answering("127.0.0.1"), ["127.0.0.1"]);
  assert.equal(await connectTo(guard, NAME, { port, meddle }), "connect");
});
