import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import type { CallbackPolicy } from "../../src/outbound/callback-url.ts";
import {
  type Connector,
  ConnectionError,
  createConnector,
  GuardError,
} from "../../src/outbound/connector.ts";
import type { Resolve } from "../../src/outbound/resolver.ts";

const policy: CallbackPolicy = {
  requireHttps: true,
  allowedHosts: [],
  allowedPorts: "any",
  allowedCidrs: [],
  refuseUnknownNames: true,
};

const answering =
  (...addresses: string[]): Resolve =>
  () =>
    Promise.resolve({ kind: "addresses", addresses });

const never: Resolve = () => assert.fail("a literal is not resolved");

function guardOf(resolve: Resolve, changed: Partial<CallbackPolicy> = {}) {
  return createAddressGuard({ policy: { ...policy, ...changed }, resolve });
}

async function listen(t: TestContext): Promise<{ server: Server; port: string; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {}).resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { server, port: String((server.address() as AddressInfo).port), connections: () => connections };
}

function connect(connector: Connector, hostname: string, port: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connector({ hostname, port, protocol: "http:" }, (error, socket) =>
      error === null ? resolve(socket) : reject(error),
    );
  });
}

test("at acceptance: every address must be public or allowed", async () => {
  const url = new URL("https://partner.example/");
  const check = (resolve: Resolve, changed: Partial<CallbackPolicy> = {}) =>
    guardOf(resolve, changed).checkAtAcceptance(url);
  const refused = { kind: "refused", reason: "the host resolves to an address that is not public" };
  assert.deepEqual(await check(answering("8.8.8.8", "2a00::1")), { kind: "allowed" });
  assert.deepEqual(await check(answering("8.8.8.8", "10.0.0.1")), refused);
  assert.deepEqual(await check(answering("8.8.8.8", "::ffff:10.0.0.1")), refused);
  assert.deepEqual(await check(answering("8.8.8.8", "::ffff:8.8.4.4")), refused);
  assert.deepEqual(await check(answering()), refused);
  assert.deepEqual(await check(answering("nonsense")), refused);
  assert.deepEqual(await check(answering("8.8.8.8", "10.0.0.1"), { allowedCidrs: ["10.0.0.0/8"] }), {
    kind: "allowed",
  });
});

test("at acceptance: a failing resolver defers, an unknown name is refused where the policy says so", async () => {
  const url = new URL("https://partner.example/");
  const unknown: Resolve = () => Promise.resolve({ kind: "unknown-name" });
  const failing: Resolve = () => Promise.resolve({ kind: "failed", code: "ESERVFAIL" });
  assert.deepEqual(await guardOf(failing).checkAtAcceptance(url), {
    kind: "deferred",
    reason: "the host could not be resolved (ESERVFAIL)",
  });
  const reason = "the host name does not exist";
  assert.deepEqual(await guardOf(unknown).checkAtAcceptance(url), { kind: "refused", reason });
  const lenient = guardOf(unknown, { refuseUnknownNames: false });
  assert.deepEqual(await lenient.checkAtAcceptance(url), { kind: "deferred", reason });
});

test("at acceptance: the resolver is given two seconds", async () => {
  const deadlines: number[] = [];
  const guard = guardOf((_name, deadlineMs) => {
    deadlines.push(deadlineMs);
    return Promise.resolve({ kind: "failed", code: "EDEADLINE" });
  });
  assert.equal((await guard.checkAtAcceptance(new URL("https://partner.example/"))).kind, "deferred");
  assert.deepEqual(deadlines, [2000]);
});

test("at acceptance: literals are judged without a resolver", async () => {
  const guard = guardOf(never, { allowedCidrs: ["10.0.0.0/8", "fd00::/8"] });
  const kindOf = async (url: string) => (await guard.checkAtAcceptance(new URL(url))).kind;
  assert.equal(await kindOf("https://8.8.8.8/"), "allowed");
  assert.equal(await kindOf("https://[2a00::1]/"), "allowed");
  assert.equal(await kindOf("https://10.0.0.1/"), "allowed");
  assert.equal(await kindOf("https://[fd00::1]/"), "allowed");
  assert.equal(await kindOf("https://127.0.0.1/"), "refused");
  assert.equal(await kindOf("https://[::1]/"), "refused");
  assert.equal(await kindOf("https://[::ffff:127.0.0.1]/"), "refused");
});

test("at acceptance: of a localhost name's two addresses the allowed ones count", async () => {
  const url = new URL("http://localhost/");
  const loopback = answering("127.0.0.1", "::1");
  assert.equal((await guardOf(loopback).checkAtAcceptance(url)).kind, "refused");
  assert.equal(
    (await guardOf(loopback, { allowedCidrs: ["127.0.0.0/8"] }).checkAtAcceptance(url)).kind,
    "allowed",
  );
});

test("a connection goes to an approved address", async (t) => {
  const { port } = await listen(t);
  const guard = guardOf(answering("127.0.0.1"), { allowedCidrs: ["127.0.0.0/8"] });
  const socket = await connect(guard.connector({ timeoutMs: 5000 }), "partner.example", port);
  assert.equal(socket.remoteAddress, "127.0.0.1");
  socket.destroy();
});

test("a connection to localhost goes to the allowed family alone", async (t) => {
  const { port } = await listen(t);
  const guard = guardOf(answering("::1", "127.0.0.1"), { allowedCidrs: ["127.0.0.1"] });
  const socket = await connect(guard.connector({ timeoutMs: 5000 }), "localhost", port);
  assert.equal(socket.remoteAddress, "127.0.0.1");
  socket.destroy();
});

test("one forbidden answer forbids the connection, and nothing is connected to", async (t) => {
  const { port, connections } = await listen(t);
  const guard = guardOf(answering("127.0.0.1", "127.0.0.2"), { allowedCidrs: ["127.0.0.1"] });
  await assert.rejects(connect(guard.connector({ timeoutMs: 5000 }), "partner.example", port), GuardError);
  assert.equal(connections(), 0);
});

test("a name that turns to loopback after it was accepted is not followed", async (t) => {
  const { port, connections } = await listen(t);
  const answers = [["8.8.8.8"], ["127.0.0.1"]];
  const guard = guardOf(() => Promise.resolve({ kind: "addresses", addresses: answers.shift() ?? [] }));
  const accepted = await guard.checkAtAcceptance(new URL("https://rebinding.example/"));
  assert.equal(accepted.kind, "allowed");
  await assert.rejects(connect(guard.connector({ timeoutMs: 5000 }), "rebinding.example", port), {
    code: "guard",
  });
  assert.equal(connections(), 0);
});

test("literals are checked before connecting", async (t) => {
  const { port, connections } = await listen(t);
  const guard = guardOf(never);
  for (const literal of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    await assert.rejects(
      connect(guard.connector({ timeoutMs: 5000 }), literal, port),
      { code: "guard" },
      literal,
    );
  }
  assert.equal(connections(), 0);
  const open = guardOf(never, { allowedCidrs: ["127.0.0.0/8"] });
  (await connect(open.connector({ timeoutMs: 5000 }), "127.0.0.1", port)).destroy();
});

test("a name that can't be resolved is a matter of DNS", async () => {
  const unknown = guardOf(() => Promise.resolve({ kind: "unknown-name" })).connector({ timeoutMs: 5000 });
  await assert.rejects(connect(unknown, "partner.example", "443"), {
    code: "dns",
    message: "the host name does not exist",
  });
  const failing = guardOf(() => Promise.resolve({ kind: "failed", code: "ESERVFAIL" })).connector({
    timeoutMs: 5000,
  });
  await assert.rejects(connect(failing, "partner.example", "443"), { code: "dns" });
});

test("the peer is checked once more when the connection stands", async (t) => {
  const { port } = await listen(t);
  const seen: string[] = [];
  const connector = createConnector(
    { timeoutMs: 5000 },
    {
      afterConnect(address) {
        seen.push(address);
        return new GuardError("not this one");
      },
    },
  );
  await assert.rejects(connect(connector, "127.0.0.1", port), new GuardError("not this one"));
  assert.deepEqual(seen, ["127.0.0.1"]);
});

test("a lookup that hangs ends at the connector's limit", async () => {
  const guard = guardOf(() => new Promise(() => {}));
  await assert.rejects(connect(guard.connector({ timeoutMs: 20 }), "partner.example", "443"), (error) => {
    assert.ok(error instanceof ConnectionError);
    return error.code === "timeout";
  });
});

test("an allowed range that is none stops the guard from being made", () => {
  assert.throws(() => guardOf(never, { allowedCidrs: ["10.0.0.0/99"] }), /not a CIDR/);
});
