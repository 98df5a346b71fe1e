import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { orderText } from "../gateway/hostile-clients/bodies.ts";
import { head, HOST, JSON_TYPE, listed, PARTNER, POST } from "../gateway/hostile-clients/siege.ts";
import { SQLITE } from "../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { until } from "../support/gateway-process.ts";
import { freePort } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";
import { aroundHttp, startNginx } from "./nginx.ts";

/** Who may order, who may not, and where the proxies connect from. */
const [LISTED, STRANGER] = ["127.0.0.2", "127.0.0.3"];
const [INNER, OUTER] = ["127.0.0.1", "127.0.0.9"];
const HAS_IPV6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === "::1"),
);
const LIMIT_BYTES = 256 * 1024;

const partner = (id: string, allowlist_cidrs: readonly string[] | null) => ({
  id,
  name: id,
  token: "demotoken",
  rate_limit: { capacity: 1e6, per_sec: 1e6 },
  ...(allowlist_cidrs && { allowlist_cidrs }),
});
const PARTNERS_JSON = JSON.stringify([
  partner("demo", null),
  partner("listed", [`${LISTED}/32`]),
  partner("listed6", ["::1/128"]),
  partner("proxy", [`${INNER}/32`]),
]);
const OPERATORS_JSON = JSON.stringify([{ name: "kim", token: "the-token-of-kim", role: "viewer" }]);

interface Sent {
  readonly as?: string;
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly detail: string;
}

/** Sends an order to a port, from an address of this machine. */
async function order(
  port: number,
  { as = "listed", from = STRANGER, headers = {}, body }: Sent = {},
): Promise<Answer> {
  const outgoing = request({
    host: from.includes(":") ? "::1" : "127.0.0.1",
    port,
    localAddress: from,
    agent: false,
    method: "POST",
    path: "/orders",
    headers: {
      "content-type": "application/json",
      "x-partner-id": as,
      "x-partner-token": "demotoken",
      ...headers,
    },
  });
  const text = body ?? JSON.stringify(orderBody("http://127.0.0.1:1/cb"));
  outgoing.end(text);
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  let answer = "";
  for await (const piece of response.setEncoding("utf8")) answer += piece as string;
  const type = response.headers["content-type"] ?? "";
  const { detail = "" } = type.includes("json") ? (JSON.parse(answer) as { detail?: string }) : {};
  return { status: response.statusCode!, type, detail };
}

const refusal = (address: string) => `source IP not allowlisted: ${address}`;

suite("behind nginx", () => {
  let ticketing: Recorder;
  let gateway: RunningGateway;
  let trustsInnerAlone: RunningGateway;
  const directory = mkdtempSync(join(tmpdir(), "wavegate-nginx-"));
  let nginx: ChildProcess;
  /** Where nginx listens, by what it does with the header. */
  const ports = {
    appends: 0,
    replaces: 0,
    outer: 0,
    outerReplaces: 0,
    unbounded: 0,
    unbuffered: 0,
    below: 0,
    halfTrusted: 0,
  };

  before(async () => {
    ticketing = await startRecorder();
    const env = { ...gatewayEnv(await SQLITE.createUrl(), ticketing.url), PARTNERS_JSON, OPERATORS_JSON };
    gateway = await runGateway({ ...env, TRUSTED_PROXIES: `${INNER}/32,${OUTER}/32` });
    const other = { ...env, DATABASE_URL: await SQLITE.createUrl(), TRUSTED_PROXIES: `${INNER}/32` };
    trustsInnerAlone = await runGateway(other);
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
    nginx = await startNginx(
      directory,
      configuration(directory, ports, gateway, trustsInnerAlone),
      async () => (await fetch(`http://127.0.0.1:${ports.appends}/health`)).ok,
    );
  });
  after(async () => {
    nginx?.kill("SIGKILL");
    await Promise.all([gateway?.stop(), trustsInnerAlone?.stop()]);
    await ticketing.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const directPort = () => Number(new URL(gateway.url!).port);
  const status = async (port: number, sent: Sent) => (await order(port, sent)).status;

  test("the allowlist judges the client and not nginx", async () => {
    for (const port of [ports.appends, ports.replaces, ports.outer, ports.outerReplaces]) {
      assert.equal(await status(port, { from: LISTED }), 201);
      assert.deepEqual(await order(port), {
        status: 403,
        type: "application/problem+json",
        detail: refusal(STRANGER),
      });
      // Nginx's own address opens nothing to who comes through it.
      assert.equal((await order(port, { as: "proxy" })).detail, refusal(STRANGER));
      assert.equal((await order(port, { as: "proxy", from: LISTED })).detail, refusal(LISTED));
      assert.equal(await status(port, { as: "demo" }), 201);
    }
  });

  test("what the client says of itself changes nothing, neither way", async (t) => {
    const forged = [
      ...listed(`
        ${LISTED} | ${LISTED}:8080 | ${LISTED}, ${INNER} | ${LISTED},${LISTED} | ::ffff:${LISTED} | [::ffff:${LISTED}]:1
        ${INNER} | ${INNER}, ${INNER} | ${OUTER} | ::1 | unknown | , | ${LISTED}, | ,${LISTED} | "${LISTED}"
      `),
      "",
      "x".repeat(2000),
      [LISTED, LISTED],
      [LISTED, INNER],
      ["unknown", LISTED],
    ];
    const others = {
      "X-Real-IP": LISTED,
      Forwarded: `for=${LISTED}`,
      "True-Client-IP": LISTED,
      X_Forwarded_For: LISTED,
    };
    const claims: Sent["headers"][] = [
      ...forged.map((value) => ({ "X-Forwarded-For": value })),
      ...Object.entries(others).map(([name, value]) => ({ [name]: value })),
      { ...others, "x-forwarded-for": LISTED, "X-Client-IP": LISTED, "X-Cluster-Client-IP": LISTED },
    ];
    for (const port of [ports.appends, ports.replaces, ports.outer, ports.outerReplaces]) {
      for (const headers of claims) {
        const answer = await order(port, { headers: headers! });
        assert.deepEqual([answer.status, answer.detail], [403, refusal(STRANGER)], JSON.stringify(headers));
        assert.equal(await status(port, { headers: headers!, from: LISTED }), 201, JSON.stringify(headers));
      }
    }
    t.diagnostic(`forged addresses: ${claims.length * 8} cases`);
  });

  test("who doesn't come through nginx is judged by the socket", async () => {
    for (const forwarded of [LISTED, `${LISTED}, ${INNER}`, "unknown", INNER]) {
      const headers = { "X-Forwarded-For": forwarded };
      assert.equal((await order(directPort(), { headers })).detail, refusal(STRANGER));
      assert.equal(await status(directPort(), { headers, from: LISTED }), 201);
      assert.equal((await order(directPort(), { headers, as: "proxy" })).detail, refusal(STRANGER));
    }
  });

  test("of two in a row each has to be trusted", async () => {
    assert.equal(await status(ports.outer, { from: LISTED }), 201);
    assert.equal((await order(ports.halfTrusted, { from: LISTED })).detail, refusal(OUTER));
    const headers = { "X-Forwarded-For": `${LISTED}, ${INNER}` };
    assert.equal((await order(ports.halfTrusted, { headers })).detail, refusal(OUTER));
  });

  if (HAS_IPV6) {
    test("IPv6", async () => {
      for (const port of [ports.appends, ports.replaces, ports.outer]) {
        assert.equal(await status(port, { as: "listed6", from: "::1" }), 201);
        assert.equal((await order(port, { from: "::1" })).detail, refusal("::1"));
        assert.equal(
          (await order(port, { as: "listed6", headers: { "X-Forwarded-For": "::1" } })).detail,
          refusal(STRANGER),
        );
      }
    });
  }

  test("below a path, the console finds its files, and live events pass at once", async (t) => {
    const url = `http://127.0.0.1:${ports.below}/tickets`;
    const page = await fetch(`${url}/console`);
    assert.equal(page.url, `${url}/console/`);
    const deep = `${url}/console/orders/42`;
    const html = await (await fetch(deep)).text();
    const base = new URL(/<base href="([^"]+)"/.exec(html)![1]!, deep);
    const script = new URL(/<script[^>]* src="([^"]+)"/.exec(html)![1]!, base);
    assert.equal((await fetch(script)).status, 200, script.href);

    const stop = new AbortController();
    t.after(() => stop.abort());
    const headers = { authorization: "Bearer the-token-of-kim" };
    const live = await fetch(`${url}/admin/live`, { headers, signal: stop.signal });
    let heard = "";
    for await (const piece of live.body!.pipeThrough(new TextDecoderStream())) {
      heard += piece;
      // Far fewer bytes than nginx would keep.
      if (heard.split("event: look").length > 2) break;
    }
  });

  test("the record of failures has the client's address", async () => {
    const wrong = { "x-partner-token": "wrong", "x-forwarded-for": LISTED };
    const from = "127.0.0.77";
    for (const port of [ports.appends, ports.replaces, ports.outer]) {
      assert.equal(await status(port, { as: "demo", from, headers: wrong }), 401);
    }
    assert.equal(await status(ports.appends, { from }), 403);
    const { queries } = gateway.storage.database;
    const rows = await until("the rows", async () => {
      const found = await queries
        .selectFrom("auth_events")
        .select(["reason", "count"])
        .where("ip", "=", from)
        .execute();
      return found.reduce((sum, { count }) => sum + count, 0) >= 4 && found;
    });
    assert.deepEqual(new Set(rows.map(({ reason }) => reason)), new Set(["wrong_token", "ip_not_allowed"]));
    const proxies = await queries
      .selectFrom("auth_events")
      .select("ip")
      .where("ip", "in", [INNER, OUTER])
      .execute();
    assert.deepEqual(proxies, []);
  });

  test("forms that two readers could take for two requests put nobody out of step", async (t) => {
    const hidden = orderText({ external_order_id: '"SMUGGLED"' });
    const smuggled = head(POST, HOST, ...PARTNER, JSON_TYPE, `Content-Length: ${hidden.length}`) + hidden;
    const attack = (lines: readonly string[], body: string) =>
      head(POST, HOST, ...PARTNER, JSON_TYPE, ...lines) + body;
    const chunked = "Transfer-Encoding: chunked";
    const forms = [
      attack([`Content-Length: ${5 + smuggled.length}`, chunked], `0\r\n\r\n${smuggled}`),
      attack([chunked, `Content-Length: ${5 + smuggled.length}`], `0\r\n\r\n${smuggled}`),
      attack([chunked, "Content-Length: 4"], `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
      attack(["Content-Length: 2", `Content-Length: ${2 + smuggled.length}`], `{}${smuggled}`),
      attack([`Content-Length: 2, ${2 + smuggled.length}`], `{}${smuggled}`),
      ...[
        "identity",
        "gzip, chunked",
        "chunked, identity",
        "xchunked",
        "chunked;q=1",
        "\u000bchunked",
        ", chunked",
      ].map((coding) =>
        attack(
          [`Content-Length: ${5 + smuggled.length}`, `Transfer-Encoding: ${coding}`],
          `0\r\n\r\n${smuggled}`,
        ),
      ),
      attack(
        [`Content-Length: ${5 + smuggled.length}`, "Transfer-Encoding : chunked"],
        `0\r\n\r\n${smuggled}`,
      ),
      attack(
        [`Content-Length: ${5 + smuggled.length}`, "X: y\r\n Transfer-Encoding: chunked"],
        `0\r\n\r\n${smuggled}`,
      ),
      attack(
        [`Content-Length: ${5 + smuggled.length}`, "X: y\nTransfer-Encoding: chunked"],
        `0\r\n\r\n${smuggled}`,
      ),
      attack([chunked, chunked], `0\r\n\r\n${smuggled}`),
      attack([chunked], `0;x=\n${smuggled}\r\n0\r\n\r\n`),
      attack([chunked], `0x0\r\n\r\n${smuggled}`),
      // This one nginx repairs, so that what follows is a request of its own, to both.
      attack([chunked], `2\r\n{}\n0\r\n\r\n${head("GET /health HTTP/1.1", HOST)}`),
      attack([chunked], `0\r\nContent-Length: ${smuggled.length}\r\n\r\n`),
      attack(["Content-Length: 2"], `{}rubbish\r\n\r\n`),
      head("GET /health HTTP/1.1", HOST, `Content-Length: ${smuggled.length}`) + smuggled,
      head("GET http://evil.example/health HTTP/1.1", HOST),
      head("GET /health HTTP/1.0", HOST, "Connection: keep-alive", chunked) + `0\r\n\r\n${smuggled}`,
      head("GET /health HTTP/1.1", HOST, "Connection: Upgrade", "Upgrade: h2c") +
        smuggled.replace(/Content-Length: \d+/, "Content-Length: 0"),
      head("GET /health HTTP/1.1", HOST, "Expect: 100-continue", "Content-Length: 0"),
    ];
    const { orders } = gateway.storage;
    const answers: number[] = [];
    const attacks = [ports.unbounded, ports.unbuffered].flatMap((port) =>
      forms.map((form) => [port, form] as const),
    );
    for (const [at, [port, form]] of attacks.entries()) {
      answers.push(...(await talk(port, form)));
      // Others, on whichever of nginx's connections, get the answers to their own questions.
      const victims = await Promise.all(
        Array.from({ length: 4 }, async (_, n) => {
          const id = `VICTIM-${at}-${n}`;
          const body = JSON.stringify({ ...orderBody("http://127.0.0.1:1/cb"), external_order_id: id });
          const answer = await send(port, body);
          return [answer.external_order_id, id];
        }),
      );
      for (const [got, sent] of victims) assert.equal(got, sent, form);
    }
    // 501 is nginx's own word for a coding that it doesn't know.
    assert.deepEqual(
      answers.filter((each) => each >= 500 && each !== 501),
      [],
    );
    // Nothing that was hidden has become an order.
    const filter = { partnerId: null, limit: 200, before: null, status: null, externalOrderId: "SMUGGLED" };
    assert.deepEqual(await orders.list(filter), []);
    t.diagnostic(`smuggling through nginx: ${attacks.length} cases`);
  });

  test("large bodies: nginx's limit and ours agree, and ours comes through as it is", async () => {
    const sized = (padding: string) => orderText({ x: `"${padding}"` }, '"http://127.0.0.1:1/cb"');
    const padded = (bytes: number) => sized("x".repeat(bytes - sized("").length));
    const problem = { type: "application/problem+json", detail: "the body is larger than 256 KiB" };
    for (const chunked of [false, true]) {
      const large = (bytes: number): Sent => ({
        as: "demo",
        body: padded(bytes),
        headers: chunked ? { "transfer-encoding": "chunked" } : { "content-length": String(bytes) },
      });
      for (const port of [ports.appends, ports.unbounded, ports.unbuffered]) {
        assert.equal(await status(port, large(LIMIT_BYTES)), 201);
      }
      const byNginx = await order(ports.appends, large(LIMIT_BYTES + 1));
      assert.deepEqual([byNginx.status, byNginx.type], [413, "text/html"]);
      for (const bytes of [LIMIT_BYTES + 1, 1_000_000, 5_000_000]) {
        assert.deepEqual(await order(ports.unbounded, large(bytes)), { status: 413, ...problem });
        const wrong = { ...large(bytes), headers: { ...large(bytes).headers, "x-partner-token": "wrong" } };
        assert.equal(await status(ports.unbounded, wrong), 401);
      }
      assert.deepEqual(await order(ports.unbuffered, large(LIMIT_BYTES + 1)), { status: 413, ...problem });
    }
  });

  /** The statuses that come back for these bytes until nginx ends the connection, or nothing more comes. */
  async function talk(port: number, bytes: string): Promise<number[]> {
    const socket = connect({ port, host: "127.0.0.1", localAddress: STRANGER }).setEncoding("latin1");
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (piece: string) => (text += piece));
    socket.setTimeout(100, () => socket.destroy());
    socket.write(bytes, "latin1");
    await once(socket, "close");
    return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, found]) => Number(found));
  }
});

async function send(port: number, body: string): Promise<{ external_order_id: string }> {
  const headers = {
    "content-type": "application/json",
    "x-partner-id": "demo",
    "x-partner-token": "demotoken",
  };
  const response = await fetch(`http://127.0.0.1:${port}/orders`, { method: "POST", headers, body });
  return (await response.json()) as { external_order_id: string };
}

type Ports = Readonly<
  Record<
    "appends" | "replaces" | "outer" | "outerReplaces" | "unbounded" | "unbuffered" | "below" | "halfTrusted",
    number
  >
>;

function configuration(
  directory: string,
  ports: Ports,
  gateway: RunningGateway,
  other: RunningGateway,
): string {
  const listen = (port: number) => `listen 127.0.0.1:${port};${HAS_IPV6 ? ` listen [::1]:${port};` : ""}`;
  const server = (port: number, to: string, forwardedFor: string, more = "") => `
  server {
    ${listen(port)}
    ${more}
    location / {
      proxy_pass ${to};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For ${forwardedFor};
    }
  }`;
  const appended = "$proxy_add_x_forwarded_for";
  const limited = "client_max_body_size 256k;";
  const bindOuter = `proxy_bind ${OUTER};`;
  // Few connections, so that requests of many clients share each.
  return aroundHttp(
    directory,
    `access_log off;
  upstream gateway { server ${new URL(gateway.url!).host}; keepalive 2; }
  upstream other { server ${new URL(other.url!).host}; keepalive 2; }
  ${server(ports.appends, "http://gateway", appended, limited)}
  ${server(ports.replaces, "http://gateway", "$remote_addr", limited)}
  ${server(ports.unbounded, "http://gateway", appended, "client_max_body_size 0;")}
  ${server(ports.unbuffered, "http://gateway", appended, "client_max_body_size 0; proxy_request_buffering off;")}
  ${server(ports.below, "http://gateway/", "$remote_addr").replace("location / {", "location /tickets/ {")}
  ${server(ports.outer, `http://127.0.0.1:${ports.appends}`, appended, bindOuter)}
  ${server(ports.outerReplaces, `http://127.0.0.1:${ports.appends}`, "$remote_addr", bindOuter)}
  ${server(ports.halfTrusted, `http://other`, appended, bindOuter)}`,
  );
}
