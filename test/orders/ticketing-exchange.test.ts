import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseStrictJson } from "../../src/lib/strict-json.ts";
import { readTicketingAnswer } from "../../src/orders/ticketing-answer.ts";
import { ticketingRequest } from "../../src/orders/ticketing-request.ts";

function request(payload: string): string {
  const parsed = parseStrictJson(payload);
  assert.ok(parsed.ok);
  return ticketingRequest({ traceId: "t-1", partnerId: "p-1" }, parsed.members);
}

test("ticketing gets the partner's words as they were written, and never the callback URL", () => {
  const body = request(
    '{ "external_order_id":"E", "callback_url":"https://p.example", "items":[ {"qty":1} ], "n":1.50, "big":12345678901234567890, "é\\u0041":"\\u00e9" }',
  );
  const words =
    '"external_order_id":"E","items":[ {"qty":1} ],"n":1.50,"big":12345678901234567890,"éA":"\\u00e9"';
  assert.equal(body, `{"trace_id":"t-1","partner_id":"p-1",${words}}`);
});

test("what the gateway says of itself can't be overwritten by the partner", () => {
  const body = request('{"trace_id":"forged","partner_id":"forged","callb\\u0061ck_url":"x","a":1}');
  assert.equal(body, '{"trace_id":"t-1","partner_id":"p-1","a":1}');
});

// Not JSON.parse: Node 24's mistakes names that are written with escapes for each other.
const parse = (text: string) => {
  const parsed = parseStrictJson(text);
  assert.ok(parsed.ok);
  return parsed.value as Record<string, unknown>;
};

test("any object passes through: the same members, but ours", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (payload) => {
      const parsed = parseStrictJson(JSON.stringify(payload));
      if (!parsed.ok) return;
      const { trace_id, partner_id, ...rest } = parse(request(JSON.stringify(payload)));
      assert.deepEqual([trace_id, partner_id], ["t-1", "p-1"]);
      const { trace_id: _t, partner_id: _p, callback_url: _c, ...given } = parse(JSON.stringify(payload));
      assert.deepEqual(rest, given);
    }),
    { numRuns: 300 },
  );
});

const answer = (body: unknown) =>
  readTicketingAnswer(Buffer.from(typeof body === "string" ? body : JSON.stringify(body)));

test("tickets and reference are taken as ticketing gave them", () => {
  const tickets = [{ code: "A", seat: [1, null] }, "บัตร 🎟️", {}];
  assert.deepEqual(answer({ tickets, reference: "TK-1", more: 1 }), {
    tickets,
    reference: "TK-1",
    note: null,
  });
  assert.deepEqual(answer({}), { tickets: [], reference: null, note: null });
  assert.deepEqual(answer({ reference: null, tickets: [] }), { tickets: [], reference: null, note: null });
});

test("an answer at its limits is taken, one beyond is left out as a whole and said so", () => {
  assert.equal(answer({ tickets: Array(1000).fill("x"), reference: "r".repeat(255) }).tickets.length, 1000);
  for (const [body, note] of [
    ["", /without a body/],
    ["OK", /no JSON/],
    ['{"tickets":["a"],"tickets":[]}', /no JSON that can be taken/],
    ["[]", /no JSON object/],
    ["null", /no JSON object/],
    [{ tickets: "a", reference: "r" }, /no array/],
    [{ tickets: Array(1001).fill("x") }, /more than 1000/],
    [{ tickets: ["a", 7], reference: "r" }, /neither an object nor a string/],
    [{ tickets: [["a"]] }, /neither an object nor a string/],
    [{ tickets: [null] }, /neither an object nor a string/],
    [{ tickets: ["a"], reference: "r".repeat(256) }, /at most 255/],
    [{ tickets: ["a"], reference: 7 }, /at most 255/],
    [{ tickets: ["a"], reference: "a\u0000" }, /U\+0000/],
  ] as const) {
    const taken = answer(body);
    assert.deepEqual([taken.tickets, taken.reference], [[], null], JSON.stringify(body).slice(0, 60));
    assert.match(taken.note!, note);
  }
});

test("digits that a JSON number can't carry are pointed out", () => {
  const { tickets, note } = answer('{"tickets":[{"code":12345678901234567890}]}');
  assert.equal(tickets.length, 1);
  assert.match(note!, /more digits/);
});

test("any bytes are an answer that can be read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { tickets, note } = readTicketingAnswer(bytes);
      assert.ok(tickets.length === 0 && (note !== null || bytes.length > 0));
    }),
  );
});
