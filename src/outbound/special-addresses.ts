import { isIPv4 } from "node:net";
import { cidrSet, parseAddress } from "../lib/cidr.ts";
import table from "./special-purpose-addresses.json" with { type: "json" };

const deniedIpv4 = cidrSet(table.ipv4.map((row) => row.cidr));
const allowedIpv6 = cidrSet(table.ipv6_allow);
const deniedIpv6 = cidrSet(table.ipv6.map((row) => row.cidr));

/**
 * Whether an address belongs to the public Internet (SPEC section 3, by the IANA special-purpose registries): IPv4 is
 * public unless the table denies it; IPv6 only inside 2000::/3, and unless the table denies it. So an IPv4-mapped address
 * never is, whatever IPv4 address it carries. False for text that is no address.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address === null) return false;
  const plain = address.toString();
  return address.kind() === "ipv4"
    ? isIPv4(text) && !deniedIpv4.contains(plain)
    : allowedIpv6.contains(plain) && !deniedIpv6.contains(plain);
}
