import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const directory = mkdtempSync(join(tmpdir(), "wavegate-main-"));
after(() => rmSync(directory, { recursive: true, force: true }));

const run = (node: string, args: string[]) =>
  spawnSync(node, args, { cwd: ROOT, encoding: "utf8", timeout: 60_000 });

/** Arguments that make the Node of this run take itself for another version. */
function pretend(version: string): string[] {
  const preload = join(directory, `${version}.cjs`);
  writeFileSync(
    preload,
    `const versions = { ...process.versions, node: "${version}" };
     Object.defineProperty(process, "versions", { value: versions });
     Object.defineProperty(process, "version", { value: "v${version}" });`,
  );
  return ["--require", preload];
}

/** Every Node on the PATH that is too old, with its version. */
function olderNodes(): [path: string, version: string][] {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .map((path): [string, string] => [path, run(path, ["-p", "process.versions.node"]).stdout.trim()])
    .filter(([, version]) => version !== "" && isTooOld(version));
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 24 || (major === 24 && minor < 12);
}

for (const entry of ["src/main.ts", "test/run.ts"]) {
  test(`${entry} says on an older Node what it needs`, () => {
    const simulated = ["18.20.8", "20.20.2", "23.11.1", "24.11.9"];
    const runs = [
      ...simulated.map((version) => ({ node: process.execPath, args: pretend(version), version })),
      ...olderNodes().map(([node, version]) => ({ node, args: [], version })),
    ];
    for (const { node, args, version } of runs) {
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
