import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { spawnGateway } from "../support/gateway-process.ts";
import { startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const CALLS = "trace=pwrite64,fsync,fdatasync,write,writev,sendto,sendmsg";
/** Whole pages of the log, so that an order can be found in them. */
const SHOWN_BYTES = "5000";

test("SQLite: an order is written to the log and synced before its 201 leaves, says the kernel", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-strace-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const ticketing = await startRecorder();
  t.after(() => ticketing.close());
  // A file for each thread: SQLite and the sockets are on the first, in the order of what happened.
  const strace = ["strace", "-ff", "-y", "-s", SHOWN_BYTES, "-e", CALLS, "-o", join(directory, "thread")];
  const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
  const gateway = await spawnGateway(env, { under: strace });
  const names = Array.from({ length: 10 }, (_, n) => `DURABLE-${n}-END`);
  for (const name of names) {
    await gateway.accepted(orderBody(`${ticketing.url}/cb`, { external_order_id: name }));
  }
  const { pid } = await gateway.logged("gateway.started");
  process.kill(pid, "SIGTERM");
  await gateway.ended;

  const calls = readFileSync(join(directory, `thread.${pid}`), "utf8").split("\n");
  for (const name of names) {
    const answered = calls.findIndex((call) => call.includes("HTTP/1.1 201") && call.includes(name));
    assert.ok(answered > 0, `${name} was answered`);
    const before = calls.slice(0, answered);
    const written = before.findLastIndex(
      (call) => /^pwrite64\(\d+<.*-wal>/.test(call) && call.includes(name),
    );
    assert.ok(written > 0, `${name} was written to the log before its answer`);
    const synced = before.slice(written).some((call) => /^f(data)?sync\(\d+<.*-wal>\) += 0$/.test(call));
    assert.ok(synced, `${name} was synced before its answer`);
  }
});
