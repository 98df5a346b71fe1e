import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import pg from "pg";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway, spawnServe } from "../support/gateway-process.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const NO_TICKETING = "http://127.0.0.1:9";

suite("a PostgreSQL that could lose accepted orders", () => {
  let server: PostgresServer;
  let env: Record<string, string>;
  before(async () => {
    server = await startPostgres();
    env = gatewayEnv(`${server.url}/postgres`, NO_TICKETING);
  });
  after(() => server.stop());

  async function command(...texts: string[]): Promise<void> {
    const admin = new pg.Client({ connectionString: `${server.url}/postgres` });
    await admin.connect();
    for (const text of texts) await admin.query(text);
    await admin.end();
  }

  // Each is read in a session as the gateway's own are, so that it counts who it is and where.
  const settings: [name: string, off: string[], on: string[]][] = [
    [
      "fsync",
      ["alter system set fsync = off", "select pg_reload_conf()"],
      ["alter system reset fsync", "select pg_reload_conf()"],
    ],
    [
      "full_page_writes",
      ["alter system set full_page_writes = off", "select pg_reload_conf()"],
      ["alter system reset full_page_writes", "select pg_reload_conf()"],
    ],
    [
      "synchronous_commit",
      ["alter role postgres set synchronous_commit = off"],
      ["alter role postgres reset synchronous_commit"],
    ],
    [
      "synchronous_commit",
      ["alter database postgres set synchronous_commit = off"],
      ["alter database postgres reset synchronous_commit"],
    ],
  ];
  for (const [name, off, on] of settings) {
    test(`${off[0]}: serve refuses, doctor says why`, async () => {
      await command(...off);
      const serve = spawnServe(env);
      const [ended, checks] = await Promise.all([serve.ended, doctor(env)]);
      assert.equal(ended.code, 2);
      assert.match(serve.stderr(), new RegExp(`${name} = off`));
      assert.equal(checks.get(name)?.status, "fail");
      await command(...on);
    });
  }

  test("with all of them on it serves, and doctor shows them", async () => {
    const gateway = await spawnGateway(env);
    assert.equal((await gateway.stop()).code, 0);
    const checks = await doctor(env);
    for (const [name] of settings) assert.deepEqual(checks.get(name), { name, status: "ok", detail: "on" });
  });
});

interface Check {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
}

async function doctor(env: Record<string, string>): Promise<Map<string, Check>> {
  const { PATH = "" } = process.env;
  const output = await new Promise<string>((resolve) => {
    const options = { cwd: tmpdir(), env: { PATH, ...env } };
    execFile(process.execPath, [MAIN, "doctor", "--json"], options, (_error, stdout) => resolve(stdout));
  });
  const { checks } = JSON.parse(output) as { checks: Check[] };
  return new Map(checks.map(({ name, status, detail }) => [name, { name, status, detail }]));
}
