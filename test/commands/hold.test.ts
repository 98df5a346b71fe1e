import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openUrl, SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway } from "../support/gateway-process.ts";
import { orderBody } from "../support/way.ts";
import { errorIn, run } from "./cli.ts";

/** Nobody is called. */
const NOWHERE = "http://127.0.0.1:9";

test("serve --held holds, doctor, overview and order show say so, release shows what would begin and lifts it", async () => {
  const env = gatewayEnv(await SQLITE.createUrl(), NOWHERE);
  const cli = (...args: string[]) => run(args, { env });
  const gateway = await spawnGateway(env, { args: ["--held"] });
  await gateway.logged("gateway.held");
  const id = await gateway.accepted(orderBody(`${NOWHERE}/cb`));
  assert.equal((await gateway.stop()).code, 0);

  const [doctor, overview, show, again] = await Promise.all([
    cli("doctor", "--json"),
    cli("overview"),
    cli("order", "show", String(id)),
    cli("hold", "--reason", "once more", "--json"),
  ]);
  const { checks } = JSON.parse(doctor.stdout) as {
    checks: { name: string; status: string; detail: string }[];
  };
  const check = checks.find(({ name }) => name === "hold");
  assert.deepEqual([check?.status, /^held since 20.*serve --held/.test(check?.detail ?? "")], ["warn", true]);
  assert.match(overview.stdout, /^Held since 20.*\n.*release/);
  assert.match(show.stdout, /the gateway is held since/);
  assert.match(show.stdout, new RegExp(`order resolve ${id} --ticketed`));
  const { placed, held } = JSON.parse(again.stdout) as { placed: boolean; held: { reason: string } };
  assert.deepEqual([placed, held.reason.startsWith("serve --held")], [false, true]);

  const reason = ["--reason", "reconciled"];
  const [unasked, dry] = [await cli("release", ...reason), await cli("release", ...reason, "--dry-run")];
  assert.equal(unasked.code, 2);
  assert.match(dry.stdout, /ticketing +1 +0 +0\n[^]*Nothing was changed/);
  const released = await cli("release", ...reason, "--yes", "--json");
  const told = JSON.parse(released.stdout) as { released: boolean; begins: { ticketing: { due: number } } };
  assert.deepEqual([released.code, told.released, told.begins.ticketing.due], [0, true, 1]);
  const once = await cli("release", ...reason, "--yes", "--json");
  assert.deepEqual([once.code, errorIn(once).message], [1, "nothing is held: the gateways work"]);
});

test("serve --held with --workers says what to run instead", async () => {
  const env = gatewayEnv("postgres://nobody@127.0.0.1:1/none", NOWHERE);
  const ended = await run(["serve", "--held", "--workers", "2", "--json"], { env });
  assert.equal(ended.code, 2);
  assert.match(String(errorIn(ended).advice), /hold --restored/);
});

test("backup copies a database while it is written to, for its owner alone, and overwrites nothing", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-backup-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "copy.db");
  const env = gatewayEnv(await SQLITE.createUrl(), NOWHERE);
  const gateway = await spawnGateway(env, { args: ["--held"] });
  let writing = true;
  const ids: number[] = [];
  const load = (async () => {
    while (writing) ids.push(await gateway.accepted(orderBody(`${NOWHERE}/cb`)));
  })();
  const before = await gateway.accepted(orderBody(`${NOWHERE}/cb`));
  const done = await run(["backup", file, "--json"], { env });
  writing = false;
  await load;
  await gateway.stop();
  assert.equal(done.code, 0, done.stderr);
  const { bytes } = JSON.parse(done.stdout) as { bytes: number };
  const { size, mode } = statSync(file);
  assert.deepEqual([bytes, mode & 0o777], [size, 0o600]);

  const copy = new DatabaseSync(file, { readOnly: true });
  const jobs = copy.prepare("select count(*) as n, max(id) as last from ticketing_jobs").get()!;
  const orders = copy.prepare("select count(*) as n, max(id) as last from orders").get()!;
  copy.close();
  assert.deepEqual({ ...orders }, { ...jobs });
  assert.ok(Number(orders["last"]) >= before);

  const refused = await run(["backup", file, "--json"], { env });
  assert.deepEqual([refused.code, statSync(file).size], [1, size]);
  assert.match(errorIn(refused).message, /not overwritten/);
  // Whole in itself, as a database that may be opened.
  const storage = openUrl(`sqlite:///${file}`);
  assert.notEqual(await storage.readHold(), null);
  await storage.close();
  const postgres = gatewayEnv("postgres://nobody@127.0.0.1:1/none", NOWHERE);
  const other = await run(["backup", join(directory, "x.db"), "--json"], { env: postgres });
  assert.deepEqual([other.code, /pg_dump/.test(String(errorIn(other).advice))], [2, true]);
});
