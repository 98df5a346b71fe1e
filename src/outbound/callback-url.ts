import { isIPv4, isIPv6 } from "node:net";
import { type CidrSet, cidrSet, normalAddress } from "../lib/cidr.ts";
import { isPublicAddress } from "./special-addresses.ts";

/** What the operator allows callbacks to reach (SPEC section 2). */
export interface CallbackPolicy {
  readonly requireHttps: boolean;
  /** Exact names, or `*.x` for the subdomains of x alone; empty: every host. */
  readonly allowedHosts: readonly string[];
  readonly allowedPorts: readonly number[] | "any";
  /** Ranges that callbacks may reach although they are not public. */
  readonly allowedCidrs: readonly string[];
  /** Refuse a name that does not exist already when the order is accepted, rather than at delivery. */
  readonly refuseUnknownNames: boolean;
}

/** `host`: the name in lower case, or the literal address in its normal spelling, without brackets. */
export type CallbackUrlCheck =
  | { readonly ok: true; readonly url: URL; readonly host: string }
  | { readonly ok: false; readonly reason: string };

export const MAX_CALLBACK_URL_CHARS = 2048;
const MAX_NAME_CHARS = 253;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const SPECIAL_SUFFIXES = [".localhost", ".invalid", ".local", ".internal", ".onion"];

/**
 * The part of SPEC section 3's `callback_url` rules that needs no network. It judges the text as written, because the
 * URL parser repairs a great deal in silence (`https:\\x`, tabs, `0x7f.1`, full-width dots), and then holds the
 * parser's reading against its own.
 *
 * @param partnerHosts the partner's own list, which narrows the policy's; null: no such list
 */
export function checkCallbackUrl(
  text: string,
  policy: CallbackPolicy,
  partnerHosts: readonly string[] | null,
): CallbackUrlCheck {
  const written = readWritten(text);
  if (typeof written === "string") return refuse(written);
  const host = written.ipv6 === null ? written.host : (normalAddress(written.ipv6) ?? written.ipv6);
  const reason =
    refuseScheme(written.scheme, policy) ??
    refusePort(written, policy) ??
    refuseHost(written, host, policy) ??
    (partnerHosts === null || matchesHost(host, partnerHosts)
      ? null
      : "the host is not among the partner's callback hosts");
  if (reason !== null) return refuse(reason);
  const url = URL.parse(text);
  return url !== null && agrees(url, written) ? { ok: true, url, host } : refuse("it is not a valid URL");
}

/** The two names that RFC 6761 ties to loopback, whatever a name server says. */
export function isLocalhostName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** Whether the loopback addresses, which `localhost` names stand for, are among the ranges. */
function coversLoopback(cidrs: CidrSet): boolean {
  return cidrs.contains("127.0.0.1") || cidrs.contains("::1");
}

interface Written {
  readonly scheme: string;
  /** In lower case, an IPv6 literal with its brackets. */
  readonly host: string;
  readonly ipv6: string | null;
  readonly port: string | null;
}

function refuse(reason: string): CallbackUrlCheck {
  return { ok: false, reason };
}

/** Takes the text apart, or says in a short clause why it can't be. */
function readWritten(text: string): Written | string {
  if (text.length > MAX_CALLBACK_URL_CHARS) return `it is longer than ${MAX_CALLBACK_URL_CHARS} characters`;
  if (/[\s\p{Cc}]/u.test(text)) return "whitespace and control characters are not allowed";
  if (text.includes("\\")) return "a backslash is not allowed";
  if (text.includes("#")) return "a fragment is not allowed";
  const [, scheme, authority] = /^([a-z]+):\/\/([^/?]*)/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return "it is not written https://host/path";
  if (authority.includes("@")) return "user information is not allowed";
  const parts = /^(\[([^[\]]*)\]|[^:[\]]*)(?::(.*))?$/.exec(authority);
  if (parts === null) return "the host is not valid";
  const [, host = "", ipv6 = null, port = null] = parts;
  if (host === "") return "the host is missing";
  if (port !== null && !/^[1-9]\d{0,4}$/.test(port)) return "the port is not valid";
  return { scheme: scheme.toLowerCase(), host: lowerCase(host), ipv6, port };
}

/** ASCII letters alone: `toLowerCase` would make a plain k of the Kelvin sign, before anyone saw that it is none. */
function lowerCase(host: string): string {
  return host.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function refuseScheme(scheme: string, policy: CallbackPolicy): string | null {
  if (scheme === "https") return null;
  if (scheme !== "http") return "the scheme is not https";
  return policy.requireHttps ? "the scheme must be https" : null;
}

function refusePort({ scheme, port }: Written, { allowedPorts }: CallbackPolicy): string | null {
  const number = Number(port ?? (scheme === "https" ? 443 : 80));
  if (number > 65_535) return "the port is not valid";
  return allowedPorts === "any" || allowedPorts.includes(number) ? null : `the port ${number} is not allowed`;
}

function refuseHost(written: Written, host: string, policy: CallbackPolicy): string | null {
  const listed = matchesHost(host, policy.allowedHosts);
  if (policy.allowedHosts.length > 0 && !listed) return "the host is not among the allowed callback hosts";
  if (written.ipv6 !== null) {
    if (!isIPv6(written.ipv6) || written.ipv6.includes("%")) return "the IPv6 address is not valid";
    return refuseAddress(written.ipv6, policy);
  }
  const labels = host.split(".");
  // The URL parser takes any host that ends in a number for an IPv4 address, however short or hexadecimal.
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? "")) {
    return isIPv4(host) ? refuseAddress(host, policy) : "an IPv4 address is written as four decimal octets";
  }
  if (host.length > MAX_NAME_CHARS || !labels.every((label) => LABEL.test(label)))
    return "the host is not valid";
  return refuseName(host, labels.length, listed, policy);
}

function refuseName(host: string, labels: number, listed: boolean, policy: CallbackPolicy): string | null {
  if (listed) return null;
  if (isLocalhostName(host)) {
    return coversLoopback(allowedRanges(policy)) ? null : "a localhost name is not public";
  }
  if (labels < 2) return "the host has a single label";
  const special = SPECIAL_SUFFIXES.find((suffix) => host.endsWith(suffix));
  return special === undefined ? null : `names under ${special} are not public`;
}

function refuseAddress(address: string, policy: CallbackPolicy): string | null {
  return isPublicAddress(address) || allowedRanges(policy).contains(address)
    ? null
    : "the address is not public";
}

const rangesOf = new WeakMap<CallbackPolicy, CidrSet>();

/** Read once for each policy: it is asked at every acceptance and every delivery. */
function allowedRanges(policy: CallbackPolicy): CidrSet {
  const known = rangesOf.get(policy);
  if (known) return known;
  const ranges = cidrSet(policy.allowedCidrs);
  rangesOf.set(policy, ranges);
  return ranges;
}

function matchesHost(host: string, entries: readonly string[]): boolean {
  const isLiteral = normalAddress(host) !== null;
  return entries.some((entry) => {
    const pattern = entry.toLowerCase();
    // `*.1` must not match 10.0.0.1: an address has no subdomains.
    if (pattern.startsWith("*.")) return !isLiteral && host.endsWith(pattern.slice(1));
    return host === (normalAddress(pattern.replace(/^\[(.*)\]$/, "$1")) ?? pattern);
  });
}

/** The parser must have understood the same host and port as the checks did. */
function agrees(url: URL, written: Written): boolean {
  const sameHost =
    written.ipv6 === null
      ? url.hostname === written.host
      : normalAddress(url.hostname.slice(1, -1)) === normalAddress(written.ipv6);
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const writtenPort = written.port ?? (written.scheme === "https" ? "443" : "80");
  return sameHost && port === writtenPort && url.protocol === `${written.scheme}:`;
}
