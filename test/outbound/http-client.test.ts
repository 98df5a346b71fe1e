import assert from "node:assert/strict";
import { once } from "node:events";
import { type RequestListener, createServer as createHttpServer } from "node:http";
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import { type Connector, plainConnector } from "../../src/outbound/connector.ts";
import {
  type Answer,
  type HttpClient,
  type HttpRequest,
  createHttpClient,
} from "../../src/outbound/http-client.ts";
import type { Resolve } from "../../src/outbound/resolver.ts";
import { testCertificate, testKey } from "../support/tls.ts";

const DEADLINE_MS = 10_000;
const plain = plainConnector({ timeoutMs: DEADLINE_MS });

function client(t: TestContext, connector: Connector = plain, connections = 4): HttpClient {
  const made = createHttpClient({ connector, connections });
  t.after(() => made.destroy());
  return made;
}

function post(made: HttpClient, url: string | URL, changed: Partial<HttpRequest> = {}): Promise<Answer> {
  return made.post({
    url: new URL(url),
    headers: { "content-type": "application/json" },
    body: "{}",
    deadlineMs: DEADLINE_MS,
    maxBodyBytes: 1024,
    wholeBody: true,
    ...changed,
  });
}

async function listen(t: TestContext, server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const http = (t: TestContext, listener: RequestListener) => listen(t, createHttpServer(listener));

/** A server that does as it is told with the socket, once the whole request has come. */
function raw(t: TestContext, act: (socket: Socket) => void): Promise<string> {
  return listen(
    t,
    createServer((socket) => {
      socket.on("data", (data) => data.toString("latin1").endsWith("{}") && act(socket));
    }),
  );
}

/** A server whose answers to a request are these bytes, and then the end of the connection. */
const saying = (t: TestContext, text: string) => raw(t, (socket) => socket.end(text));

/** A server that answers at once, and how many connections have come to it. */
async function counting(t: TestContext): Promise<{ url: string; connections: () => number }> {
  const ports = new Set<number | undefined>();
  const url = await http(t, (request, response) => {
    ports.add(request.socket.remotePort);
    request.resume().on("end", () => response.end());
  });
  return { url, connections: () => ports.size };
}

function summary({ code, error, sent, body }: Answer) {
  return { code, error, sent, body: body.toString("latin1") };
}

/** Those that it had. */
function phases({ timings }: Answer): string[] {
  return Object.entries(timings)
    .filter(([, ms]) => typeof ms === "number" && ms >= 0)
    .map(([name]) => name.replace(/Ms$/, ""));
}

async function noSocketsLeft(made: HttpClient): Promise<void> {
  while (made.openSockets() > 0) await nextTurn();
}

test("a whole answer", async (t) => {
  let seen: unknown;
  const url = await http(t, (request, response) => {
    const chunks: Buffer[] = [];
    request
      .on("data", (chunk: Buffer) => chunks.push(chunk))
      .on("end", () => {
        const { method, url, httpVersion, headers } = request;
        seen = { method, url, httpVersion, headers, body: Buffer.concat(chunks).toString() };
        response.writeHead(201, { "retry-after": "7" }).end("done");
      });
  });
  const answer = await post(client(t), new URL("/a/b?c=d", url), {
    headers: { "x-trace-id": "t1", "accept-encoding": "gzip" },
    body: '{"a":"é"}',
  });
  assert.deepEqual(
    { ...answer, durationMs: typeof answer.durationMs, timings: phases(answer) },
    {
      code: 201,
      error: null,
      sent: true,
      detail: "",
      body: Buffer.from("done"),
      retryAfter: "7",
      durationMs: "number",
      timings: ["connect", "firstByte"],
    },
  );
  assert.deepEqual(seen, {
    method: "POST",
    url: "/a/b?c=d",
    httpVersion: "1.1",
    headers: {
      host: new URL(url).host,
      connection: "keep-alive",
      "x-trace-id": "t1",
      "accept-encoding": "identity",
      "content-length": "10",
    },
    body: '{"a":"é"}',
  });
});

test("connections are kept and used again", async (t) => {
  const { url, connections } = await counting(t);
  const made = client(t);
  for (let round = 0; round < 5; round += 1) assert.equal((await post(made, url)).code, 200);
  assert.equal(connections(), 1);
  assert.equal(made.openSockets(), 1);
});

test("requests in line get the connection one after the other", async (t) => {
  const { url, connections } = await counting(t);
  const made = client(t, plain, 1);
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(made, url)));
  assert.ok(answers.every(({ code, error }) => code === 200 && error === null));
  assert.equal(connections(), 1);
});

test("requests in line get a new connection when the one before them fails", async (t) => {
  let requests = 0;
  const url = await raw(t, (socket) => {
    requests += 1;
    if (requests % 2 === 1) socket.resetAndDestroy();
    else socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  const made = client(t, plain, 1);
  const answers = await Promise.all(Array.from({ length: 6 }, () => post(made, url)));
  const errors = answers.map(({ error }) => error);
  assert.deepEqual(errors, ["reset", null, "reset", null, "reset", null]);
  await noSocketsLeft(made);
});

test("no more connections idle than the limit says", async (t) => {
  const { url, connections } = await counting(t);
  const made = createHttpClient({ connector: plain, connections: 4, maxIdle: 0 });
  t.after(() => made.destroy());
  for (let round = 0; round < 3; round += 1) assert.equal((await post(made, url)).error, null);
  assert.equal(connections(), 3);
});

test("a server that closes its idle connection leaves nothing behind", async (t) => {
  const closing = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", () => socket.end());
  });
  const made = createHttpClient({ connector: plain, connections: 4, maxIdle: 1 });
  t.after(() => made.destroy());
  assert.equal((await post(made, closing)).error, null);
  await noSocketsLeft(made);
  // The one idle place is free again: the next origin's connection stays.
  const { url, connections } = await counting(t);
  for (let round = 0; round < 3; round += 1) assert.equal((await post(made, url)).error, null);
  assert.equal(connections(), 1);
});

test("a redirect is an answer like any other", async (t) => {
  const url = await saying(
    t,
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
  );
  assert.deepEqual(summary(await post(client(t), url)), { code: 302, error: null, sent: true, body: "" });
});

test("interim answers are skipped", async (t) => {
  const interim = "HTTP/1.1 103 Early Hints\r\nretry-after: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n";
  const url = await saying(t, `${interim}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok`);
  const answer = await post(client(t), url);
  assert.deepEqual(summary(answer), { code: 200, error: null, sent: true, body: "ok" });
  assert.equal(answer.retryAfter, null);
  const only = await raw(t, (socket) => void socket.write(interim));
  assert.deepEqual(summary(await post(client(t), only, { deadlineMs: 100 })), {
    code: null,
    error: "timeout",
    sent: true,
    body: "",
  });
});

test("headers may have up to 32 KiB", async (t) => {
  const headers = Array.from({ length: 30 }, (_, index) => `h${index}: ${"x".repeat(1000)}\r\n`).join("");
  const url = await saying(t, `HTTP/1.1 200 OK\r\n${headers}content-length: 0\r\n\r\n`);
  assert.equal((await post(client(t), url)).error, null);
});

test("answers that end with the connection, and chunked ones, are whole", async (t) => {
  const ending = await saying(t, "HTTP/1.0 200 OK\r\n\r\nall of it");
  assert.deepEqual(summary(await post(client(t), ending)), {
    code: 200,
    error: null,
    sent: true,
    body: "all of it",
  });
  const chunked = await saying(
    t,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
  );
  assert.deepEqual(summary(await post(client(t), chunked)), {
    code: 200,
    error: null,
    sent: true,
    body: "abc",
  });
});

test("connections that end too soon are resets, with what was read", async (t) => {
  const cases: [string, number | null, string][] = [
    ["", null, ""],
    ["HTTP/1.1 20", null, ""],
    ["HTTP/1.1 200 OK\r\ncontent-le", null, ""],
    ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", 200, "half"],
    ["HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nhalf", 200, "half"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", 200, "half"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\nhalf\r\n", 200, "half"],
  ];
  const made = client(t);
  for (const [text, code, body] of cases) {
    const answer = await post(made, await saying(t, text));
    assert.deepEqual(summary(answer), { code, error: "reset", sent: true, body }, JSON.stringify(text));
    assert.notEqual(answer.detail, "");
  }
  const reset = await raw(t, (socket) => socket.resetAndDestroy());
  assert.deepEqual(summary(await post(made, reset)), { code: null, error: "reset", sent: true, body: "" });
  const half = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", () =>
      setTimeout(() => socket.resetAndDestroy(), 20),
    );
  });
  assert.deepEqual(summary(await post(made, half)), { code: 200, error: "reset", sent: true, body: "half" });
  await noSocketsLeft(made);
});

test("what is no HTTP is a protocol error", async (t) => {
  const headers = Array.from({ length: 40 }, (_, index) => `h${index}: ${"x".repeat(1000)}\r\n`).join("");
  const texts = [
    "SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/3.7 200 OK\r\n\r\n",
    "HTTP/1.1 2000 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    `HTTP/1.1 200 OK\r\n${headers}\r\n`,
  ];
  const made = client(t);
  for (const text of texts) {
    const answer = await post(made, await saying(t, text));
    assert.deepEqual(
      summary(answer),
      { code: null, error: "protocol", sent: true, body: "" },
      text.slice(0, 60),
    );
  }
  const chunked = await saying(t, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n");
  assert.deepEqual(summary(await post(made, chunked)), {
    code: 200,
    error: "protocol",
    sent: true,
    body: "",
  });
  await noSocketsLeft(made);
});

test("more than one answer to a request harms nobody", async (t) => {
  const one = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
  const url = await raw(t, (socket) => void socket.write(`${one}ok${one}no`));
  const made = client(t);
  for (let round = 0; round < 3; round += 1) {
    assert.deepEqual(summary(await post(made, url)), { code: 200, error: null, sent: true, body: "ok" });
  }
});

test("an answer over the limit is cut there, and its connection ends", async (t) => {
  const made = client(t);
  const exact = await http(t, (_request, response) => void response.end("x".repeat(1024)));
  for (const wholeBody of [true, false]) {
    const answer = await post(made, exact, { wholeBody });
    assert.deepEqual(summary(answer), { code: 200, error: null, sent: true, body: "x".repeat(1024) });
  }
  const over = await http(t, (_request, response) => void response.end("x".repeat(1025)));
  const endless = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n");
    const more = () => {
      while (socket.writable && socket.write("x".repeat(10_000)));
    };
    socket.on("drain", more);
    more();
  });
  for (const url of [over, endless]) {
    for (const wholeBody of [true, false]) {
      const answer = await post(made, url, { wholeBody });
      assert.deepEqual(summary(answer), {
        code: 200,
        error: "too_large",
        sent: true,
        body: "x".repeat(1024),
      });
    }
  }
});

test("where the status is the outcome, a full buffer ends the reading", async (t) => {
  const url = await raw(t, (socket) => void socket.write(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(1024)}`));
  const made = client(t);
  const answer = await post(made, url, { wholeBody: false });
  assert.deepEqual(summary(answer), { code: 200, error: "too_large", sent: true, body: "x".repeat(1024) });
  const waiting = await post(made, url, { wholeBody: true, deadlineMs: 100 });
  assert.deepEqual(summary(waiting), { code: 200, error: "timeout", sent: true, body: "x".repeat(1024) });
  await noSocketsLeft(made);
});

test("one deadline, whatever it is that hangs", async (t) => {
  const made = client(t);
  const late = { deadlineMs: 100 };
  const silent = await raw(t, () => {});
  assert.deepEqual(summary(await post(made, silent, late)), {
    code: null,
    error: "timeout",
    sent: true,
    body: "",
  });
  const half = await raw(
    t,
    (socket) => void socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"),
  );
  assert.deepEqual(summary(await post(made, half, late)), {
    code: 200,
    error: "timeout",
    sent: true,
    body: "half",
  });
  const dripping = await raw(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const timer = setInterval(() => socket.write("x"), 5);
    socket.once("close", () => clearInterval(timer));
  });
  const answer = await post(made, dripping, late);
  assert.deepEqual({ code: answer.code, error: answer.error }, { code: 200, error: "timeout" });
  await noSocketsLeft(made);
});

test("a connection that never comes ends at the deadline, unsent", async (t) => {
  const hangs: Resolve = () => new Promise(() => {});
  const policy = {
    requireHttps: false,
    allowedHosts: [],
    allowedPorts: "any",
    allowedCidrs: [],
    refuseUnknownNames: true,
  } as const;
  const guard = createAddressGuard({ policy, resolve: hangs });
  const made = client(t, guard.connector({ timeoutMs: 200 }));
  const answer = await post(made, "http://partner.example/", { deadlineMs: 100 });
  assert.deepEqual(summary(answer), { code: null, error: "timeout", sent: false, body: "" });
  assert.deepEqual(phases(answer), ["dns"]);
  await noSocketsLeft(made);
});

test("a TLS handshake that never ends is a timeout, unsent", async (t) => {
  const url = await listen(
    t,
    createServer((socket) => void socket.resume()),
  );
  const made = client(t, plainConnector({ timeoutMs: 200 }));
  const secure = url.replace("http:", "https:");
  const expected = { code: null, error: "timeout", sent: false, body: "" };
  const first = await post(made, secure, { deadlineMs: 100 });
  assert.deepEqual(summary(first), expected);
  assert.deepEqual(phases(first), ["connect", "tls"]);
  assert.deepEqual(summary(await post(made, secure, { deadlineMs: DEADLINE_MS })), expected);
  await noSocketsLeft(made);
});

test("waiting for a connection counts too; the request that waited in vain is never sent", async (t) => {
  let requests = 0;
  const url = await http(t, (request, response) => {
    requests += 1;
    setTimeout(() => request.resume().on("end", () => response.end()), 150);
  });
  const made = client(t, plain, 1);
  const [first, second] = await Promise.all([post(made, url), post(made, url, { deadlineMs: 50 })]);
  assert.equal(first.error, null);
  assert.deepEqual(summary(second), { code: null, error: "timeout", sent: false, body: "" });
  assert.equal((await post(made, url)).error, null);
  assert.equal(requests, 2);
});

test("a refused connection was not sent", async (t) => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const answer = await post(client(t), `http://127.0.0.1:${port}/`);
  assert.deepEqual(summary(answer), { code: null, error: "connect", sent: false, body: "" });
  assert.match(answer.detail, /ECONNREFUSED/);
});

test("a guarded client refuses, and fails to resolve, unsent", async (t) => {
  const url = await http(t, () => assert.fail("nothing is sent"));
  const { port } = new URL(url);
  const policy = {
    requireHttps: false,
    allowedHosts: [],
    allowedPorts: "any",
    allowedCidrs: [],
    refuseUnknownNames: true,
  } as const;
  const resolve: Resolve = (name) =>
    Promise.resolve(
      name === "inner.example" ? { kind: "addresses", addresses: ["127.0.0.1"] } : { kind: "unknown-name" },
    );
  const made = client(t, createAddressGuard({ policy, resolve }).connector({ timeoutMs: DEADLINE_MS }));
  const guarded = { code: null, error: "guard", sent: false, body: "" };
  assert.deepEqual(summary(await post(made, url)), guarded);
  assert.deepEqual(summary(await post(made, `http://[::1]:${port}/`)), guarded);
  assert.deepEqual(summary(await post(made, `http://inner.example:${port}/`)), guarded);
  const unknown = await post(made, `http://missing.example:${port}/`);
  assert.deepEqual(summary(unknown), { code: null, error: "dns", sent: false, body: "" });
  await noSocketsLeft(made);
});

test("TLS: SNI and the certificate are those of the URL's host, over an approved address", async (t) => {
  const names: unknown[] = [];
  const server = createTlsServer({ key: testKey, cert: testCertificate }, (socket) => {
    names.push(socket.servername);
    socket.on("error", () => {}).once("data", () => socket.end("HTTP/1.1 204 No Content\r\n\r\n"));
  });
  server.on("tlsClientError", () => {});
  const { port } = new URL(await listen(t, server));
  const policy = {
    requireHttps: true,
    allowedHosts: [],
    allowedPorts: "any",
    allowedCidrs: ["127.0.0.0/8"],
    refuseUnknownNames: true,
  } as const;
  const resolve: Resolve = () => Promise.resolve({ kind: "addresses", addresses: ["127.0.0.1"] });
  const guard = createAddressGuard({ policy, resolve });
  const trusting = client(t, guard.connector({ timeoutMs: DEADLINE_MS, ca: testCertificate }));
  for (const host of ["partner.example", "a.partner.example", "127.0.0.1"]) {
    assert.equal((await post(trusting, `https://${host}:${port}/`)).code, 204, host);
  }
  assert.deepEqual(names, ["partner.example", "a.partner.example", false]);
  const refused = { code: null, error: "tls", sent: false, body: "" };
  assert.deepEqual(summary(await post(trusting, `https://other.example:${port}/`)), refused);
  const strict = client(t, guard.connector({ timeoutMs: DEADLINE_MS }));
  assert.deepEqual(summary(await post(strict, `https://partner.example:${port}/`)), refused);
});

test("TLS towards something else is a TLS failure", async (t) => {
  const made = client(t);
  const talking = await listen(
    t,
    createServer((socket) => void socket.once("data", () => socket.end("HTTP/1.1 400\r\n\r\n"))),
  );
  const closing = await listen(
    t,
    createServer((socket) => void socket.once("data", () => socket.end())),
  );
  for (const url of [talking, closing]) {
    const answer = await post(made, url.replace("http:", "https:"));
    assert.deepEqual(summary(answer), { code: null, error: "tls", sent: false, body: "" });
  }
  await noSocketsLeft(made);
});

test("a header that can't be written is not sent", async (t) => {
  const url = await http(t, () => assert.fail("nothing is sent"));
  const answer = await post(client(t), url, { headers: { "x-broken": "a\nb" } });
  assert.deepEqual(summary(answer), { code: null, error: "protocol", sent: false, body: "" });
});

test("close waits for the requests under way; afterwards nothing is sent", async (t) => {
  const url = await http(t, (request, response) => {
    request.resume().on("end", () => setTimeout(() => response.end("ok"), 50));
  });
  const made = client(t);
  const running = post(made, url);
  await made.close();
  await made.close();
  assert.equal((await running).error, null);
  assert.deepEqual(summary(await post(made, url)), { code: null, error: "connect", sent: false, body: "" });
  await noSocketsLeft(made);
});

test("destroy ends the requests under way, those still connecting too", async (t) => {
  const silent = await raw(t, () => {});
  const handshake = (
    await listen(
      t,
      createServer((socket) => void socket.resume()),
    )
  ).replace("http:", "https:");
  const made = client(t);
  const running = [post(made, silent), post(made, handshake)];
  while (made.openSockets() < 2) await nextTurn();
  await new Promise((resolve) => setTimeout(resolve, 20));
  made.destroy();
  made.destroy();
  const [sent, unsent] = await Promise.all(running);
  assert.deepEqual(summary(sent!), { code: null, error: "reset", sent: true, body: "" });
  assert.deepEqual(summary(unsent!), { code: null, error: "connect", sent: false, body: "" });
  await noSocketsLeft(made);
});

test("proxy variables change nothing", async (t) => {
  const url = await saying(t, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) process.env[name] = "http://127.0.0.1:1/";
  t.after(() => {
    for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) delete process.env[name];
  });
  assert.equal((await post(client(t), url)).code, 200);
});

test("it tells the phases that the request went through, the one it failed in too", async (t) => {
  const resolve: Resolve = async (name) =>
    name === "partner.example"
      ? { kind: "addresses", addresses: ["127.0.0.1"] }
      : { kind: "failed", code: "ESERVFAIL" };
  const policy = {
    requireHttps: true,
    allowedHosts: [],
    allowedPorts: "any" as const,
    allowedCidrs: ["127.0.0.0/8"],
    refuseUnknownNames: true,
  };
  const guard = createAddressGuard({ policy, resolve });
  const made = client(t, guard.connector({ timeoutMs: DEADLINE_MS, ca: testCertificate }), 1);
  const secure = createTlsServer({ key: testKey, cert: testCertificate });
  const answering = createHttpServer((request, response) => {
    if (request.url !== "/silent") request.resume().on("end", () => response.end());
  });
  secure.on("secureConnection", (socket) => answering.emit("connection", socket));
  const { port } = new URL(await listen(t, secure));
  const url = `https://partner.example:${port}/`;
  const [fresh, queued] = await Promise.all([post(made, url), post(made, url)]);
  assert.deepEqual(phases(fresh), ["dns", "connect", "tls", "firstByte"]);
  assert.deepEqual(phases(queued), ["waited", "firstByte"]);
  assert.deepEqual(phases(await post(made, url)), ["firstByte"]);
  const [silent, inVain] = await Promise.all([
    post(made, `${url}silent`, { deadlineMs: 100 }),
    post(made, url, { deadlineMs: 50 }),
  ]);
  assert.deepEqual(phases(silent), [], "nothing came on the kept connection");
  assert.deepEqual(phases(inVain), ["waited"]);
  assert.deepEqual(phases(await post(made, "https://other.example/")), ["dns"]);
  assert.deepEqual(phases(await post(made, "https://127.0.0.1:1/")), ["connect"]);
});
