import assert from "node:assert/strict";
import { test } from "node:test";
import { createWatermark } from "../../src/pipeline/watermark.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const SLACK_MS = 5_000;
const FULL_LOOK_EVERY_MS = 2_000;

test("the first look is a full one, and there is another every few seconds, whatever was seen", () => {
  const clock = createFakeClock();
  const watermark = createWatermark(clock);
  assert.equal(watermark.begin().since, 0);
  watermark.begin().end({ sawAll: true, jobs: [{ startedAt: clock.nowMs }] });
  clock.advance(FULL_LOOK_EVERY_MS - 1);
  assert.notEqual(watermark.begin().since, 0);
  clock.advance(1);
  assert.equal(watermark.begin().since, 0);
});

test("between, what is long behind is passed over, with room for clocks and late commits", () => {
  const clock = createFakeClock();
  const watermark = createWatermark(clock);
  watermark.begin();
  const look = (sawAll: boolean, jobs: readonly { startedAt: number }[]): number => {
    const { since, end } = watermark.begin();
    end({ sawAll, jobs });
    return since;
  };
  const at = clock.nowMs;
  assert.equal(look(false, [{ startedAt: at }]), 0, "nothing known yet");
  assert.equal(look(true, []), 0, "what was not all seen raises nothing");
  assert.equal(look(true, [{ startedAt: at }]), 0, "neither does a look that found nothing");
  assert.equal(look(true, [{ startedAt: at - 60_000 }]), at - SLACK_MS);
  assert.equal(look(true, [{ startedAt: at + 1_000 }]), at - SLACK_MS, "it never goes back");
  assert.equal(look(true, []), at + 1_000 - SLACK_MS);
});
