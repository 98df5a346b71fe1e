import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../../src/storage/open.ts";
import { MAX_SESSIONS, type NewSession } from "../../src/storage/operator-sessions.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { NOW, rowsIn } from "./fixtures.ts";

const IDLE_MS = 1_800_000;
const session = (id: string, operator = "kim"): NewSession => ({
  id,
  digest: `${id} 1`,
  operator,
  tokenDigest: `token of ${operator}`,
});

async function withOperators(storage: Storage): Promise<void> {
  for (const name of ["kim", "noor"]) {
    const operator = { name, role: "viewer", tokenDigest: `token of ${name}`, development: false } as const;
    await storage.operators.add(operator, NOW);
  }
}

onEachDatabase("operators' sessions", (kind) => {
  test("begins, is found with its operator, and ends", async () => {
    const storage = await freshStorage(kind);
    const { operatorSessions: sessions } = storage;
    await withOperators(storage);
    assert.equal(await sessions.begin(session("a"), [], IDLE_MS, NOW), NOW);
    const [found, ...others] = await sessions.find(["x", "a"], NOW + 5);
    assert.equal(others.length, 0);
    assert.deepEqual([found!.operator.name, found!.operator.role, found!.now], ["kim", "viewer", NOW + 5]);
    assert.deepEqual(found!.session, {
      id: "a",
      digest: "a 1",
      previousDigest: null,
      previousUntil: null,
      tokenDigest: "token of kim",
      createdAt: NOW,
      seenAt: NOW,
      rotatedAt: NOW,
    });
    assert.deepEqual(await sessions.end(["x", "a"]), ["kim"]);
    assert.deepEqual(await sessions.find(["a"], NOW), []);
    const today = await sessions.begin(session("b"), [], IDLE_MS, null);
    assert.ok(Math.abs(today! - Date.now()) < 60_000, "without a time it is the database's");
    await storage.operators.setDisabled("noor", true, NOW);
    assert.equal(await sessions.begin(session("c", "noor"), [], IDLE_MS, NOW), null);
    await storage.close();
  });

  test("a new secret is given out once, and the one before it holds until the new one has come", async () => {
    const storage = await freshStorage(kind);
    const { operatorSessions: sessions } = storage;
    await withOperators(storage);
    await sessions.begin(session("a"), [], IDLE_MS, NOW);
    const read = async () => (await sessions.find(["a"], NOW))[0]!.session;
    const first = await read();
    const racing = ["a 2", "a two"].map((digest) => sessions.rotate(first, "a 1", digest, NOW + 10));
    assert.equal((await Promise.all(racing)).filter(Boolean).length, 1);
    const second = await read();
    assert.deepEqual(
      [second.previousDigest, second.previousUntil, second.rotatedAt],
      ["a 1", null, NOW + 10],
    );
    // The answer with the new one was lost: whoever has the old one gets another.
    assert.ok(await sessions.rotate(second, "a 1", "a 3", NOW + 20));
    await sessions.seen("a", "a 1", 60_000, false, NOW + 25);
    assert.deepEqual((await read()).previousUntil, null, "the old one lets nothing go");
    await sessions.seen("a", "a 3", 60_000, false, NOW + 30);
    const third = await read();
    assert.deepEqual([third.digest, third.previousDigest, third.previousUntil], ["a 3", "a 1", NOW + 60_030]);
    assert.equal(third.seenAt, NOW, "nobody has done anything");
    await sessions.seen("a", "a 3", 60_000, true, NOW + 40);
    assert.deepEqual([(await read()).seenAt, (await read()).previousUntil], [NOW + 40, NOW + 60_030]);
    assert.equal(
      await sessions.rotate(third, "a 1", "a 4", NOW + 50),
      false,
      "what was let go gets no other",
    );
    assert.ok(await sessions.rotate(third, "a 3", "a 4", NOW + 50));
    await storage.close();
  });

  test("the oldest give way, the idle are forgotten, the one that is replaced ends", async () => {
    const storage = await freshStorage(kind);
    const { operatorSessions: sessions } = storage;
    await withOperators(storage);
    await sessions.begin(session("n", "noor"), [], IDLE_MS, NOW);
    for (let no = 0; no < MAX_SESSIONS + 2; no += 1)
      await sessions.begin(session(`k${no}`), [], IDLE_MS, NOW + no);
    assert.equal(await rowsIn(storage, "operator_sessions"), MAX_SESSIONS + 1);
    const left = await sessions.find(["k0", "k1", "k2", "n"], NOW);
    assert.deepEqual(left.map(({ session: { id } }) => id).toSorted(), ["k2", "n"]);
    await sessions.begin(session("new"), ["k2"], IDLE_MS, NOW + 100);
    assert.deepEqual(await sessions.find(["k2"], NOW), []);
    await sessions.seen("new", "new 1", 60_000, true, NOW + IDLE_MS + 99);
    await sessions.begin(session("n2", "noor"), [], IDLE_MS, NOW + IDLE_MS + 101);
    assert.equal(await rowsIn(storage, "operator_sessions"), 2, "also others' idle ones are gone");
    const many = Array.from({ length: 2 * MAX_SESSIONS }, (_, no) =>
      sessions.begin(session(`r${no}`), [], IDLE_MS, NOW + IDLE_MS + 102),
    );
    await Promise.all(many);
    assert.equal(await rowsIn(storage, "operator_sessions"), MAX_SESSIONS + 1);
    await storage.close();
  });
});
