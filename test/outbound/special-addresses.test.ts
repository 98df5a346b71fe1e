import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import ipaddr from "ipaddr.js";
import { isPublicAddress } from "../../src/outbound/special-addresses.ts";
import table from "../../src/outbound/special-purpose-addresses.json" with { type: "json" };

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** The edges by plain arithmetic, not by the code under test. */
function rangeOf(cidr: string): Range {
  const [network, length] = ipaddr.parseCIDR(cidr);
  const bytes = network.toByteArray();
  const size = 1n << BigInt(bytes.length * 8 - length);
  const base = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const first = base - (base % size);
  return { first, last: first + size - 1n };
}

function textOf(value: bigint, bytes: 4 | 16): string {
  const parts = Array.from({ length: bytes }, (_, index) =>
    Number((value >> BigInt(8 * (bytes - 1 - index))) & 255n),
  );
  return ipaddr.fromByteArray(parts).toString();
}

const inside = (ranges: readonly Range[], value: bigint) =>
  ranges.some((one) => one.first <= value && value <= one.last);

const denied4 = table.ipv4.map((row) => rangeOf(row.cidr));
const denied6 = table.ipv6.map((row) => rangeOf(row.cidr));
const allowed6 = table.ipv6_allow.map(rangeOf);

const isPublic4 = (value: bigint) => !inside(denied4, value);
const isPublic6 = (value: bigint) => inside(allowed6, value) && !inside(denied6, value);

function edges(ranges: readonly Range[], bits: bigint): bigint[] {
  return ranges
    .flatMap(({ first, last }) => [first - 1n, first, last, last + 1n])
    .filter((value) => value >= 0n && value < 1n << bits);
}

test("each range's first and last address is denied, and its neighbours by the table as a whole", () => {
  for (const value of edges(denied4, 32n)) {
    assert.equal(isPublicAddress(textOf(value, 4)), isPublic4(value), textOf(value, 4));
  }
  for (const value of edges([...denied6, ...allowed6], 128n)) {
    assert.equal(isPublicAddress(textOf(value, 16)), isPublic6(value), textOf(value, 16));
  }
  for (const { first, last } of denied4) {
    for (const value of [first, last]) assert.equal(isPublicAddress(textOf(value, 4)), false);
  }
});

test("any address is public as the table says, and an IPv4-mapped one never", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), (value) => {
      assert.equal(isPublicAddress(textOf(value, 4)), isPublic4(value));
      assert.equal(isPublicAddress(`::ffff:${textOf(value, 4)}`), false);
    }),
  );
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) => {
      assert.equal(isPublicAddress(textOf(value, 16)), isPublic6(value));
    }),
  );
});

test("the addresses everybody knows", () => {
  for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "172.32.0.1", "2a00::1"]) {
    assert.equal(isPublicAddress(address), true, address);
  }
  const denied = [
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "100.64.0.1",
  ];
  const denied6 = [
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "ff02::1",
  ];
  for (const address of [...denied, ...denied6]) assert.equal(isPublicAddress(address), false, address);
});

test("text that is no address is not public", () => {
  for (const text of ["", "localhost", "0x7f.1", "8.8.8", "8.8.8.8:53", "[2a00::1]"]) {
    assert.equal(isPublicAddress(text), false, text);
  }
});
