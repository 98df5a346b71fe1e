import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { callbackBody, type CallbackEvent, withSequence } from "../../src/orders/callback-event.ts";
import { canonicalJson, fingerprint } from "../../src/orders/fingerprint.ts";

const EVENT: CallbackEvent = {
  event: "order.ticketed",
  eventId: "evt_1",
  sequence: 1,
  occurredAt: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  order: {
    id: 7,
    externalOrderId: "EXT-42",
    traceId: "01890000-0000-7000-8000-000000000001",
    status: "ticketed",
    reference: "TK-1",
    items: [{ sku: "บัตร", qty: 2, unit_price_minor: 129_900, currency: "THB", visit_date: "2026-12-24" }],
    tickets: [{ z: 1, a: "🎟️" }, "CODE"],
  },
};

test("the callback is canonical JSON, byte for byte", () => {
  assert.equal(
    callbackBody(EVENT),
    '{"event":"order.ticketed","event_id":"evt_1","occurred_at":"2026-01-02T03:04:05.006Z","order":{' +
      '"external_order_id":"EXT-42","id":7,' +
      '"items":[{"currency":"THB","qty":2,"sku":"บัตร","unit_price_minor":129900,"visit_date":"2026-12-24"}],' +
      '"reference":"TK-1","status":"ticketed","tickets":[{"a":"🎟️","z":1},"CODE"],' +
      '"trace_id":"01890000-0000-7000-8000-000000000001"},"sequence":1}',
  );
});

test("a place among the order's events is the body's only change", () => {
  assert.equal(withSequence(callbackBody(EVENT), 3), callbackBody({ ...EVENT, sequence: 3 }));
});

test("a failure says its reason", () => {
  const body = callbackBody({ ...EVENT, event: "order.blocked", reasonCode: "ticketing_refused" });
  assert.equal((JSON.parse(body) as { reason_code: string }).reason_code, "ticketing_refused");
});

test("an item carries its named fields alone: a partner's additions stay in the raw payload", () => {
  const item = { ...EVENT.order.items[0]!, internal: "secret" };
  const body = callbackBody({ ...EVENT, order: { ...EVENT.order, items: [item], reference: null } });
  assert.ok(!body.includes("internal"));
  const { order } = JSON.parse(body);
  assert.equal(order.reference, null);
  assert.deepEqual(Object.keys(order.items[0]), ["currency", "qty", "sku", "unit_price_minor", "visit_date"]);
});

test("a fingerprint is of what JSON says: order of members and writing of numbers don't count, all else does", () => {
  assert.equal(
    fingerprint(JSON.parse('{"b":1.0,"a":[1,2]}')),
    fingerprint(JSON.parse('{"a":[1,2],"b":1e0}')),
  );
  for (const other of [
    '{"a":[2,1],"b":1}',
    '{"a":[1,2]}',
    '{"a":[1,2],"b":"1"}',
    '{"a":[1,2],"b":1,"c":null}',
  ]) {
    assert.notEqual(fingerprint(JSON.parse(other)), fingerprint({ a: [1, 2], b: 1 }), other);
  }
  assert.match(fingerprint({}), /^[0-9a-f]{64}$/);
  assert.throws(() => canonicalJson(undefined), TypeError);
});

test("any JSON has one canonical text, which says the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      // Node 24's JSON.parse takes names that are written with escapes for each other.
      fc.pre(!/"[^"\\]*\\(?:[^"\\]|\\.)*":/.test(text));
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
    { numRuns: 200 },
  );
});
