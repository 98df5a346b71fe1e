import { randomBytes, randomFillSync } from "node:crypto";

// Random bytes are drawn from the kernel 4 KiB at a time: one call for some 250 ids.
const pool = Buffer.alloc(4096);
let used = pool.length;

function random(length: number): Buffer {
  if (used + length > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += length;
  return pool.subarray(used - length, used);
}

/**
 * A UUID of version 7 (RFC 9562 section 5.7): 48 bits of epoch milliseconds, then 74 random bits. Ids made
 * close in time stand close in an index; the last seven bytes are wholly random, as W3C Trace Context asks
 * of a trace id (SPEC section 6).
 */
export function uuidV7(epochMs: number): string {
  const bytes = Buffer.from(random(16));
  bytes.writeUIntBE(epochMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The time of a UUID of version 7, in epoch milliseconds. */
export function timeOfUuidV7(uuid: string): number {
  return Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

/** The id of an event: in the order of time, as its UUID is. */
export function eventId(epochMs: number): string {
  return `evt_${uuidV7(epochMs).replaceAll("-", "")}`;
}

/** A span id of W3C Trace Context: eight random bytes in hex. */
export function spanId(): string {
  return random(8).toString("hex");
}

/** A secret with 32 random bytes behind it, in base64url, with a prefix that tells what it is for. */
export function secretToken(prefix: string): string {
  return prefix + randomBytes(32).toString("base64url");
}
