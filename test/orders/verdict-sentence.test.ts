import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { ATTEMPT_ERRORS } from "../../src/orders/outcome.ts";
import { possibleActions } from "../../src/orders/possible-actions.ts";
import { isEdge, JOB_STATUSES, LEGS, ORDER_STATUSES } from "../../src/orders/states.ts";
import type { LegFacts, VerdictContext, VerdictStory } from "../../src/orders/verdict-facts.ts";
import { verdictOf } from "../../src/orders/verdict-sentence.ts";

const NOW = Date.UTC(2026, 7, 25, 14, 32, 0);
const job = {
  status: "pending",
  attempts: 0,
  run_attempts: 0,
  run_started_at: null,
  next_attempt_at: NOW,
  held_until: null,
  claimed_at: null,
  lease_until: null,
  ends_as: null,
} as const;
const context: VerdictContext = {
  nowMs: NOW,
  attemptsPerRun: 15,
  circuits: [],
  hold: null,
  partner: { disabled_at: null },
};

function leg(
  more: Partial<LegFacts["job"]>,
  ...codes: readonly (number | (typeof ATTEMPT_ERRORS)[number])[]
): LegFacts {
  const attempts = codes.map((code, index) => ({
    no: index + 1,
    at: NOW - 60_000 + index,
    code: typeof code === "number" ? code : null,
    error: typeof code === "number" ? null : code,
  }));
  const run = { attempts: codes.length, run_attempts: codes.length };
  return { job: { ...job, ...run, run_started_at: NOW - 60_000, ...more }, attempts };
}

function storyOf(
  status: VerdictStory["order"]["pipeline_status"],
  more: Partial<VerdictStory> = {},
  order: Partial<VerdictStory["order"]> = {},
): VerdictStory {
  return {
    order: {
      id: 12,
      pipeline_status: status,
      trace_id: "0198f0c4-0000-7000-8000-000000000000",
      callback_url: "https://partner.example.com/cb?key=hidden",
      blocked_reason: null,
      reference: null,
      delivered_at: null,
      ...order,
    },
    tickets: [],
    ticketing: null,
    callback: null,
    late: [],
    actions: [],
    ...more,
  };
}

const say = (story: VerdictStory, more: Partial<VerdictContext> = {}): string => {
  const { happened, next } = verdictOf(story, { ...context, ...more });
  return `${happened} ${next}`;
};
const TICKETS = { tickets: ["A1", "A2"] };

suite("the verdict", () => {
  test("on a leg that is tried again", () => {
    const ticketing = leg({ next_attempt_at: NOW + 5_000 }, 503, 503, 503, 503);
    assert.equal(
      say(storyOf("ticketing_processing", { ticketing })),
      "Ticketing answered 503 four times. Next try at 14:32:05 UTC, 11 left.",
    );
    const mixed = leg({ next_attempt_at: NOW - 3_600_000 }, "connect", 503, 503);
    assert.equal(
      say(storyOf("ticketing_processing", { ticketing: mixed })),
      "3 attempts failed; at last ticketing answered 503. Next try has been due since 13:32:00 UTC, 12 left: " +
        "look whether a gateway is running and has free slots.",
    );
    const callback = leg({ next_attempt_at: NOW + 86_400_000 }, "timeout");
    assert.equal(
      say(storyOf("ota_callback_pending", { ...TICKETS, callback })),
      "Ticketing has issued 2 tickets, but the partner (partner.example.com) did not answer in time. " +
        "Next try at 2026-08-26 14:32:00 UTC, 14 left.",
    );
  });

  test("on an order that nobody has worked yet, or that begins again", () => {
    const ticketing = { job, attempts: [] };
    assert.match(
      say(storyOf("accepted", { ticketing })),
      /stored.* not been asked yet\. The first try is due now, 15 left/,
    );
    const again = leg({ run_attempts: 0, run_started_at: null }, 422);
    const actions = [{ actor: "olga", action: "retry ticketing", reason: "SKU is back" }];
    assert.match(
      say(storyOf("ticketing_processing", { ticketing: again, actions })),
      /^Olga has begun a new run of ticketing\./,
    );
  });

  test("on a circuit's hold", () => {
    const ticketing = leg({ held_until: NOW + 3_600_000, next_attempt_at: NOW + 3_600_000 }, 503);
    const circuit = {
      leg: "ticketing",
      state: "open",
      reason: "ticketing answered 503",
      opened_at: NOW,
    } as const;
    assert.equal(
      say(storyOf("ticketing_processing", { ticketing }), { circuits: [circuit] }),
      "Ticketing answered 503; its attempts are held back, as ticketing has failed for many orders in a row since " +
        "14:32:00 UTC (ticketing answered 503). It goes on by itself as soon as ticketing works again, which is tried " +
        "every few seconds; if not by 15:32:00 UTC, it is given up.",
    );
  });

  test("on attempts under way: live, of a dead process, and with a cancel asked for", () => {
    const ticketing = leg({ status: "running", attempts: 2, lease_until: NOW + 15_000 }, 500);
    assert.equal(
      say(storyOf("ticketing_processing", { ticketing })),
      "Ticketing answered 500. Attempt 2 of ticketing is under way, and ends by 14:32:15 UTC at the latest.",
    );
    const dead = leg({ status: "running", attempts: 2, lease_until: NOW - 1 }, 500);
    assert.match(
      say(storyOf("ticketing_processing", { ticketing: dead })),
      /outlived its time.*takes it over/,
    );
    const ending = leg({ status: "running", attempts: 2, lease_until: NOW + 1, ends_as: "cancelled" }, 500);
    const story = storyOf("ticketing_processing", { ticketing: ending });
    assert.match(say(story), /asked for the order to be cancelled.*a success still counts/);
    assert.ok(!verdictOf(story, context).actions.some(({ action }) => action === "cancel"));
  });

  test("on orders that stand still names the cause, and what a person has to do", () => {
    const refused = storyOf(
      "ticketing_blocked",
      { ticketing: leg({ status: "blocked" }, 422) },
      { blocked_reason: "ticketing answered 422" },
    );
    assert.match(
      say(refused),
      /^Ticketing refused the order: ticketing answered 422\. Nothing more happens by itself/,
    );
    const forbidden = storyOf("ticketing_blocked", { ticketing: leg({ status: "blocked" }, 401) });
    assert.match(say(forbidden), /credentials or TICKETING_URL.*answered 401/);
    const unread: LegFacts = {
      ...leg({ status: "blocked" }),
      attempts: [{ no: 1, at: NOW, code: 200, error: "too_large" }],
    };
    const large = storyOf("ticketing_blocked", { ticketing: unread });
    assert.match(say(large), /has issued the tickets, but they could not be read/);
    assert.equal(verdictOf(large, context).actions[0]?.action, "resolve");
    const mapped = storyOf(
      "ticketing_blocked",
      { ticketing: leg({ status: "blocked" }, "mapping") },
      { blocked_reason: "nothing was sent, as the mapping's request failed: no SKU" },
    );
    assert.match(
      say(mapped),
      /^The gateway could not put the order into a request.*: no SKU\. .*TICKETING_MAPPING/,
    );
    const lost = storyOf("ticketing_unknown", { ticketing: leg({ status: "unknown" }, "lost") });
    assert.match(say(lost), /^Nobody knows.* process died.*ask ticketing.* 0198f0c4/);
    const guarded = storyOf("ota_callback_blocked", {
      ...TICKETS,
      callback: leg({ status: "blocked" }, "guard"),
    });
    assert.match(say(guarded), /2 tickets, but the gateway did not send the callback/);
    const gone = storyOf("ota_callback_blocked", { ...TICKETS, callback: leg({ status: "blocked" }, 410) });
    assert.match(
      say(gone),
      /the partner refused the callback: the partner \(partner\.example\.com\) answered 410/,
    );
  });

  test("on ends", () => {
    const done = storyOf("ota_callback_delivered", TICKETS, { delivered_at: NOW, reference: "R-1" });
    assert.equal(
      say(done),
      "Ticketing has issued 2 tickets (reference R-1), and the partner was told at 14:32:00 UTC. Nothing more to do.",
    );
    const inTime = { ...TICKETS, ticketing: leg({ status: "succeeded" }, "lost", 200) };
    const tooLate = [{ leg: "ticketing", code: 200, error: null } as const];
    const lateOnly = { ...TICKETS, ticketing: leg({ status: "succeeded" }, "lost"), late: tooLate };
    assert.match(say(storyOf("ticketed", lateOnly)), /has issued 2 tickets, in an answer that came late/);
    assert.doesNotMatch(say(storyOf("ticketed", { ...inTime, late: tooLate })), /late/);
    assert.match(say(storyOf("ota_callback_delivered")), /without tickets or a reference.*ask ticketing/);
    const actions = [{ actor: "olga", action: "cancel", reason: "withdrawn" }];
    assert.match(
      say(storyOf("cancelled", { actions })),
      /cancelled by olga \("withdrawn"\)\. Nothing more to do/,
    );
    for (const [why, said] of [
      ["cancelled before it was ticketed", "before it was ticketed"],
      ["cancelled; ticketing may hold tickets", "ticketing may hold tickets"],
      ["cancelled, but ticketing has issued tickets", "ticketing has issued tickets"],
    ] as const) {
      const sentence = say(storyOf("cancelled", { actions }, { blocked_reason: why }));
      assert.ok(sentence.startsWith(`The order was cancelled by olga ("withdrawn"): ${said}. `), sentence);
    }
    const late = [{ leg: "ticketing", code: 200, error: null } as const];
    assert.match(say(storyOf("cancelled", { actions, late })), /have its tickets revoked/);
  });

  test("says that nothing is worked while the gateway is held, but for what is in flight", () => {
    const hold = { since: NOW - 1, reason: "restored" };
    const waiting = storyOf("accepted", { ticketing: leg({}) });
    assert.match(
      say(waiting, { hold }),
      /is held since .* \(restored\)\. It goes on when an operator releases/,
    );
    const running = (lease_until: number) =>
      storyOf("ticketing_processing", { ticketing: leg({ status: "running", attempts: 1, lease_until }) });
    assert.match(say(running(NOW + 1), { hold }), /attempt 1 of ticketing is under way/i);
    assert.match(say(running(NOW - 1), { hold }), /is held since/);
  });

  test("tells of a disabled partner while there is something to do", () => {
    const partner = { disabled_at: NOW };
    assert.match(say(storyOf("ticketed", TICKETS), { partner }), /the partner is disabled/);
    assert.doesNotMatch(say(storyOf("closed"), { partner }), /disabled/);
  });
});

test("what can be done follows the map", () => {
  for (const status of ORDER_STATUSES) {
    const facts = { id: 1, status, ticketsUnread: false, endsAs: null };
    const possible = possibleActions({ ...facts, held: false });
    const actions = new Set(possible.map(({ action }) => action));
    assert.equal(actions.has("cancel"), isEdge(status, "cancelled"), status);
    assert.equal(actions.has("close"), isEdge(status, "closed"), status);
    assert.equal(actions.has("resend"), status === "ota_callback_delivered", status);
    assert.equal(actions.has("retry"), /_(blocked|exhausted|unknown)$/.test(status), status);
    assert.equal(actions.has("resolve"), /^ticketing_(blocked|exhausted|unknown)$/.test(status), status);
    // A restored order may have been ticketed, however far it had come when it was backed up.
    const whileHeld = possibleActions({ ...facts, held: true }).some(({ action }) => action === "resolve");
    assert.equal(whileHeld, /^(accepted|ticketing_.*)$/.test(status), status);
  }
});

const time = fc.option(fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.maxSafeInteger()), { nil: null });
const brought = {
  code: fc.option(fc.integer({ min: 100, max: 999 }), { nil: null }),
  error: fc.option(fc.constantFrom(...ATTEMPT_ERRORS), { nil: null }),
};
const SECRET = "s3cr3t";
/** Rows as they may stand, sane or not; and what the verdict must not repeat, wherever such a thing may lie. */
const legs = fc.option(
  fc.record({
    job: fc.record({
      status: fc.constantFrom(...JOB_STATUSES),
      attempts: fc.nat(200),
      run_attempts: fc.nat(200),
      run_started_at: time,
      next_attempt_at: time,
      held_until: time,
      claimed_at: time,
      lease_until: time,
      ends_as: fc.option(fc.constantFrom(...JOB_STATUSES), { nil: null }),
      claim: fc.constant(SECRET),
      body: fc.constant(SECRET),
    }),
    attempts: fc.array(
      fc.record({
        no: fc.nat(200),
        at: fc.integer({ min: 0, max: 4e12 }),
        ...brought,
        answer: fc.constant(SECRET),
      }),
      { maxLength: 20 },
    ),
  }),
  { nil: null },
);
const stories = fc.record({
  order: fc.record({
    id: fc.nat(),
    pipeline_status: fc.constantFrom(...ORDER_STATUSES),
    trace_id: fc.uuid(),
    callback_url: fc.oneof(fc.constant(`https://u:${SECRET}@h.example/${SECRET}?k=${SECRET}`), fc.string()),
    blocked_reason: fc.option(fc.string({ unit: "binary" }), { nil: null }),
    reference: fc.option(fc.string({ unit: "binary" }), { nil: null }),
    delivered_at: time,
    raw_payload: fc.constant(SECRET),
    idempotency_key: fc.constant(SECRET),
  }),
  tickets: fc.array(fc.constant(SECRET), { maxLength: 3 }),
  ticketing: legs,
  callback: legs,
  late: fc.array(fc.record({ leg: fc.constantFrom(...LEGS), ...brought, answer: fc.constant(SECRET) }), {
    maxLength: 3,
  }),
  actions: fc.array(fc.record({ actor: fc.string(), action: fc.string(), reason: fc.string() }), {
    maxLength: 3,
  }),
});

test("of whatever rows there are, two sentences, on a line, without what is nobody's business", () => {
  fc.assert(
    fc.property(stories, time, fc.boolean(), (story, now, disabled) => {
      const { happened, next, actions } = verdictOf(story, {
        ...context,
        nowMs: now ?? NOW,
        partner: disabled ? { disabled_at: 1 } : null,
      });
      for (const text of [happened, next]) {
        assert.match(text, /^\P{Ll}.{3,}[.!?…]$/u);
        assert.ok(text.isWellFormed() && text.length < 1500, text);
        assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029]|undefined|null|NaN|s3cr3t/u);
      }
      for (const { advice, command } of actions) assert.ok(advice.length > 0 && command.startsWith("order "));
    }),
    { numRuns: 500 },
  );
});
