import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { startLoad } from "../faults/load.ts";
import { openUrl, POSTGRES } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { freePort } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

/** Fewer than the connections of one gateway, so that transactions really change servers. */
const SERVERS = 4;

suite("through PgBouncer in transaction mode", () => {
  let ticketing: Recorder;
  let partner: Recorder;
  let pooler: ChildProcess;
  /** The database itself, and as the pooler has it. */
  let direct: string;
  let pooled: string;
  const directory = mkdtempSync(join(tmpdir(), "wavegate-pooler-"));
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  beforeEach(async () => {
    for (const { requests } of [ticketing, partner]) requests.length = 0;
    direct = await POSTGRES.createUrl();
    const url = new URL(direct);
    const port = await freePort();
    pooler = await startPooler(directory, url, port);
    url.port = String(port);
    pooled = url.href;
  });
  afterEach(() => stopPooler(pooler));
  after(async () => {
    await Promise.all([ticketing.close(), partner.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  const environment = (): Record<string, string> => ({
    ...gatewayEnv(pooled, ticketing.url),
    PG_PREPARED: "0",
  });

  test("two gateways on an empty database: schema, orders, keys, deliveries", async () => {
    const env = environment();
    const gateways = await Promise.all([spawnGateway(env), spawnGateway(env)]);
    const load = startLoad(gateways, `${partner.url}/cb`);
    await until("orders", () => load.accepted.length >= 60);
    await load.stop();
    assert.deepEqual(load.refusals, []);
    for (const id of load.accepted) await gateways[0].reach(id, "ota_callback_delivered");

    const body = orderBody(`${partner.url}/cb`);
    const same = await Promise.all(
      Array.from({ length: 50 }, (_, n) => gateways[n % 2]!.accepted(body, { "idempotency-key": "one" })),
    );
    assert.equal(new Set(same).size, 1);
    await gateways[1].reach(same[0]!, "ota_callback_delivered");

    const storage = openUrl(direct);
    const { run } = storage.database;
    const [row] = await run<{ count: number }>("select count(*) as count from orders", []);
    const servers = await run(
      "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
      [],
    );
    await storage.close();
    assert.equal(row?.count, load.accepted.length + 1);
    assert.ok(servers.length <= SERVERS, "the gateways have no connections but the pooler's");
    for (const { requests } of [ticketing, partner]) {
      const traces = requests.map(({ headers }) => headers["x-trace-id"]);
      assert.deepEqual([traces.length, new Set(traces).size], [row?.count, row?.count]);
    }
    for (const gateway of gateways) {
      assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
      assert.equal(gateway.stderr(), "");
      assert.deepEqual(
        gateway.log.filter((line) => line["level"] === "error"),
        [],
      );
    }
  });

  test("LISTEN doesn't work there, and the poll finds what another process accepted", async () => {
    const env = { ...environment(), POLL_SECS: "1" };
    const api = await spawnGateway({ ...env, ROLE: "api" });
    const worker = await spawnGateway({ ...env, ROLE: "worker" });
    for (let n = 0; n < 3; n += 1) {
      const id = await api.accepted(orderBody(`${partner.url}/cb`));
      await api.reach(id, "ota_callback_delivered");
    }
    for (const each of [api, worker]) assert.equal((await each.stop()).code, 0);
  });

  test("a pooler that is restarted costs 503s and no order", async () => {
    const env = environment();
    const gateway = await spawnGateway(env);
    const load = startLoad([gateway], `${partner.url}/cb`);
    await until("orders", () => load.accepted.length >= 10);
    const { port } = new URL(pooled);
    await stopPooler(pooler);
    await until("a refusal", () => load.refusals.includes("0: 503 1"));
    pooler = await startPooler(directory, new URL(direct), Number(port));
    const { length } = load.accepted;
    await until("orders again", () => load.accepted.length >= length + 10);
    await load.stop();
    for (const refusal of load.refusals) assert.equal(refusal, "0: 503 1");
    for (const id of load.accepted) await gateway.reach(id, "ota_callback_delivered");
    assert.equal((await gateway.stop()).code, 0);
    assert.equal(ticketing.requests.length, load.accepted.length);
  });
});

async function startPooler(directory: string, server: URL, port: number): Promise<ChildProcess> {
  const { hostname, username, password } = server;
  const users = join(directory, "users.txt");
  const settings = join(directory, "pgbouncer.ini");
  // It refuses to run as root.
  const isRoot = process.getuid?.() === 0;
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`);
  writeFileSync(
    settings,
    `[databases]
* = host=${hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${SERVERS}
max_client_conn = 200
${isRoot ? "user = nobody" : ""}
`,
  );
  if (isRoot) {
    chmodSync(directory, 0o755);
    execFileSync("chown", ["-R", "nobody", directory]);
  }
  const { PATH = "" } = process.env;
  const child = spawn("pgbouncer", ["--quiet", settings], {
    // Debian's place for it, which not every user's PATH has.
    env: { ...process.env, PATH: `${PATH}:/usr/sbin` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  await once(child, "spawn");
  await until("PgBouncer to listen", async () => {
    if (child.exitCode !== null) throw new Error(`PgBouncer ended: ${errors}`);
    return accepts(port);
  });
  return child;
}

async function stopPooler(pooler: ChildProcess): Promise<void> {
  const exited = once(pooler, "exit");
  pooler.kill("SIGKILL");
  await exited;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
