import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AcceptResult } from "../../src/pipeline/accept.ts";
import type { Leg } from "../../src/orders/states.ts";
import type { Storage } from "../../src/storage/open.ts";
import { startCommitProxy, type CommitProxy } from "../storage/commit-proxy.ts";
import { attemptsOf, rowsIn, statusOf, storyOf } from "../storage/fixtures.ts";
import { freshStorage, onEachDatabase, openUrl, POSTGRES } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import {
  DEADLINE_MS,
  failure,
  type HeldEngine,
  type HeldOptions,
  LEASE_MS,
  newPartner,
  startHeldEngine,
  success,
  until,
} from "./held-engine.ts";

const TABLES = ["ticketing_jobs", "ota_callback_jobs", "circuits", "circuit_failures"];

const idOf = (result: AcceptResult): number =>
  result.kind === "accepted" ? result.order.id : assert.fail(`not accepted: ${result.kind}`);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A story without what makes it this order's. */
async function plotOf(storage: Storage, id: number): Promise<unknown> {
  const names = new Set(["id", "order_id", "job_id", "trace_id", "partner_id", "event_id", "claim"]);
  const text = JSON.stringify(await storyOf(storage, id), (name, value: unknown) =>
    names.has(name) && value !== null ? "its own" : value,
  );
  return JSON.parse(text);
}

onEachDatabase("jobs written with their claim", (kind) => {
  let storage: Storage;
  let p: string;
  let q: string;
  const engines: HeldEngine[] = [];
  const start = async (options?: HeldOptions, on = storage): Promise<HeldEngine> => {
    const engine = await startHeldEngine(on, options);
    engines.push(engine);
    return engine;
  };
  before(async () => {
    storage = await freshStorage(kind);
    p = await newPartner(storage);
    q = await newPartner(storage);
  });
  afterEach(async () => {
    await Promise.all(engines.splice(0).map((engine) => engine.close()));
    for (const table of TABLES) await storage.database.run(`delete from ${table}`, []);
  });
  after(() => storage.close());
  const jobOf = async (leg: Leg, id: number) => (await storyOf(storage, id))[leg]!.job;
  async function openCircuit(leg: Leg, partnerId: string): Promise<void> {
    const { run } = storage.database;
    // Without a failure it is taken for proven.
    await run(
      "insert into circuit_failures (leg, partner_id, order_id, job_id, blocked, at) values ($1, $2, 0, 0, 0, 0)",
      [leg, partnerId],
    );
    await run(
      "insert into circuits (leg, partner_id, state, opened_at, next_probe_at) values ($1, $2, 'open', 0, $3)",
      [leg, partnerId, Date.now() + 3_600_000],
    );
  }

  test("the story is the same as when the queue gives them, on both legs", async () => {
    const clock = createFakeClock();
    const born = await start({ clock });
    const id = await born.order(p);
    const first = await born.attempt("ticketing", id);
    const { order } = await storyOf(storage, id);
    const job = await jobOf("ticketing", id);
    assert.equal(order.pipeline_status, "ticketing_processing");
    assert.deepEqual(
      [job.status, job.claim, job.claimed_by, job.attempts, job.run_attempts, job.lane],
      ["running", first.job.claim, "test", 1, 1, 0],
    );
    const times = [job.created_at, job.next_attempt_at, job.run_started_at, job.claimed_at];
    assert.deepEqual(new Set(times), new Set([clock.nowMs]));
    assert.equal(job.lease_until, clock.nowMs + LEASE_MS);
    const running = await plotOf(storage, id);
    first.end();
    const second = await born.attempt("callback", id);
    const called = await plotOf(storage, id);
    assert.equal((await jobOf("callback", id)).claim, second.job.claim);
    second.end();
    await until("delivered", async () => (await statusOf(storage, id)) === "ota_callback_delivered");
    assert.deepEqual(born.fromQueue, []);

    const queued = await start({ clock, started: false });
    const other = await queued.order(q);
    const { ticketing, callback } = queued.engine.workers;
    await ticketing.takeDue();
    const third = await queued.attempt("ticketing", other);
    assert.deepEqual(await plotOf(storage, other), running);
    // What acceptance has parsed is passed on as it is.
    const own = new Set(["jobId", "orderId", "partnerId", "claim", "traceId", "payload"]);
    const carried = (each: object) =>
      Object.fromEntries(Object.entries(each).filter(([name]) => !own.has(name)));
    assert.deepEqual(carried(third.job), carried(first.job));
    third.end();
    await ticketing.idle();
    await callback.takeDue();
    const fourth = await queued.attempt("callback", other);
    assert.deepEqual(await plotOf(storage, other), called);
    const { callback: told, ...rest } = fourth.job;
    const { callback: bornTold, ...bornRest } = second.job;
    assert.deepEqual(carried(rest), carried(bornRest));
    assert.deepEqual({ ...told, event: null }, { ...bornTold, event: null });
    assert.equal(bornTold!.event.id, second.job.callback!.event.id);
    fourth.end();
    await callback.idle();
    assert.deepEqual(await plotOf(storage, other), await plotOf(storage, id));
    assert.deepEqual(queued.fromQueue.length, 2);
  });

  test("a failure goes on schedule, and the next attempt has the next number", async () => {
    const one = await start({ offsetsMs: [0, 30] });
    const id = await one.order(p);
    (await one.attempt("ticketing", id)).end(failure("retry"));
    (await one.attempt("ticketing", id)).end();
    (await one.attempt("callback", id)).end(failure("retry"));
    (await one.attempt("callback", id)).end();
    await until("delivered", async () => (await statusOf(storage, id)) === "ota_callback_delivered");
    for (const leg of ["ticketing", "callback"] as const) {
      assert.deepEqual(await attemptsOf(storage, id, leg), [
        [1, 500],
        [2, 200],
      ]);
    }
  });

  test("where ticketing's circuit is open they wait and are held, and their slots are free", async () => {
    const one = await start({ slots: 2 });
    await openCircuit("ticketing", "");
    const ids = [await one.order(p), await one.order(q)];
    assert.deepEqual(await Promise.all(ids.map((id) => statusOf(storage, id))), ["accepted", "accepted"]);
    await one.engine.tend();
    for (const id of ids) {
      const { status, attempts, claim, held_until } = await jobOf("ticketing", id);
      assert.deepEqual([status, attempts, claim, held_until !== null], ["pending", 0, null, true]);
    }
    assert.deepEqual([one.held.length, one.engine.workers.ticketing.inFlight()], [0, 0]);
  });

  test("where a partner's circuit is open its callbacks wait, and no other's", async () => {
    const one = await start();
    await openCircuit("callback", p);
    const waiting = await one.order(p);
    const going = await one.order(q);
    for (const id of [waiting, going]) (await one.attempt("ticketing", id)).end();
    await one.attempt("callback", going);
    assert.equal(await statusOf(storage, going), "ota_callback_pending");
    await until("ticketed", async () => (await statusOf(storage, waiting)) === "ticketed");
    const { status, attempts, claim } = await jobOf("callback", waiting);
    assert.deepEqual([status, attempts, claim], ["pending", 0, null]);
    assert.equal(one.engine.workers.callback.inFlight(), 1);
  });

  test("a partner at its cap waits, is claimed when a slot is free, and holds up nobody", async () => {
    const one = await start({ slots: 3, slotsPerPartner: 1 });
    const [first, second] = [await one.order(p), await one.order(p)];
    const running = await one.attempt("ticketing", first);
    assert.equal(await statusOf(storage, second), "accepted");
    await one.attempt("ticketing", await one.order(q));
    assert.equal(one.held.length, 2);
    running.end();
    await one.attempt("ticketing", second);
    assert.deepEqual(
      one.fromQueue.filter((job) => job.partnerId === p).map((job) => [job.orderId, job.no]),
      [[second, 1]],
    );
  });

  test("behind a backlog they wait their turn, though a slot becomes free as they come", async () => {
    const one = await start({ slots: 2 });
    const ids = [await one.order(p), await one.order(p), await one.order(q)];
    const others = (): boolean => one.held.some(({ job }) => job.partnerId === q);
    let rounds = 0;
    for (; !others() && rounds < 5; rounds += 1) {
      await until("two in flight", () => one.held.length === 2);
      if (others()) break;
      one.held[0]!.end(failure("blocked"));
      while (one.engine.workers.ticketing.inFlight() === 2) await turn();
      ids.push(await one.order(p));
    }
    assert.ok(rounds <= 2, `overtaken ${rounds} times`);
    for (const id of ids) {
      await until(`order ${id}`, async () => {
        one.endAll(failure("blocked"));
        return (await statusOf(storage, id)) === "ticketing_blocked";
      });
      assert.deepEqual(await attemptsOf(storage, id), [[1, 500]]);
    }
    assert.equal(one.engine.workers.ticketing.inFlight(), 0);
  });

  test("a process that doesn't work writes them for those who do", async () => {
    const api = await start({ started: false });
    const id = await api.order(p);
    assert.equal(await statusOf(storage, id), "accepted");
    assert.equal((await jobOf("ticketing", id)).status, "pending");
    assert.equal(api.engine.workers.ticketing.inFlight(), 0);
    const works = await start();
    (await works.attempt("ticketing", id)).end();
    await works.attempt("callback", id);
    assert.deepEqual(
      works.fromQueue.map((job) => job.orderId),
      [id],
      "its callback needed no queue",
    );
  });

  /** A storage whose accepts pass a gate between their commit and the news of it. */
  function gated(gate: () => Promise<void> | void): Storage {
    const { intake } = storage;
    const accept: typeof intake.accept = async (orders, now) => {
      const results = await intake.accept(orders, now);
      await gate();
      return results;
    };
    return { ...storage, intake: { ...intake, accept } };
  }

  test("a stop waits for what is just being written, and begins nothing after", async () => {
    const gate = Promise.withResolvers<void>();
    let isThere = false;
    const one = await start(
      {},
      gated(() => {
        isThere = true;
        return gate.promise;
      }),
    );
    const accepting = one.order(p);
    await until("written", () => isThere);
    const { ticketing } = one.engine.workers;
    assert.equal(ticketing.inFlight(), 1);
    let stopped = false;
    const stopping = ticketing.stop().then(() => (stopped = true));
    await turn();
    assert.equal(stopped, false, "what it has claimed is still its own");
    gate.resolve();
    const id = await accepting;
    (await one.attempt("ticketing", id)).end();
    await stopping;
    assert.equal(one.held.filter(({ leg }) => leg === "ticketing").length, 0);
    assert.deepEqual(await attemptsOf(storage, id), [[1, 200]]);
    const later = await one.order(p);
    await turn();
    assert.equal(await statusOf(storage, later), "accepted");
    assert.equal(ticketing.inFlight(), 0);
  });

  test("a drain lets them finish on both legs, and leaves nothing claimed", async () => {
    const one = await start();
    const id = await one.order(p);
    const attempt = await one.attempt("ticketing", id);
    const stopping = one.engine.stop(60_000, async () => {});
    await turn();
    attempt.end();
    await stopping;
    assert.equal(await statusOf(storage, id), "ticketed", "the callback is left to the next process");
    assert.equal((await jobOf("callback", id)).status, "pending");
    assert.deepEqual(await storage.queues.callback.expired(10, true, null), []);
  });

  test("one whose process stood still since its claim is given back unsent", async () => {
    const clock = createFakeClock();
    const room = LEASE_MS - DEADLINE_MS - 1_000;
    const one = await start(
      { clock },
      gated(() => clock.advance(room + 1)),
    );
    const id = await one.order(p);
    await until("given back", async () => (await jobOf("ticketing", id)).status === "pending");
    await one.engine.workers.ticketing.idle();
    const { status, attempts, claim, run_started_at } = await jobOf("ticketing", id);
    assert.deepEqual([status, attempts, claim, run_started_at], ["pending", 0, null, null]);
    assert.deepEqual([one.held.length, one.engine.workers.ticketing.inFlight()], [0, 0]);
    one.engine.workers.ticketing.wake();
    (await one.attempt("ticketing", id)).end();
    await one.attempt("callback", id);
    assert.deepEqual(await attemptsOf(storage, id), [[1, 200]]);
  });

  test("an order that the database refuses fails alone, and its slot is free again", async () => {
    const one = await start({ slots: 4 });
    const { ticketing } = one.engine.workers;
    const results = await Promise.allSettled([
      one.order(p),
      one.accept(p, { sku: null }),
      one.order(q),
      one.accept(q, { sku: null }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected"],
    );
    await until("both begun", () => one.held.length === 2);
    assert.equal(ticketing.inFlight(), 2);
    one.endAll(failure("blocked"));
    await ticketing.idle();
    await until("every slot is free", () => {
      const all = ticketing.reserve([p, p, q, q]);
      all.begin([]);
      return all.claims.every((claim) => claim !== null);
    });
  });

  test("a slot that a replay took for nothing goes to the order that waits for it", async () => {
    const one = await start({ slots: 1 });
    const first = await one.accept(p, { key: "k" });
    (await one.attempt("ticketing", idOf(first))).end(failure("blocked"));
    await one.engine.workers.ticketing.idle();
    const [replay, id] = await Promise.all([one.accept(p, { key: "k" }), one.order(p)]);
    assert.equal(replay.kind, "replayed");
    await one.attempt("ticketing", id);
  });

  test("bursts, retries and looks mixed: never more at once than slots, and all are delivered", async () => {
    const slots = 6;
    const slotsPerPartner = 3;
    const partners = [p, q, await newPartner(storage)];
    const most = new Map<string, number>();
    const now = new Map<string, number>();
    const count = (name: string, by: 1 | -1): void => {
      now.set(name, (now.get(name) ?? 0) + by);
      most.set(name, Math.max(most.get(name) ?? 0, now.get(name)!));
    };
    let turns = 0;
    const busy = await start({
      slots,
      slotsPerPartner,
      offsetsMs: [0, 1, 2, 3, 4, 5],
      async step(leg, job) {
        count(leg, 1);
        count(`${leg} ${job.partnerId}`, 1);
        await sleep((turns += 1) % 12);
        count(leg, -1);
        count(`${leg} ${job.partnerId}`, -1);
        return job.no === 1 && job.orderId % 5 === 0 ? failure("retry") : success(leg);
      },
    });
    const ids: number[] = [];
    const { ticketing, callback } = busy.engine.workers;
    for (const [burst, size] of [9, 1, 5, 8, 3, 12].entries()) {
      const orders = Array.from({ length: size }, (_, index) => busy.order(partners[(burst + index) % 3]!));
      ids.push(...(await Promise.all(orders)));
      // Now upon an engine at rest, now upon one that has its hands full.
      if (burst % 3 === 2) await until("at rest", () => ticketing.inFlight() + callback.inFlight() === 0);
      else await sleep(size);
    }
    const open = "ota_callback_jobs where status <> 'succeeded'";
    await until("all are delivered", async () => {
      const told = await rowsIn(storage, "ota_callback_jobs");
      return told === ids.length && (await rowsIn(storage, open)) === 0;
    });
    for (const id of ids) {
      const story = await storyOf(storage, id);
      assert.equal(story.order.pipeline_status, "ota_callback_delivered");
      const codes = id % 5 === 0 ? [500, 200] : [200];
      for (const leg of ["ticketing", "callback"] as const) {
        assert.deepEqual(
          story[leg]!.attempts.map(({ no, code }) => [no, code]),
          codes.map((code, index) => [index + 1, code]),
        );
      }
    }
    for (const [name, count] of most) {
      assert.ok(count <= (name.includes(" ") ? slotsPerPartner : slots), `${name}: ${count} at once`);
    }
    const queued = busy.fromQueue.filter(({ no }) => no === 1).length;
    assert.ok(queued > 0 && queued < 2 * ids.length, `${queued} of ${2 * ids.length} by the queue`);
    for (const worker of Object.values(busy.engine.workers)) {
      await worker.idle();
      assert.equal(worker.inFlight(), 0);
    }
  });
});

suite("jobs written with their claim over a connection that breaks", () => {
  let proxy: CommitProxy;
  let storage: Storage;
  /** Through the proxy: accepts and the settles of ticketing, and nothing else. */
  let through: Storage;
  let one: HeldEngine;
  let p: string;
  before(async () => {
    const url = await POSTGRES.migratedUrl();
    proxy = await startCommitProxy(url);
    storage = openUrl(url);
    through = openUrl(proxy.url);
    p = await newPartner(storage);
    const { intake, settlements } = through;
    one = await startHeldEngine({
      ...storage,
      intake,
      settlements: { ...storage.settlements, ticketing: settlements.ticketing },
    });
  });
  after(async () => {
    await one.close();
    await Promise.all([storage.close(), through.close()]);
    await proxy.close();
  });

  async function finish(id: number): Promise<void> {
    (await one.attempt("ticketing", id)).end();
    (await one.attempt("callback", id)).end();
    await until("delivered", async () => (await statusOf(storage, id)) === "ota_callback_delivered");
    const story = await storyOf(storage, id);
    for (const leg of ["ticketing", "callback"] as const) {
      assert.deepEqual(await attemptsOf(storage, id, leg), [[1, 200]]);
      assert.deepEqual([story[leg]!.job.attempts, story[leg]!.job.run_attempts], [1, 1]);
      await one.engine.workers[leg].idle();
      assert.equal(one.engine.workers[leg].inFlight(), 0);
    }
    assert.deepEqual(story.late, []);
    assert.equal(await rowsIn(storage, `ota_callback_jobs where order_id = ${id}`), 1);
    assert.deepEqual(one.held, []);
  }

  test("an accept whose COMMIT was done: the order is found, its claim given back, delivered once", async () => {
    const before = one.fromQueue.length;
    proxy.fate = "answer lost";
    const id = await one.order(p);
    assert.equal(proxy.fate, "pass", "a COMMIT had its answer lost");
    await finish(id);
    assert.deepEqual(
      one.fromQueue.slice(before).map((job) => job.orderId),
      [id],
    );
  });

  test("an accept whose COMMIT was lost: nothing is there, and its slot is free", async () => {
    const before = await rowsIn(storage, "orders");
    proxy.fate = "lost on the way";
    await assert.rejects(one.order(p));
    assert.equal(proxy.fate, "pass", "a COMMIT was lost");
    assert.equal(await rowsIn(storage, "orders"), before);
    assert.equal(one.engine.workers.ticketing.inFlight(), 0);
    await finish(await one.order(p));
  });

  for (const fate of ["answer lost", "lost on the way"] as const) {
    test(`a settle whose COMMIT has ${fate === "answer lost" ? "its answer lost" : "been lost"}: one callback, told once`, async () => {
      const id = await one.order(p);
      await one.attempt("ticketing", id);
      proxy.fate = fate;
      await finish(id);
      assert.equal(proxy.fate, "pass", "a COMMIT broke");
    });
  }
});
