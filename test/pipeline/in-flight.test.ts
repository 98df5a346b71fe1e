import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createInFlight, type InFlight, type Look } from "../../src/pipeline/in-flight.ts";

type Job = { readonly partnerId: string; readonly isRetry: boolean };
const PARTNERS = ["a", "b", "c"];

/** A look at a queue, as far as it has got. */
interface LookUnderWay {
  readonly look: Look;
  readonly allowed: ReadonlyMap<string, number>;
  /** What it has claimed, and of whom it has left something behind; null: it has not asked yet. */
  claimed: { readonly jobs: readonly Job[]; readonly left: readonly string[] } | null;
}

/** A worker reduced to its counting, beside a queue whose contents are known. */
function createModel(slots: number, slotsPerPartner: number) {
  const inFlight: InFlight = createInFlight(slots, slotsPerPartner);
  const running: Job[] = [];
  let queue: Job[] = [];
  let current: LookUnderWay | null = null;
  /** Partners of whom the last complete look left jobs behind, and whether its own limit was why. */
  let left: readonly string[] = [];
  let leftByLimit = false;
  const taken = (partnerId: string): number => running.filter((job) => job.partnerId === partnerId).length;

  function checkBounds(): void {
    assert.equal(inFlight.total(), running.length);
    const claimable = current === null ? 0 : current.look.limit;
    assert.ok(running.length <= slots, "no more than the slots");
    if (current?.claimed === null)
      assert.ok(running.length + claimable <= slots, "nor with what a look may take");
    for (const partnerId of PARTNERS) {
      assert.ok(taken(partnerId) <= slotsPerPartner, "no more of a partner than its slots");
      const allowed = current?.claimed === null ? current.allowed.get(partnerId)! : 0;
      assert.ok(taken(partnerId) + allowed <= slotsPerPartner, "nor with what a look may take");
    }
  }

  return {
    /** A job that is about to be written: begun at once, or left to the queue. */
    write(partnerId: string): void {
      if (inFlight.reserve(partnerId)) {
        assert.ok(!left.includes(partnerId), "overtaken by a job that came later");
        assert.ok(!leftByLimit, "a slot given away that somebody waits for");
        running.push({ partnerId, isRetry: false });
      } else {
        queue.push({ partnerId, isRetry: false });
      }
    },
    /** A retry has fallen due: nobody has asked for a slot. */
    fallDue: (partnerId: string) => void queue.push({ partnerId, isRetry: true }),
    end(which: number): void {
      const [job] = running.splice(which % Math.max(1, running.length), 1);
      if (job) inFlight.end(job);
    },
    /** The next step of a look: begins, claims, ends. */
    look(): void {
      if (current === null) {
        const look = inFlight.look(false);
        const busy = new Map(look.busy.map((partner) => [partner.partnerId, partner.slots]));
        const allowed = new Map(PARTNERS.map((id) => [id, busy.get(id) ?? look.slotsPerPartner]));
        current = { look, allowed, claimed: null };
        assert.ok(look.limit >= 0 && [...allowed.values()].every((count) => count >= 0));
      } else if (current.claimed === null) {
        const { look, allowed } = current;
        const counts = new Map<string, number>();
        const jobs = queue.filter(({ partnerId }) => {
          const count = (counts.get(partnerId) ?? 0) + 1;
          if (count > allowed.get(partnerId)!) return false;
          counts.set(partnerId, count);
          return true;
        });
        jobs.splice(look.limit);
        queue = queue.filter((job) => !jobs.includes(job));
        current.claimed = { jobs, left: queue.map((job) => job.partnerId) };
      } else {
        const { look, allowed, claimed } = current;
        const { jobs } = claimed;
        for (const job of jobs) {
          inFlight.begin(job);
          running.push(job);
        }
        current = null;
        const { sawAll, again } = look.end(jobs);
        left = claimed.left;
        leftByLimit = left.length > 0 && jobs.length >= look.limit;
        if (sawAll) assert.deepEqual(left, [], "it has not seen all");
        const hasSlot = (id: string): boolean => running.length < slots && taken(id) < slotsPerPartner;
        const cut = (id: string): boolean =>
          jobs.filter((job) => job.partnerId === id).length >= allowed.get(id)!;
        // Cut short by its limit, it may have left somebody behind whom nobody has heard of.
        const hasReason =
          jobs.length >= look.limit ? hasSlot("unheard of") : PARTNERS.some((id) => cut(id) && hasSlot(id));
        if (left.some(hasSlot)) assert.ok(again, "what was left behind has a slot, and nobody looks");
        assert.equal(again, hasReason);
        const complete = jobs.length < look.limit && !PARTNERS.some(cut);
        if (complete) {
          assert.ok(sawAll, "a complete look that doesn't know it");
          for (const id of PARTNERS) assert.equal(inFlight.mayWait(id), false);
        }
      }
    },
    failLook(): void {
      if (current?.claimed !== null) return;
      assert.deepEqual(current.look.end(null), { sawAll: false, again: false });
      current = null;
      for (const id of PARTNERS) assert.ok(inFlight.mayWait(id), "nobody knows who waits");
    },
    checkBounds,
    /** Everything ends and looks go on as they are asked for: nothing may stay behind, and slots are given again. */
    settleDown(): void {
      for (let round = 0; queue.length > 0 || running.length > 0 || current !== null; round += 1) {
        assert.ok(round < 1000, "the queue never empties");
        if (current === null) while (running.length > 0) this.end(0);
        this.look();
      }
      for (let step = 0; step < 3; step += 1) this.look();
      for (const id of PARTNERS.slice(0, slots)) {
        assert.ok(inFlight.reserve(id), "nothing waits, and no slot is given");
        running.push({ partnerId: id, isRetry: false });
      }
      checkBounds();
    },
  };
}

type Step = (model: ReturnType<typeof createModel>) => void;
const partner = fc.constantFrom(...PARTNERS);
const steps = fc.array(
  fc.oneof(
    {
      arbitrary: partner.map(
        (id): Step =>
          (model) =>
            model.write(id),
      ),
      weight: 6,
    },
    {
      arbitrary: fc.nat(20).map(
        (which): Step =>
          (model) =>
            model.end(which),
      ),
      weight: 5,
    },
    { arbitrary: fc.constant<Step>((model) => model.look()), weight: 6 },
    {
      arbitrary: partner.map(
        (id): Step =>
          (model) =>
            model.fallDue(id),
      ),
      weight: 2,
    },
    { arbitrary: fc.constant<Step>((model) => model.failLook()), weight: 1 },
  ),
  { maxLength: 60 },
);

suite("slots in flight", () => {
  test("whatever comes in whatever order: bounds, turns, and nobody forgotten", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 4 }),
        steps,
        (slots, each, list) => {
          const model = createModel(slots, Math.min(slots, each));
          for (const step of list) {
            step(model);
            model.checkBounds();
          }
          model.settleDown();
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("a look keeps half for itself, all where somebody waits or nobody else takes slots", () => {
    const inFlight = createInFlight(10, 4);
    const look = (alone = false) => {
      const { limit, slotsPerPartner, end } = inFlight.look(alone);
      return { limit, slotsPerPartner, end };
    };
    const taken = (partnerId: string) => {
      let count = 0;
      while (inFlight.reserve(partnerId)) count += 1;
      return count;
    };
    const first = look();
    assert.deepEqual([first.limit, first.slotsPerPartner], [10, 4], "nobody knows yet who waits");
    assert.equal(taken("a"), 0);
    first.end([]);
    const second = look();
    assert.deepEqual([second.limit, second.slotsPerPartner], [5, 2]);
    assert.deepEqual([taken("a"), taken("b"), taken("c")], [2, 2, 1]);
    second.end([]);
    assert.equal(taken("d"), 4);
    const third = look(true);
    assert.deepEqual([third.limit, third.slotsPerPartner], [1, 4]);
    third.end([{ partnerId: "e", isRetry: true }]);
    inFlight.begin({ partnerId: "e", isRetry: true });
    assert.equal(inFlight.total(), 10);
    assert.equal(taken("f"), 0);
  });
});
