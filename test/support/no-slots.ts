import type { Worker } from "../../src/pipeline/worker.ts";

/** A worker that has no slot for what is just being written: it waits in the queue. */
export const noSlots: Worker["reserve"] = (partnerIds) => ({
  claims: partnerIds.map(() => null),
  begin() {},
  cancel() {},
});
