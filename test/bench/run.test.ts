import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Result } from "../../bench/report/results.ts";

const RUN = fileURLToPath(new URL("../../bench/run.ts", import.meta.url));
const bench = (...options: string[]) => promisify(execFile)(process.execPath, [RUN, ...options]);

test("a quick run of WaveGate passes and tells its figures as JSON", async () => {
  const { stdout } = await bench(
    ..."--quick --json --only b --seconds 0.5 --database sqlite --contenders wavegate".split(" "),
  );
  const [result] = JSON.parse(stdout) as Result[];
  const [group] = result!.groups;
  assert.deepEqual([result!.measure, group!.contender, group!.failures], ["throughput", "wavegate", []]);
  const { orders_per_sec: rate, orders_per_cpu_sec: perCpu } = group!.runs[0]!.values;
  assert.ok(rate! > 0 && perCpu! > 0);
});

test("a word that names nothing is refused", async () => {
  await assert.rejects(bench("--only", "speed"), /nothing is called "speed"/);
});
