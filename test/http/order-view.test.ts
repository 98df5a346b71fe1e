import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "typebox/value";
import { OrderView, orderView } from "../../src/http/order-view.ts";
import type { OrderStory } from "../../src/storage/order-queries.ts";

const AT = Date.parse("2025-08-25T07:09:55.123Z");
const ISO = "2025-08-25T07:09:55.123Z";
const item = { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" };
const row = { order_id: 123, partner_id: "demo", claim: "c", at: AT, duration_ms: 12, note: null };
const attempt = (no: number, code: number) => ({
  ...row,
  job_id: 123,
  no,
  code,
  error: null,
  answer: "secret",
});
const job = {
  id: 123,
  order_id: 123,
  partner_id: "demo",
  status: "succeeded",
  attempts: 3,
  run_attempts: 3,
  run_started_at: AT,
  lane: 0,
  next_attempt_at: null,
  held_until: null,
  claim: null,
  claimed_by: null,
  claimed_at: null,
  lease_until: null,
  ends_as: null,
  last_status_code: 200,
  last_error: null,
  created_at: AT,
  updated_at: AT,
} as const;

const story: OrderStory = {
  order: {
    id: 123,
    partner_id: "demo",
    external_order_id: "EXT-42",
    trace_id: "0198f0c4-0000-7000-8000-000000000000",
    callback_url: "https://partner.example.com/ota/callback",
    pipeline_status: "ota_callback_delivered",
    blocked_reason: null,
    reference: "R-1",
    idempotency_key: null,
    raw_payload: "{}",
    created_at: AT,
    updated_at: AT,
    ticketed_at: AT,
    delivered_at: AT,
    buyer_blanked_at: null,
    failures_told: 0,
  },
  items: [item],
  tickets: [{ barcode: "1" }, "T-2"],
  ticketing: { job, attempts: [attempt(1, 500), attempt(2, 500), attempt(3, 200)] },
  callback: {
    job: { ...job, event: "order.ticketed", event_id: "e", sequence: 1, body: "{}" },
    attempts: [attempt(1, 200)],
  },
  callbacks: [],
  late: [
    {
      ...row,
      leg: "ticketing",
      job_id: 123,
      no: 1,
      code: 200,
      error: null,
      answer: "secret",
      recorded_at: AT,
    },
  ],
  actions: [
    {
      id: 1,
      partner_id: "demo",
      order_id: 123,
      actor: "olga",
      action: "retry",
      reason: "asked",
      detail: null,
      request_key: null,
      at: AT,
    },
  ],
  sameExternalId: [7],
};

test("the seed's excerpt is a part of what partners see", () => {
  const view = orderView(story, "partner");
  const shown = { at: ISO, duration_ms: 12, note: null, error: null };
  assert.deepEqual(view.items, [item]);
  assert.equal(view.status, "ota_callback_delivered");
  assert.deepEqual(view.ticketing_job, {
    status: "succeeded",
    last_status_code: 200,
    last_error: null,
    next_attempt_at: null,
    held_until: null,
    attempts: [
      { no: 1, code: 500, ...shown },
      { no: 2, code: 500, ...shown },
      { no: 3, code: 200, ...shown },
    ],
    late: [{ no: 1, code: 200, error: null, at: ISO, recorded_at: ISO }],
  });
  assert.deepEqual(view.ota_callback_job, {
    event: "order.ticketed",
    event_id: "e",
    sequence: 1,
    status: "succeeded",
    last_status_code: 200,
    last_error: null,
    next_attempt_at: null,
    held_until: null,
    attempts: [{ no: 1, code: 200, ...shown }],
    late: [],
  });
});

test("answers and operators' actions are for operators", () => {
  const partners = orderView(story, "partner");
  assert.doesNotMatch(JSON.stringify(partners), /secret|olga|raw_payload/);
  const operators = orderView(story, "operator");
  assert.equal(operators.ticketing_job?.attempts[0]?.answer, "secret");
  assert.equal(operators.ticketing_job?.late[0]?.answer, "secret");
  assert.deepEqual(operators.actions, [{ actor: "olga", action: "retry", reason: "asked", at: ISO }]);
  for (const view of [partners, operators]) {
    assert.deepEqual([...Value.Errors(OrderView, view)], []);
  }
});

test("what happened inside the operator's network is told to operators alone", () => {
  const { ticketing } = story;
  const note = "connect ECONNREFUSED 10.0.0.5:8443";
  const failed = {
    ...story,
    order: {
      ...story.order,
      pipeline_status: "ticketing_exhausted" as const,
      blocked_reason: `15 attempts failed; at last the request failed (connect: ${note})`,
    },
    ticketing: ticketing && {
      ...ticketing,
      attempts: [{ ...ticketing.attempts[0]!, error: "connect" as const, note }],
    },
  };
  const partners = orderView(failed, "partner");
  assert.doesNotMatch(JSON.stringify(partners), /10\.0\.0\.5/);
  assert.equal(partners.blocked_reason, "15 attempts failed; at last the request failed (connect)");
  const operators = orderView(failed, "operator");
  assert.equal(operators.ticketing_job?.attempts[0]?.note, note);
  assert.equal(operators.blocked_reason, failed.order.blocked_reason);
});
