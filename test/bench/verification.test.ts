import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Contender } from "../../bench/load/contenders.ts";
import { openServer } from "../../bench/load/databases.ts";
import { withSession } from "../../bench/load/session.ts";

const CONTENDER: Contender = {
  name: "flawed",
  databases: ["sqlite"],
  command: [fileURLToPath(new URL("./flawed-contender.ts", import.meta.url))],
};
const ORDERS = 100;

const root = mkdtempSync(join(tmpdir(), "wavegate-bench-test-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** @returns how many orders were accepted; rejects when the run fails */
async function runWith(flaws: Record<string, string>): Promise<number> {
  const directory = mkdtempSync(join(root, "run-"));
  const setup = {
    contender: CONTENDER,
    server: await openServer("sqlite", directory),
    directory,
    guard: { add() {}, remove() {} },
    env: { FLAWS: JSON.stringify(flaws) },
    patienceMs: 300,
  };
  return withSession(setup, async ({ load, settled }) => {
    await load.start({ kind: "closed", connections: 8, maxInFlight: 32 });
    while ((await load.delivered()).sent < ORDERS);
    const { sent } = await settled();
    return sent.status.filter((status) => status === 201).length;
  });
}

const FLAWS = [
  ["drops the callback", /without a callback: b-0(;|$)/],
  ["calls back twice", /called back more than once: b-1(;|$)/],
  ["skips ticketing", /without tickets: b-2(;|$)/],
  ["tickets twice", /ticketed more than once: b-3(;|$)/],
  ["forgets the row", /not delivered in the database: b-4(;|$)/],
  ["refuses", /answered 503: b-5(;|$)/],
  ["confuses", /b-6: its trace id is not the same everywhere(;|$)/],
  ["does not sign", /b-7: the callback's signature is missing or wrong(;|$)/],
] as const;

suite("the bench's verification", () => {
  test("a run whose orders all arrive once passes", async () => {
    assert.ok((await runWith({})) >= ORDERS);
  });

  test("a run fails by each order that does not, and names it", async () => {
    const flaws = Object.fromEntries(FLAWS.map(([flaw], n) => [`b-${n}`, flaw]));
    const failed = await runWith(flaws).then(
      () => "",
      (error: Error) => error.message,
    );
    for (const [flaw, told] of FLAWS) assert.match(failed, told, flaw);
  });
});
