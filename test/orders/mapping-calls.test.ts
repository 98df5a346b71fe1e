import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import * as fc from "fast-check";
import { callRequest, callResponse, mappingOrder } from "../../src/orders/mapping-calls.ts";
import type { Mapping } from "../../src/orders/mapping.ts";

const PAYLOAD = {
  external_order_id: "EXT-42",
  callback_url: "https://partner.example/cb?key=1",
  trace_id: "forged",
  items: [{ sku: "A", qty: 2, unit_price_minor: 129_900, currency: "THB", seat: { row: 3 } }],
  buyer: { name: "Alex" },
  channel: "app",
};
const ORDER = mappingOrder({ traceId: "t-1", partnerId: "p-1" }, structuredClone(PAYLOAD));

/** Mappings are JavaScript as well: what the types forbid is tried too. */
const request = (made: unknown) => callRequest({ request: () => made } as Mapping, ORDER);
const response = (made: unknown, status = 200, body = "{}") =>
  callResponse((() => made) as NonNullable<Mapping["response"]>, status, Buffer.from(body));
const reason = (call: { ok: boolean; reason?: string }): string => {
  assert.equal(call.ok, false);
  return call.reason ?? "";
};

test("a mapping sees what ticketing gets by default, frozen at every level, and never the callback URL", () => {
  const { callback_url: _c, ...rest } = PAYLOAD;
  assert.deepEqual(ORDER, { ...rest, trace_id: "t-1", partner_id: "p-1" });
  const seat = ORDER.items[0]!["seat"] as Record<string, number>;
  for (const change of [
    () => ((ORDER as { channel: unknown }).channel = 1),
    () => (ORDER.items as unknown[]).push(1),
    () => (seat["row"] = 4),
  ]) {
    assert.throws(change, TypeError);
  }
});

test("a request is JSON as it was meant, with headers in lower case", () => {
  assert.deepEqual(
    callRequest(
      {
        request: (order, { toDecimal }) => ({
          body: { price: toDecimal(order.items[0]!.unit_price_minor, "THB"), date: undefined, n: [1, null] },
          headers: { "X-Api-Version": "2", "Content-Type": "application/vnd.example+json" },
        }),
      },
      ORDER,
    ),
    {
      ok: true,
      value: {
        body: '{"price":"1299.00","n":[1,null]}',
        headers: { "x-api-version": "2", "content-type": "application/vnd.example+json" },
      },
    },
  );
  for (const body of ["text", 7, null, true, [], {}]) assert.ok(request({ body }).ok);
});

test("what JSON would quietly change, or can't carry, is no request", () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  let deep: unknown = 1;
  for (let level = 0; level < 40; level += 1) deep = [deep];
  for (const [body, why] of [
    [undefined, /the body is missing/],
    [{ price: Number.NaN }, /NaN at `price`/],
    [{ price: -Infinity }, /-Infinity/],
    [{ price: 1n }, /bigint|BigInt/],
    [{ items: [undefined] }, /undefined in an array/],
    [{ items: new Map([["a", 1]]) }, /not plain/],
    [{ call: () => 1 }, /a function/],
    [{ later: Promise.resolve(1) }, /not plain/],
    [cyclic, /circular/i],
    [deep, /nesting/],
    ["\ud800", /surrogate/],
    ["x".repeat(4 * 1024 * 1024), /over/],
    [{ ["__proto__"]: 1 }, /not allowed/],
    [
      {
        get price(): number {
          throw new Error("no price");
        },
      },
      /it threw Error: no price/,
    ],
  ] as const) {
    assert.match(reason(request({ body })), why);
  }
});

test("headers are a mapping's own, and never the gateway's", () => {
  const gateways = (
    "Authorization Host Content-Length Idempotency-Key traceparent tracestate X-Trace-Id X-Origin-Partner-Id " +
    "X-External-Order-Id Connection Keep-Alive Transfer-Encoding TE Trailer Upgrade Proxy-Authorization Expect " +
    "Accept-Encoding Content-Encoding"
  ).split(" ");
  for (const name of gateways) {
    assert.match(reason(request({ body: 1, headers: { [name]: "x" } })), /the gateway's own/, name);
  }
  for (const [headers, why] of [
    [{ "x y": "1" }, /characters/],
    [{ "": "1" }, /characters/],
    [{ "x:y": "1" }, /characters/],
    [{ x: "a\r\nb: c" }, /visible ASCII/],
    [{ x: "é" }, /visible ASCII/],
    [{ x: " a" }, /visible ASCII/],
    [{ x: 1 }, /visible ASCII/],
    [{ x: "a".repeat(4097) }, /visible ASCII/],
    [{ X: "1", x: "2" }, /twice/],
    [Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`x-${n}`, "1"])), /more than 32/],
    [["x"], /no object/],
    ["x", /no object/],
  ] as const) {
    assert.match(reason(request({ body: 1, headers })), why);
  }
});

test("nonsense, promises and exceptions are reasons, and never more than that", async () => {
  for (const [made, why] of [
    [undefined, /request returned nothing/],
    [null, /no object/],
    ["{}", /no object/],
    [{ body: 1, header: {} }, /unknown `header`/],
    [Promise.reject(new Error("later")), /returned a promise/],
    [
      {
        body: 1,
        // oxlint-disable-next-line unicorn/no-thenable -- that is what is refused
        then() {
          throw new Error("thenable");
        },
      },
      /returned a promise/,
    ],
  ] as const) {
    assert.match(reason(request(made)), why);
  }
  // Would a rejected promise go unheard, it ended the process here.
  await turn();
  const thrown = (value: unknown) =>
    reason(callRequest({ request: () => { throw value; } }, ORDER)); // prettier-ignore
  assert.match(thrown(new TypeError("x is\n not\u0000 there")), /^it threw TypeError: x is not there$/);
  assert.match(thrown("text"), /it threw text/);
  assert.match(thrown(undefined), /it threw undefined/);
  assert.match(thrown({ toString() { throw new Error("no"); } }), /can't be read/); // prettier-ignore
  assert.ok(thrown(new Error("x".repeat(100_000))).length <= 300);
  const endless = (): never => endless();
  assert.match(reason(callRequest({ request: endless }, ORDER)), /RangeError/);
});

test("an answer's body is its JSON value, its text where it is none, null where it is empty", () => {
  const bodyOf = (text: string) => {
    let seen: unknown = "nothing";
    callResponse((_, body) => ((seen = body), null), 200, Buffer.from(text));
    return seen;
  };
  assert.deepEqual(bodyOf('{"a":[1]}'), { a: [1] });
  assert.equal(bodyOf("<html>"), "<html>");
  assert.equal(bodyOf('{"a":1,"a":2}'), '{"a":1,"a":2}');
  assert.equal(bodyOf(""), null);
});

test("a meaning is checked to the letter; null leaves it to the default rule", () => {
  assert.deepEqual(response(null), { ok: true, value: null });
  const value = (made: unknown, body?: string) => {
    const call = response(made, 200, body);
    assert.ok(call.ok, JSON.stringify(call));
    return call.value;
  };
  const tickets = [{ code: "A", seat: undefined }, "B"];
  assert.deepEqual(value({ outcome: "done", tickets, reference: "R", reason: undefined }), {
    outcome: "done",
    tickets: [{ code: "A" }, "B"],
    reference: "R",
    reason: null,
    retryAfterMs: null,
    inexactNumbers: false,
  });
  assert.equal(value({ outcome: "retry", retryAfterSecs: 1.5 })?.retryAfterMs, 1500);
  assert.equal(value({ outcome: "blocked", reason: "no\nseats" })?.reason, "no seats");
  assert.equal(value({ outcome: "done" }, '{"n":12345678901234567890}')?.inexactNumbers, true);
  for (const [made, why] of [
    [undefined, /response returned nothing/],
    [true, /no object/],
    [Promise.resolve({ outcome: "done" }), /returned a promise/],
    [{}, /`outcome` is none of/],
    [{ outcome: "ok" }, /`outcome` is none of/],
    [{ outcome: "done", ticket: [] }, /unknown `ticket`/],
    [{ outcome: "done", tickets: "A" }, /`tickets`/],
    [{ outcome: "done", tickets: [7] }, /`tickets`/],
    [{ outcome: "done", tickets: [null] }, /`tickets`/],
    [{ outcome: "done", tickets: Array(1001).fill("x") }, /`tickets`/],
    [{ outcome: "done", tickets: Object.assign([], { toJSON: () => Array(1001).fill("x") }) }, /`tickets`/],
    [{ outcome: "done", tickets: [{ n: Number.NaN }] }, /`tickets` holds NaN/],
    [{ outcome: "done", tickets: [{ toJSON: () => 7 }] }, /`tickets`/],
    [{ outcome: "done", reference: 7 }, /`reference`/],
    [{ outcome: "done", reference: "r".repeat(256) }, /`reference`/],
    [{ outcome: "done", reference: "\u0000" }, /`reference`/],
    [{ outcome: "done", reference: "\ud800" }, /`reference`/],
    [{ outcome: "retry", tickets: ["A"] }, /with the outcome retry/],
    [{ outcome: "blocked", reference: "R" }, /with the outcome blocked/],
    [{ outcome: "blocked", reason: 7 }, /`reason`/],
    [{ outcome: "done", retryAfterSecs: 1 }, /`retryAfterSecs`/],
    [{ outcome: "retry", retryAfterSecs: -1 }, /`retryAfterSecs`/],
    [{ outcome: "retry", retryAfterSecs: Number.NaN }, /`retryAfterSecs`/],
    [{ outcome: "retry", retryAfterSecs: "1" }, /`retryAfterSecs`/],
  ] as const) {
    assert.match(reason(response(made)), why, JSON.stringify(made));
  }
});

test("whatever a mapping returns, it is an outcome or a reason", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }), (made) => {
      for (const call of [request(made), request({ body: made }), response(made)]) {
        if (!call.ok) assert.ok(call.reason.length > 0 && call.reason.length <= 300);
      }
    }),
    { numRuns: 300 },
  );
});
