import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemory } from "../../src/sandbox/memory.ts";

test("the key used longest ago is forgotten first", () => {
  const memory = createMemory((key) => ({ key, uses: 0 }), 2);
  for (const key of ["a", "b", "a", "c", "a", "b"]) memory.recall(key).uses += 1;
  assert.deepEqual(memory.values(), [
    { key: "a", uses: 3 },
    { key: "b", uses: 1 },
  ]);
});
