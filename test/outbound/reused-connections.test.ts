import assert from "node:assert/strict";
import { once } from "node:events";
import { type Server, type Socket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import { type Answer, type HttpClient, createHttpClient } from "../../src/outbound/http-client.ts";
import { testCertificate, testKey } from "../support/tls.ts";

/** What stands for a public address here, and what for a private one: nothing listens there, nor is it asked. */
const PUBLIC = "127.0.0.1";
const PRIVATE = "127.0.0.2";

interface Peer {
  /** `Host` of every request, in order. */
  readonly hosts: string[];
  connections: number;
}

interface Scene {
  readonly port: number;
  readonly peer: Peer;
  /** Addresses by name; a name that is not here does not exist. */
  readonly names: Map<string, readonly string[]>;
  readonly client: HttpClient;
  /** Names that were looked up, in order. */
  readonly lookups: string[];
}

const keepAlive = (socket: Socket) => void socket.write("HTTP/1.1 204 No Content\r\n\r\n");
const closing = (socket: Socket) => void socket.end("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, PUBLIC);
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function peerOn(
  server: Server,
  event: "connection" | "secureConnection",
  answer: (socket: Socket) => void,
): Peer {
  const peer: Peer = { hosts: [], connections: 0 };
  server.on("connection", () => (peer.connections += 1));
  server.on(event, (socket: Socket) => {
    socket
      .on("error", () => {})
      .on("data", (bytes: Buffer) => {
        peer.hosts.push(/^host: ([^:\r]*)/im.exec(bytes.toString("latin1"))?.[1] ?? "");
        answer(socket);
      });
  });
  return peer;
}

interface SceneOptions {
  readonly answer?: (socket: Socket) => void;
  readonly connections?: number;
  readonly secure?: boolean;
}

async function setUp(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const { answer = keepAlive, connections = 4, secure = false } = options;
  const server = secure ? createTlsServer({ key: testKey, cert: testCertificate }) : createServer();
  const peer = peerOn(server, secure ? "secureConnection" : "connection", answer);
  const port = await listen(t, server);
  const names = new Map<string, readonly string[]>();
  const lookups: string[] = [];
  const guard = createAddressGuard({
    policy: {
      requireHttps: false,
      allowedHosts: [],
      allowedPorts: "any",
      allowedCidrs: [PUBLIC],
      refuseUnknownNames: true,
    },
    async resolve(name) {
      lookups.push(name);
      const addresses = names.get(name);
      return addresses === undefined ? { kind: "unknown-name" } : { kind: "addresses", addresses };
    },
  });
  const connector = guard.connector({ timeoutMs: 5000, ...(secure ? { ca: testCertificate } : {}) });
  const client = createHttpClient({ connector, connections });
  t.after(() => client.destroy());
  return { port, peer, names, client, lookups };
}

function post({ client, port }: Scene, host: string, scheme = "http"): Promise<Answer> {
  return client.post({
    url: new URL(`${scheme}://${host}:${port}/`),
    headers: {},
    body: "{}",
    deadlineMs: 5000,
    maxBodyBytes: 1024,
    wholeBody: true,
  });
}

const codeOrError = ({ code, error }: Answer) => code ?? error;

async function untilClosed(client: HttpClient): Promise<void> {
  while (client.openSockets() > 0) await nextTurn();
}

test("a name that turned private is not followed there: the kept connection still leads to the approved peer", async (t) => {
  const scene = await setUp(t);
  scene.names.set("a.example", [PUBLIC]);
  assert.equal(codeOrError(await post(scene, "a.example")), 204);
  scene.names.set("a.example", [PRIVATE]);
  assert.equal(codeOrError(await post(scene, "a.example")), 204);
  assert.deepEqual(scene.peer, { hosts: ["a.example", "a.example"], connections: 1 });
  assert.deepEqual(scene.lookups, ["a.example"]);
});

test("once the kept connection is gone, the name is looked up anew and refused", async (t) => {
  const sockets: Socket[] = [];
  const scene = await setUp(t, {
    answer: (socket) => {
      sockets.push(socket);
      keepAlive(socket);
    },
  });
  scene.names.set("a.example", [PUBLIC]);
  assert.equal(codeOrError(await post(scene, "a.example")), 204);
  for (const turned of [[PRIVATE], [PUBLIC, PRIVATE], [PRIVATE, PUBLIC]]) {
    scene.names.set("a.example", turned);
    for (const socket of sockets.splice(0)) socket.destroy();
    await untilClosed(scene.client);
    const answer = await post(scene, "a.example");
    assert.deepEqual({ error: answer.error, sent: answer.sent }, { error: "guard", sent: false });
  }
  assert.equal(scene.peer.connections, 1);
});

test("requests in line for a connection that ends meet the guard again, each for itself", async (t) => {
  let left = 2;
  const scene = await setUp(t, {
    connections: 1,
    answer: (socket) => {
      left -= 1;
      if (left === 0) scene.names.set("a.example", [PRIVATE]);
      closing(socket);
    },
  });
  scene.names.set("a.example", [PUBLIC]);
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(scene, "a.example")));
  assert.deepEqual(answers.map(codeOrError), [204, 204, "guard", "guard", "guard"]);
  assert.equal(scene.peer.connections, 2);
});

test("a kept connection serves its own host alone, though another's address and port are the same", async (t) => {
  const scene = await setUp(t);
  scene.names.set("a.example", [PUBLIC]).set("b.example", [PRIVATE]).set("c.example", [PUBLIC]);
  assert.equal(codeOrError(await post(scene, "a.example")), 204);
  const others = ["b.example", PRIVATE, "[::1]", "missing.example"];
  const answers = [];
  for (const host of others) answers.push(codeOrError(await post(scene, host)));
  assert.deepEqual(answers, ["guard", "guard", "guard", "dns"]);
  assert.equal(codeOrError(await post(scene, "c.example")), 204);
  assert.equal(codeOrError(await post(scene, PUBLIC)), 204);
  assert.deepEqual(scene.peer, { hosts: ["a.example", "c.example", PUBLIC], connections: 3 });
});

test("TLS: a certificate that covers both names does not make one connection serve both", async (t) => {
  const scene = await setUp(t, { secure: true });
  scene.names.set("partner.example", [PUBLIC]).set("a.partner.example", [PRIVATE]);
  assert.equal(codeOrError(await post(scene, "partner.example", "https")), 204);
  assert.equal(codeOrError(await post(scene, "a.partner.example", "https")), "guard");
  scene.names.set("a.partner.example", [PUBLIC]);
  assert.equal(codeOrError(await post(scene, "a.partner.example", "https")), 204);
  assert.deepEqual(scene.peer, { hosts: ["partner.example", "a.partner.example"], connections: 2 });
});

test("http and https of one host and port share nothing", async (t) => {
  const scene = await setUp(t);
  scene.names.set("a.example", [PUBLIC]);
  assert.equal(codeOrError(await post(scene, "a.example")), 204);
  scene.names.set("a.example", [PRIVATE]);
  assert.equal(codeOrError(await post(scene, "a.example", "https")), "guard");
  assert.equal(scene.peer.connections, 1);
});
