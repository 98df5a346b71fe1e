import { Problem } from "./problem-reply.ts";

const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The inbound Idempotency-Key (SPEC section 3), without one pair of surrounding quotes: the header's draft makes it a quoted
 * string, the seed a bare one, and both mean the same key.
 *
 * @param values one for each header line
 * @returns null where there is none
 * @throws Problem 400
 */
export function readIdempotencyKey(values: readonly string[]): string | null {
  const [value] = values;
  if (value === undefined) return null;
  const key = /^"(.*)"$/.exec(value)?.[1] ?? value;
  if (values.length > 1 || !KEY.test(key)) throw new Problem("invalid-idempotency-key");
  return key;
}
