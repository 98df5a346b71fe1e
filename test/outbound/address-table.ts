import table from "../../src/outbound/special-purpose-addresses.json" with { type: "json" };

/** An address of the table's edges as a number, and what the table as a whole says of it. */
export interface Edge {
  readonly value: bigint;
  readonly isPublic: boolean;
}

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/*
 * All by plain arithmetic, and the spellings by hand: nothing here is read or written by the code under test, nor by
 * the library it uses.
 */

const denied4 = table.ipv4.map(({ cidr }) => rangeOf(cidr, octets(cidr), 32));
const denied6 = table.ipv6.map(({ cidr }) => rangeOf(cidr, groups(cidr), 128));
const allowed6 = table.ipv6_allow.map((cidr) => rangeOf(cidr, groups(cidr), 128));

export const isPublic4 = (value: bigint): boolean => !inside(denied4, value);
export const isPublic6 = (value: bigint): boolean => inside(allowed6, value) && !inside(denied6, value);

/** One before the first, the first, the last and one after the last address of every row. */
export const edges4 = edges(denied4, 32, isPublic4);
export const edges6 = edges([...denied6, ...allowed6], 128, isPublic6);

/** The spellings of RFC 4291 section 2.2 that one IPv6 address has. */
export const IPV6_NOTATIONS: Record<string, (value: bigint) => string> = {
  full: (value) =>
    hexGroups(value)
      .map((group) => group.padStart(4, "0"))
      .join(":"),
  "no leading zeros": (value) => hexGroups(value).join(":"),
  compressed: (value) => compressed(hexGroups(value).join(":")),
  "upper case": (value) => compressed(hexGroups(value).join(":")).toUpperCase(),
  "with a dotted quad": (value) => dottedTail(value),
  "compressed, with a dotted quad": (value) => compressed(dottedTail(value)),
};

/** The ways to carry an IPv4 address in an IPv6 one that have a name. None of them is public, whatever it carries. */
export const IPV4_IN_IPV6: Record<string, (ipv4: bigint) => bigint> = {
  "mapped (RFC 4291)": (ipv4) => (0xffffn << 32n) | ipv4,
  "compatible (RFC 4291)": (ipv4) => ipv4,
  "translated (RFC 2765)": (ipv4) => (0xffffn << 48n) | ipv4,
  "NAT64, well-known prefix (RFC 6052)": (ipv4) => (0x64_ff9bn << 96n) | ipv4,
  "NAT64, local prefix of 96 bits (RFC 8215)": (ipv4) => (0x64_ff9b_0001n << 80n) | ipv4,
  // Bits 64 to 71 stay zero, in the midst of the address.
  "NAT64, local prefix of 48 bits (RFC 8215)": (ipv4) =>
    (0x64_ff9b_0001n << 80n) | ((ipv4 >> 16n) << 64n) | ((ipv4 & 0xffffn) << 40n),
  "6to4 (RFC 3056)": (ipv4) => (0x2002n << 112n) | (ipv4 << 80n) | 1n,
  "Teredo server (RFC 4380)": (ipv4) => (0x2001n << 112n) | (ipv4 << 64n) | 0x8000_ffff_f7f7_f7f7n,
  "Teredo client, inverted (RFC 4380)": (ipv4) =>
    (0x2001n << 112n) | (0x0808_0808n << 64n) | (ipv4 ^ 0xffff_ffffn),
};

export function dotted(ipv4: bigint): string {
  return bytesOf(ipv4).join(".");
}

/** The four octets of an IPv4 address. */
export function bytesOf(ipv4: bigint): number[] {
  return [24n, 16n, 8n, 0n].map((shift) => Number((ipv4 >> shift) & 255n));
}

function hexGroups(value: bigint): string[] {
  return Array.from({ length: 8 }, (_, at) => ((value >> BigInt(16 * (7 - at))) & 0xffffn).toString(16));
}

function dottedTail(value: bigint): string {
  return [...hexGroups(value).slice(0, 6), dotted(value & 0xffff_ffffn)].join(":");
}

/** `::` for the first of the longest runs of zero groups. */
function compressed(text: string): string {
  const runs = text.match(/(?<![\da-f.])0(?::0)+(?![\da-f.])/g) ?? [];
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? text : text.replace(new RegExp(`(?:^|:)${longest}(?:$|:)`), "::");
}

function octets(cidr: string): bigint {
  return cidr
    .split("/", 1)[0]!
    .split(".")
    .reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

function groups(cidr: string): bigint {
  const [left = "", right = ""] = cidr.split("/", 1)[0]!.split("::");
  const read = (text: string) => (text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`)));
  const [head, tail] = [read(left), read(right)];
  const middle = Array.from({ length: 8 - head.length - tail.length }, () => 0n);
  return [...head, ...middle, ...tail].reduce((sum, group) => (sum << 16n) | group, 0n);
}

function rangeOf(cidr: string, base: bigint, bits: number): Range {
  const size = 1n << BigInt(bits - Number(cidr.split("/")[1]));
  const first = base - (base % size);
  return { first, last: first + size - 1n };
}

function inside(ranges: readonly Range[], value: bigint): boolean {
  return ranges.some(({ first, last }) => first <= value && value <= last);
}

function edges(ranges: readonly Range[], bits: number, isPublic: (value: bigint) => boolean): Edge[] {
  const values = ranges.flatMap(({ first, last }) => [first - 1n, first, last, last + 1n]);
  const within = [...new Set(values)].filter((value) => value >= 0n && value < 1n << BigInt(bits));
  return within.map((value) => ({ value, isPublic: isPublic(value) }));
}
