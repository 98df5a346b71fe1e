import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** An IPv4 or IPv6 address; an IPv4-mapped IPv6 address has become the IPv4 address it carries. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

export interface Cidr {
  readonly network: Address;
  readonly prefixLength: number;
}

export interface CidrSet {
  /** False for text that is no address, so that a failed parse can never be let in. */
  contains(address: string): boolean;
}

/** A mapped network needs its 96 fixed bits: a shorter prefix spans more than the mapped range. */
const MAPPED_BITS = 96;

/**
 * Reads an address in its plain form alone: four decimal octets, or RFC 4291 text without a zone. The legacy forms of
 * `inet_aton` (octal, hex, fewer parts), which two readers may take for two addresses, are null.
 */
export function parseAddress(text: string): Address | null {
  if (text === lastText) return lastAddress;
  const parsed = parseUnmapped(text);
  lastText = text;
  lastAddress = parsed === null ? null : unmapped(parsed);
  return lastAddress;
}
// One address is asked about several times in a row.
let lastText = "";
let lastAddress: Address | null = null;

/** The address in one spelling: dotted decimal, or RFC 5952. Null for text that is no address. */
export function normalAddress(text: string): string | null {
  return parseAddress(text)?.toString() ?? null;
}

/** Reads `address/length` (host bits are ignored) or a plain address, which stands for itself alone. */
export function parseCidr(text: string): Cidr | null {
  const slash = text.indexOf("/");
  const network = parseUnmapped(slash === -1 ? text : text.slice(0, slash));
  if (network === null) return null;
  const bits = network.kind() === "ipv4" ? 32 : 128;
  const length = slash === -1 ? bits : readPrefixLength(text.slice(slash + 1), bits);
  if (length === null) return null;
  const plain = length >= MAPPED_BITS ? unmapped(network) : network;
  return { network: plain, prefixLength: plain === network ? length : length - MAPPED_BITS };
}

/** @throws Error naming the first entry that is no CIDR. */
export function cidrSet(cidrs: readonly string[]): CidrSet {
  const parsed = cidrs.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === null) throw new Error(`not a CIDR: ${JSON.stringify(text)}`);
    return cidr;
  });
  return {
    contains(text) {
      const address = parseAddress(text);
      return address !== null && parsed.some((cidr) => covers(cidr, address));
    },
  };
}

function covers({ network, prefixLength }: Cidr, address: Address): boolean {
  return network.kind() === address.kind() && address.match(network, prefixLength);
}

function parseUnmapped(text: string): Address | null {
  // `isIP` is the strict reader; ipaddr.js alone would take `0x7f.1`. A zone names an interface, not an address.
  return isIP(text) === 0 || text.includes("%") ? null : ipaddr.parse(inHex(text));
}

/** Without a dotted quad at the end: ipaddr.js takes `::1.2.3.4`, which carries nothing, for the IPv4-mapped address. */
function inHex(text: string): string {
  if (!text.includes(":")) return text;
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_quad, ...octets: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
}

function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function readPrefixLength(text: string, max: number): number | null {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const length = Number(text);
  return length <= max ? length : null;
}
