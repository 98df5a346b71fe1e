import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { errorIn, run } from "../commands/cli.ts";
import { startLoad } from "../faults/load.ts";
import { openUrl, SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway, until } from "../support/gateway-process.ts";
import { type PostgresServer, startPostgres, startPostgresOn } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

/** Long enough for a backup to find attempts under way. */
const TICKETING_MS = 150;
const POLLS_MS = 600;

/** A kind of database that is backed up while it is written to, and restored elsewhere. */
interface Restorable {
  readonly url: string;
  /** An online backup. */
  backup(): Promise<void>;
  /** @returns the URL of a database made of it */
  restore(): Promise<string>;
}

suite("a backup of a loaded database carries on with every order", () => {
  test("SQLite: `wavegate backup`", (t) => carriesOn(t, sqlite));
  test("PostgreSQL: a base backup with its log", (t) => carriesOn(t, postgres));
});

async function sqlite(t: TestContext): Promise<Restorable> {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-restore-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const url = await SQLITE.createUrl();
  const file = join(directory, "backup.db");
  return {
    url,
    backup: async () =>
      assert.equal((await run(["backup", file], { env: gatewayEnv(url, "http://127.0.0.1:9") })).code, 0),
    restore: async () => `sqlite:///${file}`,
  };
}

/** What `pg_basebackup` does, by the functions that it calls: the package that brings the server brings no tools. */
async function postgres(t: TestContext): Promise<Restorable> {
  const server = await startPostgres();
  t.after(() => server.stop());
  const copy = mkdtempSync(join(tmpdir(), "wavegate-restore-"));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  let restored: PostgresServer | null = null;
  t.after(() => restored?.stop());
  return {
    url: `${server.url}/postgres`,
    async backup() {
      const client = new pg.Client({ connectionString: `${server.url}/postgres` });
      await client.connect();
      const { rows: settings } = await client.query<{ data_directory: string }>("show data_directory");
      const from = settings[0]!.data_directory;
      await client.query("select pg_backup_start('test', true)");
      // With owners and modes. What vanishes while it is copied is in the log, which is copied last.
      spawnSync("cp", ["-a", `${from}/.`, copy]);
      for (const name of ["postmaster.pid", "pg_wal"]) rmSync(join(copy, name), { recursive: true });
      const { rows } = await client.query<{ labelfile: string }>(
        "select labelfile from pg_backup_stop(false)",
      );
      assert.equal(spawnSync("cp", ["-a", join(from, "pg_wal"), copy]).status, 0);
      const label = join(copy, "backup_label");
      writeFileSync(label, rows[0]!.labelfile);
      const { uid, gid } = statSync(copy);
      chownSync(label, uid, gid);
      await client.end();
    },
    async restore() {
      restored = await startPostgresOn(copy);
      return `${restored.url}/postgres`;
    },
  };
}

/** A ticketing system that honours the Idempotency-Key: what it has issued, by key. */
function issuing(ticketing: Recorder): Map<string, string> {
  const issued = new Map<string, string>();
  ticketing.answer((response, { headers }) => {
    const key = String(headers["idempotency-key"]);
    issued.set(key, issued.get(key) ?? `TK-${issued.size + 1}`);
    const body = JSON.stringify({ reference: issued.get(key) });
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(body), TICKETING_MS);
  });
  return issued;
}

async function carriesOn(t: TestContext, kind: (t: TestContext) => Promise<Restorable>): Promise<void> {
  const database = await kind(t);
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  t.after(() => Promise.all([ticketing.close(), partner.close()]));
  const issued = issuing(ticketing);
  const times = { TICKETING_TIMEOUT_SECS: "4", CALLBACK_TIMEOUT_SECS: "4", LEASE_SECS: "6" };
  const env = { ...gatewayEnv(database.url, ticketing.url), ...times };

  // Under load: a backup, more orders, and the end of everything.
  const gateways: GatewayProcess[] = [await spawnGateway(env)];
  const load = startLoad(gateways, `${partner.url}/cb`);
  await until("orders", () => load.accepted.length >= 40);
  await database.backup();
  const atBackup = load.accepted.length;
  await until("more orders than the backup has", () => load.accepted.length >= atBackup + 40);
  await gateways[0]!.kill();
  // The last answers that it gave are read: what it accepted after the backup is gone with it, and none of the next one's.
  const refused = load.refusals.length;
  await until("the end is met by all senders", () => load.refusals.length >= refused + 10);
  const told = Math.max(...load.accepted);

  // Restored and held, it takes orders, under ids that nobody has seen, and works nothing.
  const url = await database.restore();
  const restoredEnv = { ...env, DATABASE_URL: url };
  const storage = openUrl(url);
  t.after(() => storage.close());
  const inBackup = await storage.database.queries.selectFrom("orders").select(["id", "trace_id"]).execute();
  assert.ok(
    inBackup.length > 0 && inBackup.length < load.accepted.length,
    `${inBackup.length} in the backup`,
  );
  const calls = [ticketing.requests.length, partner.requests.length];
  const acceptedBefore = load.accepted.length;
  gateways[0] = await spawnGateway(restoredEnv, { args: ["--held"] });
  await until("orders of the held gateway", () => load.accepted.length >= acceptedBefore + 20);
  await load.stop();
  const since = load.accepted.slice(acceptedBefore);
  assert.ok(
    since.every((id) => id > told),
    `${Math.min(...since)} after ${told}`,
  );
  await sleep(POLLS_MS);
  assert.deepEqual([ticketing.requests.length, partner.requests.length], calls);

  // What ticketing has issued is held against it: orders that are lost, and orders that it doesn't know to be ticketed.
  const { unknown, lost } = await reconcile(restoredEnv, issued);
  assert.equal(lost.length, issued.size - inBackup.filter(({ trace_id: key }) => issued.has(key)).length);
  assert.ok(unknown.length > 0, "the backup has orders that were ticketed after it");
  const byHand = unknown[0]!;
  const known = inBackup.find(({ id }) => id === byHand)!;
  const codes = ["--ticketed", "--reference", issued.get(known.trace_id)!, "--reason", "restored"];
  // An attempt that was under way at the backup has its lease, as nobody knows that its process is gone.
  await until("what ticketing has issued may be entered", async () => {
    const resolved = await run(["order", "resolve", String(byHand), ...codes], { env: restoredEnv });
    return resolved.code === 0;
  });

  const released = await run(["release", "--reason", "reconciled", "--yes"], { env: restoredEnv });
  assert.equal(released.code, 0, released.stderr);
  for (const id of [...inBackup.map((order) => order.id), ...since]) {
    const order = await gateways[0].reach(id, "ota_callback_delivered");
    // One effective ticketing: every attempt had the order's own key, and the order shows what was issued under it.
    assert.equal(order["reference"], issued.get(String(order["trace_id"])));
  }
  const attempts = ticketing.requests.filter(({ headers }) => headers["idempotency-key"] === known.trace_id);
  assert.ok(attempts.length <= 1, "what was resolved by hand is not asked again");
  assert.equal((await gateways[0].stop()).code, 0);
}

/** @returns ids of orders that ticketing has issued and the database has not, and keys that it doesn't know at all */
async function reconcile(env: Record<string, string>, issued: ReadonlyMap<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-issued-"));
  const file = join(directory, "issued.csv");
  writeFileSync(file, `trace,reference\n${[...issued].map((row) => row.join(",")).join("\n")}\n`);
  const args = ["--side", "ticketing", "--file", file, "--map", "trace_id=trace", "--json"];
  const ended = await run(["reconcile", ...args], { env });
  rmSync(directory, { recursive: true });
  assert.equal(ended.code, 4, ended.code === 4 ? "" : JSON.stringify(errorIn(ended)));
  const { differences } = JSON.parse(ended.stdout) as {
    differences: { kind: string; key: string; order_ids: number[]; advice: string }[];
  };
  return {
    unknown: differences.filter(({ kind }) => kind === "mismatch").flatMap(({ order_ids: ids }) => ids),
    lost: differences.filter(({ kind }) => kind === "theirs_only").map(({ key }) => key),
  };
}
