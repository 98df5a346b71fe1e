import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEvent } from "../../src/observe/log.ts";
import type { OrderStatus } from "../../src/orders/states.ts";
import { createOrderWaits } from "../../src/pipeline/order-waits.ts";
import { heardBy } from "../support/log.ts";

const NEVER = new AbortController().signal;
/** Longer than any test runs. */
const LONG_MS = 30_000;

function start(more: { pollMs?: number; maxWaiting?: number } = {}) {
  const statuses = new Map<number, OrderStatus>();
  const looks: (readonly number[])[] = [];
  const events: LogEvent[] = [];
  let broken = false;
  const keep = (event: LogEvent): void => void events.push(event);
  const waits = createOrderWaits({
    read: async (ids) => {
      looks.push(ids);
      if (broken) throw new Error("the database is away");
      return new Map(
        ids.map((id) => [id, { status: statuses.get(id) ?? "accepted", reference: null, tickets: null }]),
      );
    },
    log: heardBy(keep),
    pollMs: LONG_MS,
    ...more,
  });
  /** Resolves when a look of the given orders has been asked for. */
  const looked = async (count: number): Promise<void> => {
    while (looks.length < count) await new Promise((resolve) => void setTimeout(resolve, 1));
  };
  const statusOf = async (id: number, ms = LONG_MS, gone = NEVER) =>
    (await waits.standing(id, ms, gone))?.status ?? null;
  return { waits, statuses, looks, events, looked, statusOf, breakDown: () => (broken = true) };
}

test("the settle of this process wakes who waits for its order, and nobody else", async () => {
  const { waits, statuses, looks, looked, statusOf } = start();
  const waiting = [statusOf(1), statusOf(1)];
  const other = statusOf(2);
  await looked(1);
  assert.deepEqual(looks, [[1, 2]], "one look for all of them");
  statuses.set(1, "ota_callback_pending");
  waits.settled(1);
  assert.deepEqual(await Promise.all(waiting), ["ota_callback_pending", "ota_callback_pending"]);
  assert.deepEqual(looks.at(-1), [1]);
  waits.close();
  assert.equal(await other, "accepted");
});

test("an order that ticketing has done with is not waited for", async () => {
  const { waits, statuses, statusOf } = start();
  for (const status of [
    "ticketed",
    "ticketing_blocked",
    "ticketing_unknown",
    "cancelled",
    "closed",
  ] as const) {
    statuses.set(1, status);
    assert.equal(await statusOf(1), status);
  }
  waits.close();
});

test("what another process settles is found by one poll for all", async () => {
  const { statuses, looks, looked, statusOf } = start({ pollMs: 5 });
  const waiting = [1, 2, 3].map((id) => statusOf(id));
  await looked(4);
  assert.deepEqual(new Set(looks.map(String)), new Set(["1,2,3"]), "each poll is one look");
  for (const id of [1, 2, 3]) statuses.set(id, "ticketed");
  assert.deepEqual(await Promise.all(waiting), ["ticketed", "ticketed", "ticketed"]);
  const done = looks.length;
  await new Promise((resolve) => void setTimeout(resolve, 30));
  assert.equal(looks.length, done, "nobody waits: nobody polls");
});

test("when the time is over it is told as it stands", async () => {
  const { statuses, statusOf, waits } = start();
  statuses.set(1, "ticketing_processing");
  assert.equal(await statusOf(1, 5), "ticketing_processing");
  assert.equal(await statusOf(1, 0), "ticketing_processing");
  waits.close();
});

test("who comes when enough wait is answered at once, and those who leave make room", async () => {
  const { waits, looked, statusOf } = start({ maxWaiting: 2 });
  const gone = new AbortController();
  const leaving = statusOf(1, LONG_MS, gone.signal);
  const staying = statusOf(2);
  await looked(1);
  assert.equal(await statusOf(3), "accepted", "the third doesn't wait");
  gone.abort();
  assert.equal(await leaving, null, "nobody is told");
  const next = statusOf(4);
  const unanswered = Symbol("unanswered");
  const pause = new Promise((resolve) => void setTimeout(resolve, 20, unanswered));
  assert.equal(await Promise.race([next, pause]), unanswered, "there is room again");
  waits.close();
  assert.deepEqual(await Promise.all([staying, next]), ["accepted", "accepted"]);
  assert.equal(await statusOf(5), "accepted", "closed: at once");
  assert.equal(await statusOf(6, LONG_MS, AbortSignal.abort()), null);
});

test("a database that is away costs nobody the answer", async () => {
  const { waits, statusOf, breakDown, events, looked } = start({ pollMs: 5 });
  const waiting = statusOf(1, 60);
  await looked(1);
  breakDown();
  assert.equal(await waiting, null);
  assert.equal(await statusOf(2), null);
  assert.ok(events.length > 0 && events.every(({ event }) => event === "wait.look_failed"));
  waits.close();
});
