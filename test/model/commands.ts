import assert from "node:assert/strict";
import * as fc from "fast-check";
import { LEGS, type Leg } from "../../src/orders/states.ts";
import type { ClaimedJob } from "../../src/storage/jobs.ts";
import { ticketed } from "../storage/fixtures.ts";
import { ANSWERS, type AnswerName } from "./answers.ts";
import { type Model, SETTINGS } from "./model.ts";
import { checkInvariants, compare, takeSnapshot } from "./snapshot.ts";
import { PARTNERS, type World } from "./world.ts";

export type LifeCommand = fc.AsyncCommand<Model, World>;

/** A command that ends by holding the database against the model, and against the invariants. */
function command(
  text: string,
  run: (model: Model, world: World, now: number) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): LifeCommand {
  return {
    check,
    async run(model, world) {
      await run(model, world, world.clock.nowMs);
      const snapshot = await takeSnapshot(world.storage);
      checkInvariants(snapshot, world.before);
      compare(snapshot, model);
      world.before = snapshot;
    },
    toString: () => text,
  };
}

const ACT = { actor: "ops", reason: "the model says so" };
const hasOrders = (model: Readonly<Model>): boolean => model.orders.length > 0;
const hasTokens = (model: Readonly<Model>): boolean => model.tokens.length > 0;
const orderAt = (model: Model, index: number): number => model.orders[index % model.orders.length]!.id;
/** Counted from the end, so that small numbers are the claims that are likely to be held. */
const tokenAt = (model: Model, index: number) =>
  model.tokens[model.tokens.length - 1 - (index % model.tokens.length)]!;

const accept = (partner: (typeof PARTNERS)[number]): LifeCommand =>
  command(`accept ${partner}`, async (model, world, now) =>
    model.accept(await world.accept(partner), partner, now),
  );

/** The oldest of its partner and lane, and one that may be taken. */
function checkTaken(model: Model, leg: Leg, jobs: readonly ClaimedJob[], now: number): void {
  const claimable = model.claimable(leg, now);
  for (const { orderId } of jobs) {
    const taken = claimable.find(({ order }) => order.id === orderId);
    assert.ok(taken, `the ${leg} job of order ${orderId} was not to be claimed`);
    assert.ok(!["ticketed", "ota_callback_pending"].includes(taken.order.status) || leg === "callback");
    const older = claimable.filter(
      ({ order, job }) =>
        order.partner === taken.order.partner &&
        job.lane === taken.job.lane &&
        job.due![0] < taken.job.due![0] &&
        !jobs.some((each) => each.orderId === order.id),
    );
    assert.deepEqual(older, [], "the oldest come first");
  }
}

const claim = (leg: Leg, limit: number, slots: number): LifeCommand =>
  command(`claim ${limit} ${leg} jobs, ${slots} for each partner`, async (model, world, now) => {
    const claimable = model.claimable(leg, now);
    const jobs = await world.claim(leg, limit, slots);
    checkTaken(model, leg, jobs, now);
    const counts = PARTNERS.map((id) => claimable.filter(({ order }) => order.partner === id).length);
    const allowed = counts.reduce((sum, count) => sum + Math.min(count, slots), 0);
    assert.equal(jobs.length, Math.min(limit, allowed), "as many as are due and free");
    for (const id of PARTNERS) {
      const own = jobs.filter((job) => job.partnerId === id).length;
      assert.ok(own <= slots, `${own} of ${id}`);
    }
    for (const job of jobs) model.claim(leg, job.orderId, job.claim, now);
  });

/** Three workers at the same moment. */
const race = (leg: Leg): LifeCommand =>
  command(`three workers claim a ${leg} job each`, async (model, world, now) => {
    const due = model.claimable(leg, now).length;
    const jobs = (await Promise.all([0, 1, 2].map(() => world.claim(leg, 1, 3)))).flat();
    assert.equal(new Set(jobs.map((job) => job.orderId)).size, jobs.length, "no job is claimed twice");
    assert.ok(jobs.length >= Math.min(1, due) && jobs.length <= Math.min(3, due));
    for (const { orderId } of jobs) {
      const isDue = model.claimable(leg, now).some(({ order }) => order.id === orderId);
      assert.ok(isDue, `the ${leg} job of order ${orderId} was not to be claimed`);
    }
    for (const job of jobs) model.claim(leg, job.orderId, job.claim, now);
  });

const settle = (index: number, answer: AnswerName, jitter: number): LifeCommand =>
  command(
    `settle claim -${index + 1}: ${answer}, jitter ${jitter}`,
    async (model, world, now) => {
      const held = tokenAt(model, index);
      world.random = jitter;
      await world.settle(held.leg, held.token, held.orderId, answer);
      model.settle(held, answer, now);
    },
    hasTokens,
  );

/** What a worker does in one go. */
const work = (leg: Leg, limit: number, answer: AnswerName): LifeCommand =>
  command(`work ${limit} ${leg} jobs: ${answer}`, async (model, world, now) => {
    const jobs = await world.claim(leg, limit, limit);
    checkTaken(model, leg, jobs, now);
    for (const job of jobs) model.claim(leg, job.orderId, job.claim, now);
    for (const { claim: token, orderId } of jobs) {
      await world.settle(leg, token, orderId, answer);
      model.settle(
        model.tokens.find((each) => each.token === token && each.orderId === orderId)!,
        answer,
        now,
      );
    }
  });

const giveBack = (index: number): LifeCommand =>
  command(
    `give claim -${index + 1} back`,
    async (model, world, now) => {
      const held = tokenAt(model, index);
      const job = world.claims.get(`${held.token} ${held.orderId}`)!;
      await world.storage.queues[held.leg].giveBack([job], now);
      model.giveBack(held);
    },
    hasTokens,
  );

const pass = (ms: number): LifeCommand =>
  command(`${ms} ms pass`, async (_model, world) => world.clock.advance(ms));

const rescue = (all: boolean): LifeCommand =>
  command(all ? "take over every open claim" : "take over expired claims", async (model, world, now) => {
    await world.rescue(all);
    model.rescue(all, now);
  });

const round = (leg: Leg): LifeCommand =>
  command(`a round of the ${leg} circuits`, async (model, world, now) => {
    const probes = await world.round(leg);
    model.round(
      leg,
      probes.map(({ orderId, claim }) => ({ orderId, token: claim })),
      now,
    );
  });

const retry = (index: number): LifeCommand =>
  command(
    `retry order ${index}`,
    async (model, world, now) => {
      const id = orderAt(model, index);
      const retried = await world.storage.operatorActions.retry(id, ACT, now);
      const leg = model.retry(id, now);
      assert.equal(retried.kind === "retried" ? retried.leg : null, leg);
    },
    hasOrders,
  );

const cancel = (index: number): LifeCommand =>
  command(
    `cancel order ${index}`,
    async (model, world, now) => {
      const id = orderAt(model, index);
      const { kind } = await world.storage.operatorActions.cancel(id, ACT, now);
      assert.equal(kind, model.cancel(id));
    },
    hasOrders,
  );

const markTicketed = (index: number): LifeCommand =>
  command(
    `mark order ${index} ticketed`,
    async (model, world, now) => {
      const id = orderAt(model, index);
      const { kind } = await world.storage.operatorActions.markTicketed(id, ticketed(), ACT, now);
      assert.equal(kind === "ticketed", model.markTicketed(id, now));
    },
    hasOrders,
  );

const answer = fc.constantFrom(...(Object.keys(ANSWERS) as AnswerName[]));
const { leaseMs, holdLimitSecs, probeMs } = SETTINGS;
const leg = fc.constantFrom(...LEGS);
// Few orders, so that much happens to each of them.
const someOrder = fc.nat(3);
const someClaim = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 3, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.nat(12) },
);
const times = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(500, 2_000, 4_500, probeMs, leaseMs, leaseMs + 1) },
  { weight: 1, arbitrary: fc.constantFrom(holdLimitSecs * 1000, holdLimitSecs * 1000 + 1) },
);

const oneToFour = fc.integer({ min: 1, max: 4 });
const jitter = fc.constantFrom(0, 0.5, 0.99);
const seldom = fc.nat(4).map((n) => n === 0);

/** Everything that may happen, the likely more often. */
export const LIFE: fc.Arbitrary<LifeCommand> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...PARTNERS).map(accept) },
  { weight: 6, arbitrary: fc.tuple(leg, oneToFour, oneToFour).map((given) => claim(...given)) },
  { weight: 1, arbitrary: leg.map(race) },
  { weight: 6, arbitrary: fc.tuple(leg, oneToFour, answer).map((given) => work(...given)) },
  { weight: 8, arbitrary: fc.tuple(someClaim, answer, jitter).map((given) => settle(...given)) },
  { weight: 1, arbitrary: someClaim.map(giveBack) },
  { weight: 4, arbitrary: times.map(pass) },
  { weight: 2, arbitrary: seldom.map(rescue) },
  { weight: 5, arbitrary: leg.map(round) },
  { weight: 1, arbitrary: someOrder.map(retry) },
  { weight: 1, arbitrary: someOrder.map(cancel) },
  { weight: 1, arbitrary: someOrder.map(markTicketed) },
);
