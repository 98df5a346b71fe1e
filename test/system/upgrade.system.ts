import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const SCRIPT = join(import.meta.dirname, "../../scripts/upgrade.ts");

interface Upgrade {
  readonly database: string;
  readonly ok: boolean;
  readonly facts: Readonly<Record<string, number>>;
  readonly steps: readonly { readonly what: string }[];
}

// From the last commit, which every clone has: that the upgrade itself works, whatever the schemas are.
test("the last commit is upgraded to the working tree under load, and gone back to", () => {
  const args = ["HEAD", "--seconds", "10", "--orders", "150", "--json"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  const upgrades = JSON.parse(stdout) as Upgrade[];
  assert.deepEqual(
    upgrades.map(({ database, ok, facts, steps }) => [
      database,
      ok,
      facts["orders in the database"],
      facts["gateway processes"],
      steps.length,
    ]),
    [
      ["sqlite", true, 150, 3, 2],
      ["postgres", true, 150, 6, 9],
    ],
  );
});

test("a revision that git doesn't know, and wrong usage", () => {
  const said = (...args: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: "utf8" });
    return `${status} ${stderr.split("\n")[0]}`;
  };
  assert.equal(said("no-such-revision"), "1 git knows no revision no-such-revision");
  assert.equal(said(), "2 one revision is expected");
  assert.match(said("HEAD", "--database", "oracle"), /^2 --database must be one of/);
});
