import { type CidrSet, normalAddress } from "../lib/cidr.ts";

/** More trusted proxies in a row than any deployment has; beyond them the header is not worth reading. */
const MAX_HOPS = 32;
/** The longest entry that can be an address: `[v6]` with an embedded IPv4, and a port. */
const MAX_ENTRY_CHARS = 64;

/**
 * The address a request came from (SPEC section 3, "Client address"): the socket's, unless that is a trusted proxy;
 * then `X-Forwarded-For` is read from the right, past trusted proxies, to the first entry that is not one. All trusted:
 * the leftmost. What stands further left is the client's own claim and is never looked at.
 *
 * @param forwardedFor the values of the `X-Forwarded-For` lines, in their order
 * @returns the address in its normal spelling (IPv4-mapped as IPv4); null where none can be told: answer 403
 */
export function clientAddress(
  socketAddress: string | undefined,
  forwardedFor: readonly string[],
  trustedProxies: CidrSet,
): string | null {
  // A link-local peer carries its zone (`fe80::1%eth0`), which is no part of the address.
  let address = normalAddress((socketAddress ?? "").replace(/%.*$/, ""));
  let hops = 0;
  for (const entry of entriesFromTheRight(forwardedFor)) {
    if (address === null || !trustedProxies.contains(address)) return address;
    if (++hops > MAX_HOPS) return null;
    address = readEntry(entry);
  }
  return address;
}

/** One header sent on several lines is one list (RFC 9110 section 5.3); lazily, as its left part may be hostile. */
function* entriesFromTheRight(lines: readonly string[]): Generator<string> {
  for (const line of lines.toReversed()) {
    let end = line.length;
    while (end >= 0) {
      const comma = end === 0 ? -1 : line.lastIndexOf(",", end - 1);
      yield line.slice(comma + 1, end);
      end = comma;
    }
  }
}

/** `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`; anything else is null. */
function readEntry(entry: string): string | null {
  if (entry.length > MAX_ENTRY_CHARS) return null;
  const text = entry.replace(/^[ \t]+|[ \t]+$/g, "");
  const withPort = /^(?:\[(?<v6>[^\]]*:[^\]]*)\]|(?<v4>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  if (withPort === undefined) return normalAddress(text);
  if (Number(withPort["port"] ?? 0) > 65_535) return null;
  return normalAddress(withPort["v6"] ?? withPort["v4"] ?? "");
}
