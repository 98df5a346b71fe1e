import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
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
  // A file for each thread, each call with its time and how long it took: one writes to the log, another to the sockets.
  const output = ["-s", SHOWN_BYTES, "-e", CALLS, "-o", join(directory, "thread")];
  const strace = ["strace", "-ff", "-ttt", "-T", "-y", ...output];
  const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
  const gateway = await spawnGateway(env, { under: strace });
  const names = Array.from({ length: 10 }, (_, n) => `DURABLE-${n}-END`);
  for (const name of names) {
    await gateway.accepted(orderBody(`${ticketing.url}/cb`, { external_order_id: name }));
  }
  const { pid } = await gateway.logged("gateway.started");
  process.kill(pid, "SIGTERM");
  await gateway.ended;

  const calls = readdirSync(directory).flatMap((file) => callsIn(join(directory, file)));
  for (const name of names) {
    const answer = calls.find(({ text }) => text.includes("HTTP/1.1 201") && text.includes(name));
    assert.ok(answer, `${name} was answered`);
    const written = calls.find(({ text }) => /^pwrite64\(\d+<.*-wal>/.test(text) && text.includes(name));
    assert.ok(written, `${name} was written to the log`);
    const synced = calls.some(
      ({ text, begunAt, endedAt }) =>
        begunAt >= written.endedAt &&
        endedAt <= answer.begunAt &&
        /^f(data)?sync\(\d+<.*-wal>\) += 0$/.test(text),
    );
    assert.ok(synced, `${name} was written and synced before its answer`);
  }
});

/** Calls with the seconds at which they began and ended. */
function callsIn(path: string) {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, begun, text, took] = /^(\d+\.\d+) (.*) <(\d+\.\d+)>$/.exec(line) ?? [];
      if (text === undefined) return [];
      const begunAt = Number(begun);
      return [{ text, begunAt, endedAt: begunAt + Number(took) }];
    });
}
