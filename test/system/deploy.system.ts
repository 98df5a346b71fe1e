import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, suite, test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { openUrl, POSTGRES, SQLITE } from "../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { spawnGateway } from "../support/gateway-process.ts";
import { freePort } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { testCertificate, testKey } from "../support/tls.ts";
import { orderBody } from "../support/way.ts";
import { aroundHttp, startNginx } from "./nginx.ts";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const read = (path: string) => readFileSync(join(DEPLOY, path), "utf8");
const run = promisify(execFile);

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-deploy-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

suite("deploy/systemd", () => {
  /** The units, with a program that is there on every machine. */
  function unitsIn(directory: string): string[] {
    return globSync(join(DEPLOY, "systemd/*.service")).map((path) => {
      const unit = join(directory, basename(path));
      writeFileSync(unit, readFileSync(path, "utf8").replace("/opt/wavegate/bin/wavegate", "/bin/true"));
      return unit;
    });
  }

  test("systemd takes the units as they are, and finds little that they could still give up", async (t) => {
    const units = unitsIn(directoryFor(t));
    // Not those of the machine, which ours name, and which may have faults of their own.
    await run("systemd-analyze", ["verify", "--recursive-errors=no", ...units]);
    for (const unit of units) {
      const report = await run("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
      const [, score] = /exposure level for [^:]+: ([\d.]+)/.exec(report.stdout) ?? [];
      // As docs/operations.md says.
      assert.ok(Number(score) <= 1.5, `${basename(unit)}: ${score}`);
      t.diagnostic(`${basename(unit)}: ${score}`);
    }
  });

  const APART = [
    ["SQLite", SQLITE, "wavegate.service", []],
    ["PostgreSQL, two processes", POSTGRES, "wavegate-api@.service", ["--workers", "2"]],
  ] as const;
  for (const [name, database, unit, args] of APART) {
    test(`an order is delivered with the system calls that ${unit} leaves: ${name}`, async (t) => {
      const allowed = await callsLeftBy(read(`systemd/${unit}`));
      assert.ok(
        allowed.has("read") && allowed.has("clone3") && !allowed.has("mount") && !allowed.has("chown"),
      );
      const filter = [join(import.meta.dirname, "system-calls.py"), [...allowed].join(",")];
      const chown = [...filter, "chown", "0", import.meta.filename];
      await assert.rejects(run("python3", chown), /Operation not permitted/);

      const [ticketing, partner] = [await startRecorder(), await startRecorder()];
      t.after(() => Promise.all([ticketing.close(), partner.close()]));
      const env = gatewayEnv(await database.createUrl(), ticketing.url);
      const gateway = await spawnGateway(env, { args, under: ["python3", ...filter] });
      const id = await gateway.accepted(orderBody(`${partner.url}/cb`));
      await gateway.reach(id, "ota_callback_delivered");
      assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
      assert.equal(gateway.stderr(), "");
    });
  }

  async function callsLeftBy(unit: string): Promise<ReadonlySet<string>> {
    const left = new Set<string>();
    for (const [, not = "", groups = ""] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
      for (const group of groups.split(" ")) {
        for (const call of await systemCalls(group)) left[not ? "delete" : "add"](call);
      }
    }
    return left;
  }

  /** What a group of systemd's holds, with the groups in it. */
  async function systemCalls(group: string): Promise<string[]> {
    if (!group.startsWith("@")) return [group];
    const { stdout } = await run("systemd-analyze", ["--no-pager", "syscall-filter", group]);
    const members = [...stdout.matchAll(/^ {4}([@\w-]+)$/gm)].map(([, member = ""]) => member);
    return (await Promise.all(members.map(systemCalls))).flat();
  }
});

suite("deploy/nginx", () => {
  const [LISTED, STRANGER, PROXY] = ["127.0.0.2", "127.0.0.3", "127.0.0.1"];
  const ALL = { capacity: 1e6, per_sec: 1e6 };
  const PARTNERS_JSON = JSON.stringify([
    { id: "demo", name: "demo", token: "demotoken", rate_limit: ALL, allowlist_cidrs: [`${LISTED}/32`] },
  ]);
  let ticketing: Recorder;
  let databaseUrl: string;
  let gateways: RunningGateway[];
  before(async () => {
    ticketing = await startRecorder();
    databaseUrl = await POSTGRES.createUrl();
    const env = {
      ...gatewayEnv(databaseUrl, ticketing.url),
      PARTNERS_JSON,
      TRUSTED_PROXIES: `${PROXY}/32`,
      OPERATORS_JSON: JSON.stringify([{ name: "kim", token: "k".repeat(32), role: "viewer" }]),
    };
    // The second finds the schema that the first has made.
    gateways = [await runGateway(env), await runGateway(env)];
  });
  after(async () => {
    await Promise.all(gateways?.map((gateway) => gateway.stop()) ?? []);
    await ticketing?.close();
  });
  const portOf = ({ url }: RunningGateway) => Number(new URL(url!).port);

  /** nginx with the very files of deploy/nginx: other ports, addresses and paths, and nothing else. */
  async function front(t: TestContext, upstreamPorts: readonly number[], forgetful = false): Promise<number> {
    const directory = directoryFor(t);
    writeFileSync(join(directory, "tls.crt"), testCertificate);
    writeFileSync(join(directory, "tls.key"), testKey);
    const port = await freePort();
    const ports = [...upstreamPorts];
    const upstream = read("nginx/upstream.conf")
      .replaceAll(/127\.0\.0\.1:808\d/g, () => `127.0.0.1:${ports.shift()}`)
      .replaceAll("max_fails=1", forgetful ? "max_fails=0" : "max_fails=1");
    const site = read("nginx/wavegate.conf")
      .replaceAll("listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`)
      .replaceAll("listen [::]:443 ssl;", "")
      .replaceAll("/etc/nginx/tls/wavegate.", `${directory}/tls.`)
      .replaceAll("/var/log/nginx/access.log", `${directory}/access.log`);
    const nginx = await startNginx(directory, aroundHttp(directory, upstream + site), async () => {
      const { status } = await ask(port, "/health");
      return status > 0;
    });
    t.after(() => nginx.kill("SIGKILL"));
    return port;
  }

  interface Asked {
    readonly from?: string;
    readonly host?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  }

  interface Answer {
    readonly status: number;
    readonly headers: IncomingMessage["headers"];
    readonly text: string;
  }

  async function ask(
    port: number,
    path: string,
    { from = LISTED, host = "orders.example.com", headers = {}, body }: Asked = {},
  ): Promise<Answer> {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path,
      localAddress: from,
      servername: host,
      rejectUnauthorized: false,
      agent: false,
      method: body === undefined ? "GET" : "POST",
      headers: {
        host,
        "x-partner-id": "demo",
        "x-partner-token": "demotoken",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
    outgoing.end(body);
    const [response] = (await once(outgoing, "response")) as [IncomingMessage];
    let text = "";
    for await (const piece of response.setEncoding("utf8")) text += piece as string;
    return { status: response.statusCode!, headers: response.headers, text };
  }

  const order = () => JSON.stringify(orderBody("http://127.0.0.1:1/cb"));

  function problem({ status, headers, text }: Answer) {
    assert.equal(headers["content-type"], "application/problem+json");
    const body = JSON.parse(text) as { type: string; status: number; detail: string };
    assert.equal(body.status, status);
    assert.match(body.type, /^urn:wavegate:problem:[a-z-]+$/);
    return body;
  }

  test("the client's address arrives, whatever the client says of itself", async (t) => {
    const port = await front(t, gateways.map(portOf));
    for (const forwarded of ["", STRANGER, LISTED, `${LISTED}, ${PROXY}`]) {
      const headers: Record<string, string> = forwarded === "" ? {} : { "x-forwarded-for": forwarded };
      for (let n = 0; n < 2; n += 1) {
        assert.equal((await ask(port, "/orders", { headers, body: order() })).status, 201);
        const refused = await ask(port, "/orders", { headers, body: order(), from: STRANGER });
        assert.equal(problem(refused).detail, `source IP not allowlisted: ${STRANGER}`);
      }
    }
  });

  test("partners' paths alone are reached from outside, by whatever spelling", async (t) => {
    const port = await front(t, gateways.map(portOf));
    for (const path of ["/health", "/openapi.json", "/orders", "/orders?limit=1"]) {
      assert.equal((await ask(port, path)).status, 200, path);
    }
    const operator = { authorization: `Bearer ${"k".repeat(32)}` };
    for (const path of [
      ..."/ /metrics /ready /admin /admin/orders //admin/orders /admin%2forders /orders/../admin/orders".split(
        " ",
      ),
      ..."/orders/..%2fadmin%2forders /%61dmin/orders /ADMIN/orders /orders:with-key /health/../metrics".split(
        " ",
      ),
    ]) {
      assert.equal(problem(await ask(port, path, { headers: operator })).status, 404, path);
    }
    // To nginx this is /orders; the gateway must not be asked for an order of that name below /admin.
    const sly = await ask(port, "/admin/orders/..%2f..%2forders?limit=1");
    assert.deepEqual([sly.status, Array.isArray(JSON.parse(sly.text))], [200, true]);
    // The staff's name has all of it, and is theirs alone.
    const staff = { host: "wavegate.example.internal", headers: operator };
    assert.equal((await ask(port, "/admin/orders", staff)).status, 403);
  });

  test("its own refusals look like the gateway's", async (t) => {
    const port = await front(t, gateways.map(portOf));
    const large = await ask(port, "/orders", { body: " ".repeat(256 * 1024 + 1) });
    assert.equal(problem(large).type, "urn:wavegate:problem:body-too-large");
    const nobody = await front(t, [await freePort(), await freePort()]);
    const away = await ask(nobody, "/orders", { body: order() });
    assert.deepEqual(
      [problem(away).type, away.headers["retry-after"]],
      ["urn:wavegate:problem:unavailable", "1"],
    );
  });

  test("a POST goes to the other gateway if it was not sent, or has a key, and else never", async (t) => {
    // A gateway that dies over every order.
    let asked = 0;
    const dying = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        asked += 1;
        socket.destroy();
      });
    }).listen(0, PROXY);
    await once(dying, "listening");
    t.after(() => dying.close());
    const dyingPort = (dying.address() as AddressInfo).port;
    const orders = async () => {
      const storage = openUrl(databaseUrl);
      const [row] = await storage.database.run<{ count: number }>("select count(*) as count from orders", []);
      await storage.close();
      return Number(row?.count);
    };
    const post = async (port: number, key?: string) =>
      (await ask(port, "/orders", { body: order(), headers: key ? { "idempotency-key": key } : {} })).status;

    const deaf = await front(t, [await freePort(), portOf(gateways[0]!)], true);
    for (let n = 0; n < 4; n += 1) assert.equal(await post(deaf), 201);

    const mortal = await front(t, [dyingPort, portOf(gateways[0]!)], true);
    const [before, askedBefore] = [await orders(), asked];
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push(await post(mortal));
    const accepted = statuses.filter((status) => status === 201).length;
    assert.deepEqual(new Set(statuses), new Set([201, 503]));
    assert.equal(asked - askedBefore, statuses.length - accepted);
    assert.equal((await orders()) - before, accepted);

    for (let n = 0; n < 6; n += 1) assert.equal(await post(mortal, `key-${n}`), 201);
    assert.ok(
      asked - askedBefore > statuses.length - accepted,
      "the dying one was asked for keyed orders too",
    );
    assert.equal((await orders()) - before, accepted + 6);
  });
});

suite("deploy/prometheus", () => {
  const promtool = (...args: string[]) => run("promtool", args, { cwd: join(DEPLOY, "prometheus") });

  test("promtool takes the configuration and the rules, and the rules do what their tests say", async () => {
    // Without the files of a real host.
    await promtool("check", "config", "--syntax-only", "prometheus.yml");
    await promtool("check", "rules", "wavegate.rules.yml");
    await promtool("test", "rules", "wavegate.rules.test.yml", "wavegate.week.test.yml");
  });
});
