import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { conductOf } from "../../chaos/behaviour.ts";
import { makePlan, type DatabaseKind } from "../../chaos/plan.ts";

const RUN = join(import.meta.dirname, "../../chaos/run.ts");
const SEED = 5;

interface Report {
  readonly ok: boolean;
  readonly facts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly invariants: readonly { name: string; cases: number; violations: number; shown: unknown }[];
}

function chaos(t: TestContext, ...args: string[]) {
  const child = spawn(process.execPath, [RUN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGTERM"));
  return child;
}

async function report(
  t: TestContext,
  database: DatabaseKind,
  minutes: number,
  ...more: string[]
): Promise<Report> {
  const child = chaos(t, "--json", "--database", database, "--minutes", String(minutes), ...more);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.ok(out.startsWith("["), errors);
  const [only] = JSON.parse(out) as [Report];
  const broken = only.invariants.filter(({ violations }) => violations > 0);
  assert.deepEqual(broken, [], JSON.stringify(broken, null, 2));
  assert.equal(child.exitCode, 0, errors);
  return only;
}

for (const database of ["sqlite", "postgres"] satisfies DatabaseKind[]) {
  test(`no invariant breaks while everything else does, on ${database}`, async (t) => {
    const { facts, faults, invariants } = await report(t, database, 0.33, "--seed", String(SEED));
    for (const [kind, count] of Object.entries(faults)) assert.ok(count > 0, `${kind} was injected`);
    for (const name of ["every order is delivered at the end", "a callback's signatures verify"]) {
      assert.ok(invariants.find((each) => each.name === name)!.cases > 0, name);
    }
    assert.equal(facts["orders in the database"], facts["orders planned"]);
    assert.ok(facts["attempts"]! > 2 * facts["orders planned"]!, "targets misbehaved");
  });
}

test("without faults nothing is lost, late or bought twice", async (t) => {
  const { facts, faults } = await report(t, "sqlite", 0.05, "--faults", "none");
  assert.deepEqual(new Set(Object.values(faults)), new Set([0]));
  for (const fact of ["of them lost", "results heard late", "orders ticketed there twice"])
    assert.equal(facts[fact], 0, fact);
});

test("a run that is stopped ends what it started", async (t) => {
  const child = chaos(t, "--database", "postgres", "--minutes", "1");
  await once(child.stderr, "data");
  const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("wavegate-chaos-"));
  const opened = folders();
  child.kill("SIGINT");
  await once(child, "close");
  assert.equal(child.exitCode, 130);
  // Other runs may be at work beside this one.
  assert.ok(opened.some((name) => !existsSync(join(tmpdir(), name))));
});

test("the same seed gives the same plan", () => {
  const options = {
    seed: SEED,
    database: "postgres",
    gateways: 4,
    durationMs: 60_000,
    orders: 600,
    faults: "all",
  } as const;
  assert.deepEqual(makePlan(options), makePlan(options));
  assert.notDeepEqual(makePlan(options).faults, makePlan({ ...options, seed: SEED + 1 }).faults);
  assert.deepEqual(conductOf(SEED, "ticketing", "CHAOS-1", 0), conductOf(SEED, "ticketing", "CHAOS-1", 0));
});

test("a wrong option is said", async (t) => {
  const child = chaos(t, "--database", "oracle");
  const [errors] = await Promise.all([text(child.stderr), once(child, "close")]);
  assert.equal(child.exitCode, 2);
  assert.match(errors, /--database must be one of sqlite, postgres, both/);
});
