import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createHoldWatch } from "../../src/pipeline/hold-watch.ts";
import { statusOf } from "../storage/fixtures.ts";
import { freshStorage, SQLITE } from "../support/databases.ts";
import { newPartner, startHeldEngine, until } from "./held-engine.ts";
import { heardBy } from "../support/log.ts";

const ACT = { actor: "kim", reason: "restored" };
const POLL_MS = 5;
/** Many polls. */
const WHILE_MS = 100;

test("a process begins nothing while it is held, from its start or later, and goes on when it is not", async (t) => {
  const storage = await freshStorage(SQLITE);
  t.after(() => storage.close());
  const partner = await newPartner(storage);
  const { engine, held, order, attempt, close } = await startHeldEngine(storage, { started: false });
  t.after(close);
  const events: string[] = [];
  const tell = ({ event }: { readonly event: string }): void => void events.push(event);
  const watch = createHoldWatch({
    readHold: storage.readHold,
    pollMs: POLL_MS,
    log: heardBy(tell),
    begin: engine.start,
    pause: engine.pause,
  });
  t.after(watch.stop);
  const nothingBegins = async (): Promise<void> => {
    const before = held.length;
    for (const worker of Object.values(engine.workers)) worker.wake();
    await sleep(WHILE_MS);
    assert.equal(held.length, before);
  };

  await storage.holds.place(ACT, null);
  const first = await order(partner);
  await watch.start();
  await nothingBegins();
  await storage.holds.lift(ACT, null);
  const inFlight = await attempt("ticketing", first);

  await storage.holds.place(ACT, null);
  await until("it is held again", () => events.filter((event) => event === "gateway.held").length === 2);
  const second = await order(partner);
  await nothingBegins();
  // What is in flight ends, and leads to nothing yet.
  inFlight.end();
  await until("it is settled", async () => (await statusOf(storage, first)) === "ticketed");
  await nothingBegins();
  await storage.holds.lift(ACT, null);
  for (const [leg, id] of [
    ["callback", first],
    ["ticketing", second],
  ] as const)
    (await attempt(leg, id)).end();
  assert.deepEqual(events, ["gateway.held", "gateway.released", "gateway.held", "gateway.released"]);
});
