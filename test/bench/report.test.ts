import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { bars, type Measure } from "../../bench/measures/measure.ts";
import { writePage } from "../../bench/report/page.ts";
import { type Group, mergeResult, readResults, type Result } from "../../bench/report/results.ts";
import { median, percentile, slope } from "../../bench/report/statistics.ts";

const folder = mkdtempSync(join(tmpdir(), "wavegate-report-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const columns = [{ key: "rate", label: "orders/s" }];
const MEASURE: Measure = {
  name: "speed",
  letters: "s",
  title: "Speed",
  prose: "How fast.",
  databases: ["sqlite", "postgres"],
  columns,
  charts: [bars(columns, "rate"), { kind: "lines", panels: columns }],
  estimateSecs: () => 0,
  run: () => Promise.reject(new Error("not run here")),
};

const group = (contender: string, at: string, ...rates: number[]): Group => ({
  contender,
  version: "",
  condition: "",
  command: "node bench/run.ts",
  at,
  runs: rates.map((rate) => ({ values: { rate }, minutes: 1, series: { rate: [rate, null, rate] } })),
  failures: [],
});
const result = (groups: Group[], machine = { cores: "2" }): Result => ({
  measure: "speed",
  database: "sqlite",
  machine,
  settings: { fsync: "on" },
  groups,
});

suite("the bench's report", () => {
  test("the page holds medians, spread, ratios of the same round, failures, and what is missing", () => {
    const results = join(folder, "one");
    const failed = { ...group("peer", "1", 50, 100, 300), failures: ["b-7 is missing"] };
    mergeResult(results, result([group("wavegate", "1", 100, 100, 200), failed]));
    writePage(results, folder, [MEASURE]);
    const page = readFileSync(join(folder, "performance.md"), "utf8");
    assert.match(page, /^\| wavegate \| 100 \(100–200\) \|$/m);
    assert.match(page, /^\| peer \| 100 \(50–300\) · 1\.00× \|$/m);
    assert.match(page, /^A run of peer failed: b-7 is missing$/m);
    assert.match(page, /^- Speed, PostgreSQL: `node bench\/run\.ts --only speed --database postgres`$/m);
    for (const name of ["speed-sqlite", "speed-sqlite-2"]) {
      const chart = readFileSync(join(folder, `images/performance-${name}.svg`), "utf8");
      assert.match(chart, /^<svg [\s\S]*orders\/s[\s\S]*wavegate[\s\S]*<\/svg>\n$/);
      assert.doesNotMatch(chart, /NaN|undefined/);
    }
  });

  test("what is measured again replaces its like; from another machine it replaces everything", () => {
    const results = join(folder, "two");
    mergeResult(results, result([group("wavegate", "1", 100), group("peer", "1", 50)]));
    mergeResult(results, result([group("bare", "2", 300), group("peer", "2", 60.123456)]));
    const names = () => readResults(results)[0]!.groups.map(({ contender, at }) => `${contender} ${at}`);
    assert.deepEqual(names(), ["wavegate 1", "peer 2", "bare 2"]);
    assert.equal(readResults(results)[0]!.groups[1]!.runs[0]!.values["rate"], 60.123);
    writePage(results, folder, [MEASURE]);
    assert.match(readFileSync(join(folder, "performance.md"), "utf8"), /^\| peer \| 60 \|$/m);
    mergeResult(results, result([group("wavegate", "3", 100)], { cores: "4" }));
    assert.deepEqual(names(), ["wavegate 3"]);
  });

  test("percentiles, medians and slopes", () => {
    const hundred = Array.from({ length: 101 }, (_, index) => index);
    assert.deepEqual(
      [percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99)],
      [50, 99, 7],
    );
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5]);
    assert.equal(slope([1, 3, 5, 7]), 2);
    assert.ok(Number.isNaN(slope([1])) && Number.isNaN(percentile([], 0.5)));
  });
});
