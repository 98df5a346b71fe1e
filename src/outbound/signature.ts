import { createHash, createHmac, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";

/** How far a callback's timestamp may be from the receiver's clock (Standard Webhooks recommends five minutes). */
const TOLERANCE_SECS = 300;
/** A sender signs with two keys at most; more tokens than this are not worth checking. */
const MAX_SIGNATURES = 8;
const ENCODED_PREFIX = "whsec_";

/**
 * The key a signing secret stands for (SPEC section 2): the decoded bytes of `whsec_<base64>`, else its UTF-8 bytes.
 *
 * @throws Error (which never quotes the secret) if it is empty, or if what follows `whsec_` is not base64
 */
export function signingKey(secret: string): Buffer {
  const key = secret.startsWith(ENCODED_PREFIX)
    ? decodeBase64(secret.slice(ENCODED_PREFIX.length))
    : Buffer.from(secret, "utf8");
  if (key.length === 0) throw new Error("the signing secret is empty");
  return key;
}

/** A new signing secret with a key of 32 random bytes, in the form of Standard Webhooks. */
export function newSigningSecret(): string {
  return ENCODED_PREFIX + randomBytes(32).toString("base64");
}

/**
 * The headers that identify and sign one callback attempt (SPEC section 4): `X-Callback-Signature`, the hex HMAC-SHA256
 * of the body with the current key, and Standard Webhooks' three, signed with every key given.
 *
 * @param keys the current key first, then the previous one while it is valid; none: the callback goes unsigned. As key
 *   objects they are signed with several times as fast
 */
export function callbackHeaders(callback: {
  body: string | Buffer;
  eventId: string;
  timestampSecs: number;
  keys: readonly (Buffer | KeyObject)[];
}): Record<string, string> {
  const { body, eventId, timestampSecs, keys } = callback;
  const headers: Record<string, string> = {
    "webhook-id": eventId,
    "webhook-timestamp": String(timestampSecs),
  };
  const current = keys[0];
  if (current === undefined) return headers;
  const signatures = keys.map((key) => standardSignature(key, eventId, String(timestampSecs), body));
  return {
    ...headers,
    "webhook-signature": signatures.join(" "),
    "X-Callback-Signature": createHmac("sha256", current).update(body).digest("hex"),
  };
}

/**
 * The receiver's side, as Standard Webhooks has it: true if one of the signatures was made with one of the keys, not
 * more than five minutes from `nowSecs`. Compares in constant time.
 *
 * @param headers with lower-case names, as Node gives them
 */
export function verifyCallback(callback: {
  body: string | Buffer;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  keys: readonly Buffer[];
  nowSecs: number;
}): boolean {
  const { body, headers, keys, nowSecs } = callback;
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (typeof id !== "string" || typeof timestamp !== "string" || typeof signatures !== "string") return false;
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(nowSecs - Number(timestamp)) > TOLERANCE_SECS) return false;
  const given = signatures.split(" ", MAX_SIGNATURES);
  return keys.some((key) => {
    const expected = standardSignature(key, id, timestamp, body);
    return given.some((signature) => equalInConstantTime(signature, expected));
  });
}

function standardSignature(
  key: Buffer | KeyObject,
  id: string,
  timestamp: string,
  body: string | Buffer,
): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`;
}

/** Digests first: `timingSafeEqual` wants equal lengths, and the length of the expected one is nobody's business. */
function equalInConstantTime(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  const unpadded = (base64: string) => base64.replace(/={0,2}$/, "");
  // Node skips what is not base64; only what encodes back to the same text was base64.
  if (unpadded(bytes.toString("base64")) !== unpadded(text)) {
    throw new Error(`the signing secret is not base64 after ${ENCODED_PREFIX}`);
  }
  return bytes;
}
