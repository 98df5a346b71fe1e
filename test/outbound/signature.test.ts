import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import * as fc from "fast-check";
import { callbackHeaders, signingKey, verifyCallback } from "../../src/outbound/signature.ts";

const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  eventId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampSecs: 1_614_265_330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const key = signingKey(vector.secret);
const { body, eventId, timestampSecs } = vector;

test("the vector that Standard Webhooks publishes", () => {
  const headers = callbackHeaders({ ...vector, keys: [key] });
  assert.deepEqual(headers, {
    "webhook-id": eventId,
    "webhook-timestamp": "1614265330",
    "webhook-signature": vector.signature,
    "X-Callback-Signature": createHmac("sha256", key).update(body).digest("hex"),
  });
});

test("a secret is its UTF-8 bytes, or the decoded bytes after whsec_", () => {
  assert.deepEqual(signingKey("sésame"), Buffer.from("sésame", "utf8"));
  assert.deepEqual(signingKey("whsec_AAEC"), Buffer.from([0, 1, 2]));
  assert.deepEqual(signingKey("whsec_AAE="), signingKey("whsec_AAE"));
  assert.throws(() => signingKey(""), /empty/);
  assert.throws(() => signingKey("whsec_"), /empty/);
  for (const broken of [
    "whsec_not base64!",
    "whsec_AAE==A",
    "whsec_A",
    "whsec_AAF",
    "whsec_AA-_",
    "whsec_AAEC===",
  ]) {
    assert.throws(
      () => signingKey(broken),
      { message: "the signing secret is not base64 after whsec_" },
      broken,
    );
  }
});

test("the current key makes X-Callback-Signature; every key signs webhook-signature", () => {
  const [current, previous] = [Buffer.from("new"), Buffer.from("old")];
  const both = callbackHeaders({ body, eventId, timestampSecs, keys: [current, previous] });
  const [first, second] = [current, previous].map((one) =>
    callbackHeaders({ body, eventId, timestampSecs, keys: [one] }),
  );
  assert.equal(both["webhook-signature"], `${first?.["webhook-signature"]} ${second?.["webhook-signature"]}`);
  assert.equal(both["X-Callback-Signature"], first?.["X-Callback-Signature"]);
});

test("without a key there are no signatures", () => {
  const headers = callbackHeaders({ body, eventId, timestampSecs, keys: [] });
  assert.deepEqual(headers, { "webhook-id": eventId, "webhook-timestamp": "1614265330" });
});

test("what was signed verifies, with any of the keys; nothing else does", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(
      text,
      text,
      fc.uint8Array({ minLength: 1 }),
      fc.uint8Array({ minLength: 1 }),
      (body, other, one, two) => {
        const [keyOne, keyTwo] = [Buffer.from(one), Buffer.from(two)];
        const headers = callbackHeaders({ body, eventId, timestampSecs, keys: [keyOne, keyTwo] });
        const verify = (given: string, keys: Buffer[]) =>
          verifyCallback({ body: given, headers, keys, nowSecs: timestampSecs });
        assert.equal(verify(body, [keyOne]), true);
        assert.equal(verify(body, [keyTwo]), true);
        assert.equal(verify(body, [Buffer.from("another key")]), false);
        assert.equal(verify(body, []), false);
        assert.equal(verify(other, [keyOne]), Buffer.from(other).equals(Buffer.from(body)));
      },
    ),
    { numRuns: 50 },
  );
});

test("the id, the timestamp and the signature all count, and five minutes are the limit", () => {
  const headers = callbackHeaders({ body, eventId, timestampSecs, keys: [key] });
  const verify = (changed: Record<string, string | string[] | undefined>, nowSecs = timestampSecs) =>
    verifyCallback({ body, headers: { ...headers, ...changed }, keys: [key], nowSecs });
  assert.equal(verify({}), true);
  assert.equal(verify({}, timestampSecs + 300), true);
  assert.equal(verify({}, timestampSecs - 300), true);
  assert.equal(verify({}, timestampSecs + 301), false);
  assert.equal(verify({}, timestampSecs - 301), false);
  assert.equal(verify({ "webhook-id": "another" }), false);
  assert.equal(verify({ "webhook-timestamp": String(timestampSecs + 1) }), false);
  assert.equal(verify({ "webhook-timestamp": "now" }), false);
  assert.equal(verify({ "webhook-signature": undefined }), false);
  assert.equal(verify({ "webhook-signature": vector.signature.replace("v1", "v2") }), false);
  assert.equal(verify({ "webhook-signature": `v2,x ${vector.signature}` }), true);
  assert.equal(verify({ "webhook-signature": `${"x ".repeat(50)}${vector.signature}` }), false);
  assert.equal(verify({ "webhook-signature": [vector.signature, vector.signature] }), false);
});
