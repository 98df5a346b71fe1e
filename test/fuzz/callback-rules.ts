import type { CallbackPolicy } from "../../src/outbound/callback-url.ts";
import { isPublic4, isPublic6 } from "../outbound/address-table.ts";
import { isWithin, readAddress, readIpv4, readIpv6 } from "./addresses.ts";

/** Where a callback goes, by the text alone. */
export interface Destination {
  readonly scheme: string;
  /** A name in lower case; an address as it is written, without brackets. */
  readonly host: string;
  readonly port: number;
}

const SPECIAL = new Set(["localhost", "invalid", "local", "internal", "onion"]);

/** SPEC section 3's `callback_url`, rule by rule, without a URL parser. Null: refused. */
export function destinationOf(
  text: string,
  policy: CallbackPolicy,
  partnerHosts: readonly string[] | null,
): Destination | null {
  // "at most 2048 characters ... no userinfo (not even empty), fragment, backslash, whitespace or control character"
  if (text.length > 2048 || /[#\\\s\p{Cc}]/u.test(text)) return null;
  const colon = text.indexOf("://");
  const scheme = asciiLower(text.slice(0, Math.max(0, colon)));
  if (scheme !== "https" && (scheme !== "http" || policy.requireHttps)) return null;
  const rest = text.slice(colon + 3);
  const end = rest.search(/[/?]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  if (authority.includes("@")) return null;

  const isLiteral = authority.startsWith("[");
  const hostEnd = isLiteral ? authority.indexOf("]") + 1 : authority.search(/:|$/);
  const host = asciiLower(authority.slice(0, hostEnd));
  const port = portIn(authority.slice(hostEnd), scheme);
  if (port === null || (policy.allowedPorts !== "any" && !policy.allowedPorts.includes(port))) return null;
  const name = isLiteral ? host.slice(1, -1) : host;
  // "a partner's `callback_hosts` must allow it too"
  if (partnerHosts !== null && !partnerHosts.some((entry) => matches(name, entry))) return null;
  return isAllowed(name, isLiteral, policy) ? { scheme, host: name, port } : null;
}

function portIn(text: string, scheme: string): number | null {
  if (text === "") return scheme === "https" ? 443 : 80;
  const port = /^:([1-9][0-9]{0,4})$/.exec(text)?.[1];
  return port === undefined || Number(port) > 65_535 ? null : Number(port);
}

function isAllowed(host: string, isLiteral: boolean, policy: CallbackPolicy): boolean {
  const isListed = policy.allowedHosts.some((entry) => matches(host, entry));
  if (policy.allowedHosts.length > 0 && !isListed) return false;
  if (isLiteral) return readIpv6(host) !== null && mayReach(host, policy);
  // "an IPv4 literal is four plain decimal octets"
  if (readIpv4(host) !== null) return mayReach(host, policy);
  // "host in ASCII letters, digits, hyphens ... no trailing dot or percent-escape"
  const labels = host.split(".");
  const isName = labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (!isName || host.length > 253) return false;
  // WHATWG's URL takes what ends in a number for an address.
  if (/^([0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1)!)) return false;
  if (isListed) return true;
  if (labels.at(-1) === "localhost") {
    return ["127.0.0.1", "::1"].some((address) => isCovered(address, policy));
  }
  // "at least two labels"; "refused without asking unless listed"
  return labels.length >= 2 && !SPECIAL.has(labels.at(-1)!);
}

function matches(host: string, entry: string): boolean {
  const pattern = entry.toLowerCase();
  const address = readAddress(host);
  if (pattern.startsWith("*.")) return address === null && host.endsWith(pattern.slice(1));
  const other = readAddress(pattern.replace(/^\[(.*)\]$/, "$1"));
  if (address === null || other === null) return host === pattern;
  return address.bits === other.bits && address.value === other.value;
}

/** "must be public by the table ... or in `ALLOWED_CALLBACK_CIDRS`" */
export function mayReach(text: string, policy: Pick<CallbackPolicy, "allowedCidrs">): boolean {
  const v4 = readIpv4(text);
  const v6 = readIpv6(text);
  const isPublic = v4 !== null ? isPublic4(v4) : v6 !== null && isPublic6(v6);
  return isPublic || isCovered(text, policy);
}

function isCovered(text: string, { allowedCidrs }: Pick<CallbackPolicy, "allowedCidrs">): boolean {
  const address = readAddress(text);
  return address !== null && allowedCidrs.some((cidr) => isWithin(address, cidr));
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
