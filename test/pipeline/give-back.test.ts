import assert from "node:assert/strict";
import { test } from "node:test";
import { startCommitProxy } from "../storage/commit-proxy.ts";
import { attemptsOf, storyOf } from "../storage/fixtures.ts";
import { openUrl, POSTGRES } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { startWay } from "../support/way.ts";

// Otherwise its lease would end, and the attempt would count as lost: as one that ticketing may have heard of.
test("a claim of a process that stood still is given back unsent, also when the database is away", async (t) => {
  const proxy = await startCommitProxy(await POSTGRES.migratedUrl());
  const storage = openUrl(proxy.url);
  const clock = createFakeClock();
  const { ticketing, callback } = storage.queues;
  const standsStill: typeof ticketing = {
    ...ticketing,
    async claim(request) {
      const jobs = await ticketing.claim(request);
      clock.advance(3_600_000);
      proxy.fate = "lost on the way";
      return jobs;
    },
  };
  const way = await startWay({
    storage: { ...storage, queues: { ticketing: standsStill, callback } },
    clock,
  });
  t.after(async () => {
    await way.close();
    await proxy.close();
  });
  const id = await way.order();

  const worker = way.engine.workers.ticketing;
  assert.equal(await worker.takeDue(), 1);
  await worker.idle();

  assert.equal(proxy.fate, "pass", "a COMMIT was lost");
  assert.equal(way.ticketing.requests.length, 0);
  assert.deepEqual(await attemptsOf(storage, id), []);
  const { job } = (await storyOf(storage, id)).ticketing!;
  assert.deepEqual([job.status, job.claim, job.attempts, job.run_attempts], ["pending", null, 0, 0]);
});
