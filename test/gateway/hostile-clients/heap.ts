import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Far more than a gateway that keeps nothing of what it refuses needs, and far less than what the attacks send. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Begins to watch. The function that it gives asserts that little more is held by now. */
export function watchHeap(): () => void {
  const before = heapBytes();
  return () => {
    const growth = heapBytes() - before;
    assert.ok(growth < MAX_GROWTH_BYTES, `the heap has grown by ${growth} bytes`);
  };
}
