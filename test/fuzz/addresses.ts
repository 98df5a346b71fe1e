/** An address as a number; `bits` tells the two families apart. */
export interface ReadAddress {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/*
 * RFC 4291 section 2.2 and four decimal octets, read by hand: what the code under test and its library read is held
 * against this.
 */

export function readAddress(text: string): ReadAddress | null {
  const v4 = readIpv4(text);
  if (v4 !== null) return { bits: 32, value: v4 };
  const v6 = readIpv6(text);
  if (v6 === null) return null;
  // IPv4-mapped counts as IPv4 (SPEC section 3).
  return v6 >> 32n === 0xffffn ? { bits: 32, value: v6 & 0xffff_ffffn } : { bits: 128, value: v6 };
}

export function readIpv4(text: string): bigint | null {
  const octets = text.split(".");
  const isOctet = (octet: string): boolean => /^(0|[1-9][0-9]?[0-9]?)$/.test(octet) && Number(octet) < 256;
  if (octets.length !== 4 || !octets.every(isOctet)) return null;
  return octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

export function readIpv6(text: string): bigint | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const read = halves.map((half, index) => readGroups(half, index === halves.length - 1));
  const [head, tail = []] = read;
  if (!head || !tail) return null;
  const missing = 8 - head.length - tail.length;
  // A `::` stands for at least one group.
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((sum, group) => sum * 65_536n + group, 0n);
}

/** Null for what is none; only the last two groups of an address may be written as a dotted quad. */
function readGroups(text: string, isLast: boolean): bigint[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups = parts.map((part, index): bigint[] | null => {
    if (/^[0-9a-f]{1,4}$/i.test(part)) return [BigInt(`0x${part}`)];
    const quad = isLast && index === parts.length - 1 ? readIpv4(part) : null;
    return quad === null ? null : [quad >> 16n, quad & 0xffffn];
  });
  return groups.includes(null) ? null : groups.flatMap((group) => group!);
}

/** Whether a range of the same family holds it: `10.0.0.0/8`. */
export function isWithin(address: ReadAddress, cidr: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const base = readAddress(network);
  if (base === null || base.bits !== address.bits) return false;
  const shift = BigInt(base.bits - Number(length));
  return base.value >> shift === address.value >> shift;
}
