import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gatewayEnv } from "../support/gateway.ts";
import { type GatewayProcess, spawnGateway } from "../support/gateway-process.ts";
import { startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const ROOM = 3 * 1024 * 1024;
const LARGE = { buyer: { note: "x".repeat(100_000) } };
/** Far more than the room there is. */
const MOST_ORDERS = 200;
/** In a row: nothing finds room any more. */
const REFUSALS = 5;

test("SQLite on a disk that is full: 503 until there is room (SQLITE_FULL)", async (t) => {
  const directory = temporaryDirectory(t);
  asRoot("mount", "-t", "tmpfs", "-o", `size=${ROOM},mode=1777`, "tmpfs", directory);
  try {
    await fillAndMakeRoom(t, directory, [], () => {
      asRoot("mount", "-o", "remount,size=64m", directory);
    });
  } finally {
    asRoot("umount", "--lazy", directory);
  }
});

test("SQLite whose writes fail: 503 until they succeed again (SQLITE_IOERR)", async (t) => {
  const limit = ["prlimit", `--fsize=${ROOM}:unlimited`];
  await fillAndMakeRoom(t, temporaryDirectory(t), limit, ({ pid }) => {
    execFileSync("prlimit", ["--pid", String(pid), "--fsize=unlimited"]);
  });
});

async function fillAndMakeRoom(
  t: TestContext,
  directory: string,
  under: readonly string[],
  makeRoom: (gateway: GatewayProcess) => void,
): Promise<void> {
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  t.after(() => Promise.all([ticketing.close(), partner.close()]));
  const env = gatewayEnv(`sqlite:///${join(directory, "gateway.db")}`, ticketing.url);
  const gateway = await spawnGateway(env, { under });
  const post = () => gateway.post(orderBody(`${partner.url}/cb`, LARGE));

  const accepted: number[] = [];
  // What shares a commit shares its failure too: a smaller one may still find room after it.
  let refusals = 0;
  while (refusals < REFUSALS && accepted.length < MOST_ORDERS) {
    const response = await post();
    if (response.status === 201) {
      accepted.push(((await response.json()) as { id: number }).id);
      refusals = 0;
    } else {
      assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "1"]);
      refusals += 1;
    }
  }
  assert.notEqual(accepted.length, 0);
  assert.equal(refusals, REFUSALS, "the disk is full");
  assert.equal((await gateway.get("/health")).status, 200);

  makeRoom(gateway);
  accepted.push(await gateway.accepted(orderBody(`${partner.url}/cb`, LARGE)));
  for (const id of accepted) await gateway.reach(id, "ota_callback_delivered");
  const list = (await (await gateway.get("/orders?limit=200")).json()) as unknown[];
  assert.equal(list.length, accepted.length, "what was refused was not written");
  for (const { requests } of [ticketing, partner]) {
    const traces = requests.map(({ headers }) => headers["x-trace-id"]);
    assert.deepEqual([traces.length, new Set(traces).size], [accepted.length, accepted.length]);
  }
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
  assert.equal(gateway.stderr(), "");
}

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-disk-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function asRoot(program: string, ...args: string[]): void {
  if (process.getuid?.() === 0) execFileSync(program, args);
  else execFileSync("sudo", ["-n", program, ...args]);
}
