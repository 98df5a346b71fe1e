import { hash } from "node:crypto";
import canonicalize from "canonicalize";

/**
 * One text for one JSON value, whatever the order of its members and the writing of its numbers (RFC 8785).
 * @throws TypeError for what is no JSON value
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return text;
}

/** What tells two payloads under one Idempotency-Key apart: SHA-256 over RFC 8785, in hex (SPEC section 3). */
export function fingerprint(payload: unknown): string {
  return hash("sha256", canonicalJson(payload));
}
