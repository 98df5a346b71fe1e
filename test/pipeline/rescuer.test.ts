import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/lib/clock.ts";
import type { Log, LogEvent } from "../../src/observe/log.ts";
import { createRescuer } from "../../src/pipeline/rescuer.ts";
import type { Settle } from "../../src/pipeline/settle.ts";
import { CommitUnknown, DatabaseUnavailable, RowLocked } from "../../src/storage/database.ts";
import type { JobQueue } from "../../src/storage/jobs.ts";

/** The level and event of the first line that a rescuer logs when its look fails so. */
async function saidOf(failure: Error): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const at = (level: string) => (event: LogEvent) => resolve(`${level} ${event.event}`);
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const queue = { expired: () => Promise.reject(failure) } as unknown as JobQueue;
  const settle = {} as Settle;
  const rescuer = createRescuer({ queue, settle, pollMs: 1, clock: systemClock, log, onRescued() {} });
  rescuer.start();
  const said = await promise;
  await rescuer.stop();
  return said;
}

test("what passes by itself is a warning; a defect is an error", async () => {
  const passing = [DatabaseUnavailable, CommitUnknown, RowLocked];
  for (const Passing of passing) assert.equal(await saidOf(new Passing("x")), "warn rescue.failed");
  assert.equal(await saidOf(new TypeError("x")), "error rescue.failed");
});
