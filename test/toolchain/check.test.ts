import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const CHECK = join(import.meta.dirname, "../../scripts/check.ts");

/** Runs a copy of the checks beside a package.json with these scripts. */
function check(t: TestContext, scripts: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-check-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(CHECK, join(directory, "scripts/check.ts"));
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module", scripts }));
  const { status, stdout } = spawnSync(process.execPath, ["scripts/check.ts"], {
    cwd: directory,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, last: stdout.trim().split("\n").at(-1) };
}

test("checks that all pass end with 0, and no other script is run", (t) => {
  const { status, last } = check(t, { "check:a": "exit 0", "check:b": "exit 0", test: "exit 1" });
  assert.deepEqual({ status, last }, { status: 0, last: "Every check passed." });
});

test("every check runs, and every failure is named", (t) => {
  const scripts = { "check:a": "exit 1", "check:b": "exit 0", "check:c": "kill -9 $$" };
  const { status, last } = check(t, scripts);
  assert.deepEqual({ status, last }, { status: 1, last: "Failed: check:a, check:c" });
});
