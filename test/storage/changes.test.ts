import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createChanges } from "../../src/storage/changes.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claimOne, NOW, place, settle, settlement } from "./fixtures.ts";

onEachDatabase("what moves", (kind) => {
  let storage: Storage;
  before(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
  });
  after(() => storage.close());

  test("orders that came, that are worked or due, and that somebody acted on; each state in a word", async () => {
    const { changes } = storage;
    const marks = await changes.marks();
    assert.deepEqual(marks, { order: 0, action: 0, late: 0 });
    const [first, second] = await place(storage);
    assert.equal(second, undefined);
    const { id } = first!;

    const due = await changes.since(marks, NOW + 1);
    assert.deepEqual([due.came, due.acted, due.atWork], [[id], [], [id]]);
    assert.deepEqual((await changes.since(marks, NOW - 1)).atWork, [], "not due yet");
    const states = [(await changes.states([id, 999])).get(id)?.word];
    const job = await claimOne(storage, "ticketing");
    assert.deepEqual((await changes.since(due.marks, 0)).atWork, [id], "in flight");
    states.push((await changes.states([id])).get(id)?.word);
    await settle(storage, "ticketing", settlement("ticketing", job, "blocked"));
    states.push((await changes.states([id])).get(id)?.word);
    assert.deepEqual((await changes.since(due.marks, NOW + 1)).atWork, []);

    await storage.operatorActions.retry(id, { actor: "kim", reason: "again" }, NOW);
    states.push((await changes.states([id])).get(id)?.word);
    const acted = await changes.since(due.marks, 0);
    assert.deepEqual(acted.acted, [id]);
    assert.deepEqual(
      (await changes.since(acted.marks, 0)).acted,
      [id],
      "one before it may come into sight later",
    );
    assert.equal(new Set(states).size, 4, states.join("; "));
    assert.equal((await changes.states([id])).get(id)?.status, "ticketing_processing");
  });

  test("whatever is at work because it came during the look is told as that", async () => {
    const { database, changes } = storage;
    const marks = await changes.marks();
    const known = new Set((await changes.since(marks, NOW + 1)).atWork);
    const queries = database.queries.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        await place(storage);
        return result;
      },
    });
    const { came, atWork } = await createChanges({ ...database, queries }).since(marks, NOW + 1);
    assert.ok(came.some((id) => id > marks.order));
    const strangers = new Set(atWork).difference(known).difference(new Set(came));
    assert.deepEqual([...strangers], []);
  });
});
