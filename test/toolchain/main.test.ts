import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { olderNodes, pretend } from "../support/older-node.ts";

const ROOT = join(import.meta.dirname, "../..");

const run = (node: string, args: string[]) =>
  spawnSync(node, args, { cwd: ROOT, encoding: "utf8", timeout: 60_000 });

for (const entry of ["src/main.ts", "test/run.ts"]) {
  test(`${entry} says on an older Node what it needs`, () => {
    for (const { node, args, version } of olderNodes()) {
      const { status, stdout, stderr } = run(node, [...args, entry]);
      assert.equal(status, 1, `${version}: ${stderr}`);
      assert.match(stderr, /^WaveGate.* Node\.js 24\.12 or newer; this is v/);
      assert.ok(stderr.includes(`this is v${version}.\n`), stderr);
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.equal(stdout, "");
    }
  });
}

test("src/main.ts goes on from 24.12", () => {
  for (const version of ["24.12.0", "25.0.0"]) {
    const { stderr } = run(process.execPath, [...pretend(version), "src/main.ts", "--version"]);
    assert.doesNotMatch(stderr, /needs Node/, version);
  }
});
