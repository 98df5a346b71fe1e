import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const GOOD = 'import { suite, test } from "node:test"; test("good", () => {});';

/** Starts the runner of the whole project on test files planted outside it. */
function startRunner(t: TestContext, files: Record<string, string>, databaseUrl = "postgresql://unused") {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-runner-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, source] of Object.entries(files)) writeFileSync(join(directory, name), source);
  // With node:test's own variable set, the runner would take itself for one of our test files.
  const { NODE_TEST_CONTEXT: _, TEST_DATABASE_URL: __, ...env } = process.env;
  const child = spawn(process.execPath, ["test/run.ts", join(directory, "*.test.mjs")], {
    cwd: ROOT,
    env: databaseUrl === "" ? env : { ...env, TEST_DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  return child;
}

async function runOn(t: TestContext, files: Record<string, string>) {
  const child = startRunner(t, files);
  const [report, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: child.exitCode, report, errors };
}

test("a run whose tests pass ends with 0 and node's summary", async (t) => {
  const { code, report, errors } = await runOn(t, { "a.test.mjs": GOOD, "b.test.mjs": GOOD });
  assert.deepEqual({ code, errors }, { code: 0, errors: "" });
  for (const line of ["tests 2", "pass 2", "fail 0", "skipped 0"]) assert.ok(report.includes(line), line);
});

const failing: Record<string, [source: string | null, said: RegExp]> = {
  "a test that fails": ['test("bad", () => { throw new Error("x"); });', /the tests failed/],
  "a test that was skipped": ['test.skip("left out", () => {});', /skipped.*: left out \(.*b\.test\.mjs\)/],
  "a test that skips itself": ['test("left out", (t) => t.skip("why"));', /skipped.*: left out/],
  "a suite that was skipped": ['suite.skip("left out", () => {});', /skipped.*: left out/],
  "a test still to do": ['test.todo("later", () => { throw new Error("x"); });', /to do.*: later/],
  "a file that breaks": ["import './missing.mjs';", /the tests failed/],
  "a file without tests": [null, /there are no tests in .*b\.test\.mjs/],
};
for (const [what, [source, said]] of Object.entries(failing)) {
  test(`${what} fails the run`, async (t) => {
    const bad = source === null ? "" : `import { suite, test } from "node:test"; ${source}`;
    const { code, errors } = await runOn(t, { "a.test.mjs": GOOD, "b.test.mjs": bad });
    assert.equal(code, 1);
    assert.match(errors, said);
  });
}

test("a pattern that nothing matches fails the run", async (t) => {
  const { code, errors } = await runOn(t, {});
  assert.equal(code, 1);
  assert.match(errors, /no tests ran/);
});

test("a run that is stopped takes its tests and its PostgreSQL with it", async (t) => {
  const hanging =
    'import { test } from "node:test"; console.log(`${process.pid} ${process.env.TEST_DATABASE_URL}`);' +
    'test("hangs", () => new Promise(() => setInterval(() => {}, 1000)));';
  const child = startRunner(t, { "a.test.mjs": hanging }, "");
  let report = "";
  while (!/postgresql:.*\n/.test(report)) {
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    report += chunk.toString();
  }
  const [, pid, port] = /(\d+) postgresql:\/\/.*:(\d+)/.exec(report) ?? [];
  child.kill("SIGTERM");
  await once(child, "close");
  assert.equal(child.exitCode, 143);
  assert.throws(() => process.kill(Number(pid), 0), { code: "ESRCH" });
  const [error] = (await once(connect(Number(port), "127.0.0.1"), "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED");
});
