import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTEMPT_ERRORS, type AttemptError, classify, type Outcome } from "../../src/orders/outcome.ts";
import { LEGS } from "../../src/orders/states.ts";
import { targetHealth } from "../../src/orders/target-health.ts";

const CODES = [null, ...Array.from({ length: 500 }, (_, index) => index + 100)];
const ERRORS: (AttemptError | null)[] = [null, ...ATTEMPT_ERRORS];

/** SPEC section 4, "Outcome", for whole answers. */
function byCode(code: number | null): Outcome {
  if (code === null) return "retry";
  if (code >= 200 && code <= 299) return "done";
  return code >= 400 && code <= 499 && code !== 429 ? "blocked" : "retry";
}

test("a whole answer: 2xx is done, 4xx but 429 blocks, everything else is tried again, on both legs", () => {
  for (const leg of LEGS) {
    for (const onUnknown of ["retry", "hold"] as const) {
      for (const code of CODES) {
        const outcome = classify(leg, { code, error: null, sent: true }, onUnknown);
        assert.equal(outcome, byCode(code), `${leg} ${code}`);
      }
    }
  }
});

test("a callback's outcome is its status line, whatever became of the rest", () => {
  for (const error of ERRORS) {
    for (const code of CODES) {
      const outcome = classify("callback", { code, error, sent: true }, "hold");
      assert.equal(outcome, error === "guard" ? "blocked" : byCode(code), `${code} ${error}`);
    }
  }
});

test("ticketing's answer that did not come whole: tried again, or held where it may have acted", () => {
  const broken = ERRORS.filter((error) => error !== null && error !== "guard" && error !== "too_large");
  for (const error of broken) {
    for (const code of CODES.filter((each) => byCode(each) !== "blocked")) {
      const sent = { code, error, sent: true };
      assert.equal(classify("ticketing", sent, "retry"), "retry", `${code} ${error}`);
      assert.equal(classify("ticketing", sent, "hold"), "unknown", `${code} ${error}`);
      const unsent = { code, error, sent: false };
      assert.equal(classify("ticketing", unsent, "hold"), "retry", "no byte has left");
    }
    assert.equal(classify("ticketing", { code: 422, error, sent: true }, "hold"), "blocked");
  }
});

test("a 2xx of ticketing that is too large is blocked: it would be so each time", () => {
  for (const onUnknown of ["retry", "hold"] as const) {
    const outcome = (code: number) =>
      classify("ticketing", { code, error: "too_large", sent: true }, onUnknown);
    assert.deepEqual([200, 299, 500, 429].map(outcome), ["blocked", "blocked", "retry", "retry"]);
  }
});

test("a refusal by the guard blocks and is never tried again", () => {
  for (const leg of LEGS) {
    for (const code of CODES) {
      for (const sent of [true, false]) {
        assert.equal(classify(leg, { code, error: "guard", sent }, "hold"), "blocked");
      }
    }
  }
});

test("what an attempt says of its target: a refusal of the order is no fault of it, bad credentials are", () => {
  const health = (leg: "ticketing" | "callback", code: number | null, error: AttemptError | null = null) =>
    targetHealth(leg, { code, error }, classify(leg, { code, error, sent: true }, "hold"));
  for (const code of [401, 403, 404, 405]) {
    assert.deepEqual([health("ticketing", code), health("callback", code)], ["failing", "working"]);
  }
  for (const leg of LEGS) {
    assert.deepEqual(
      [200, 204, 400, 409, 422, 429, 500, 503, 302].map((code) => health(leg, code)),
      ["working", "working", "working", "working", "working", "failing", "failing", "failing", "failing"],
    );
    assert.deepEqual(
      (["timeout", "dns", "connect", "tls", "reset", "protocol", "guard", "lost", "mapping"] as const).map(
        (error) => health(leg, null, error),
      ),
      ["failing", "failing", "failing", "failing", "failing", "failing", null, null, null],
    );
  }
});
