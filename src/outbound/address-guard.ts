import { type LookupFunction, isIP } from "node:net";
import { type CidrSet, cidrSet, normalAddress } from "../lib/cidr.ts";
import { type CallbackPolicy, isLocalhostName } from "./callback-url.ts";
import { type Connector, type ConnectorOptions, DnsError, GuardError, createConnector } from "./connector.ts";
import type { Resolve } from "./resolver.ts";
import { isPublicAddress } from "./special-addresses.ts";

export type AcceptanceCheck =
  | { readonly kind: "allowed" }
  /** It can't be told now: the check is made again at delivery, as it is in any case. */
  | { readonly kind: "deferred"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

export interface AddressGuard {
  /** SPEC section 3: what the URL's host resolves to, for a URL that `checkCallbackUrl` has let pass. Never rejects. */
  checkAtAcceptance(url: URL): Promise<AcceptanceCheck>;
  /** SPEC section 4: a connector that reaches nothing but addresses approved in the connection's own lookup. */
  connector(options: ConnectorOptions): Connector;
}

/** An order's sender waits for this lookup. */
const ACCEPTANCE_LOOKUP_MS = 2000;
/** Every address is checked, but this many of each family are enough to try. */
const MAX_TRIED_PER_FAMILY = 4;
// The reasons reach partners, so they don't say what an internal name resolves to.
const NOT_PUBLIC = "the host resolves to an address that is not public";
const UNKNOWN_NAME = "the host name does not exist";

/**
 * @param guard.resolveAtDelivery another resolver for the connections, so that what the first one remembers for a moment
 *   can't stand in for the check at delivery
 * @throws Error if `policy.allowedCidrs` holds something that is no CIDR
 */
export function createAddressGuard(guard: {
  policy: CallbackPolicy;
  resolve: Resolve;
  resolveAtDelivery?: Resolve;
}): AddressGuard {
  const { policy, resolve, resolveAtDelivery = resolve } = guard;
  const allowed = cidrSet(policy.allowedCidrs);

  return {
    async checkAtAcceptance(url) {
      const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
      if (isIP(host) !== 0) {
        const refused = judgeAddress(host, allowed);
        return refused === null ? { kind: "allowed" } : { kind: "refused", reason: refused.message };
      }
      const resolution = await resolve(host, ACCEPTANCE_LOOKUP_MS);
      if (resolution.kind === "failed") return { kind: "deferred", reason: unresolved(resolution.code) };
      if (resolution.kind === "unknown-name") {
        return { kind: policy.refuseUnknownNames ? "refused" : "deferred", reason: UNKNOWN_NAME };
      }
      return approve(host, resolution.addresses, allowed).length > 0
        ? { kind: "allowed" }
        : { kind: "refused", reason: NOT_PUBLIC };
    },

    connector(options) {
      return createConnector(options, {
        lookup: guardedLookup(resolveAtDelivery, allowed, options.timeoutMs),
        // A literal never comes to the lookup.
        beforeConnect: (host) => (isIP(host) === 0 ? null : judgeAddress(host, allowed)),
        afterConnect: (address) => judgeAddress(address, allowed),
      });
    },
  };
}

function judgeAddress(address: string, allowed: CidrSet): GuardError | null {
  return approve(address, [address], allowed).length > 0 ? null : new GuardError("the address is not public");
}

function unresolved(code: string): string {
  return `the host could not be resolved (${code})`;
}

/**
 * The addresses that may be connected to: all, or none if any of them is not allowed, as a name with one private
 * address is somebody's attempt. Of a localhost name's two, which nobody chose, those that are allowed.
 */
function approve(host: string, addresses: readonly string[], allowed: CidrSet): string[] {
  const approved = addresses
    .filter((address) => isPublicAddress(address) || allowed.contains(address))
    .flatMap((address) => normalAddress(address) ?? []);
  return isLocalhostName(host) || approved.length === addresses.length ? approved : [];
}

function guardedLookup(resolve: Resolve, allowed: CidrSet, timeoutMs: number): LookupFunction {
  return (host, options, callback) => {
    const answer = async () => {
      const resolution = await resolve(host, timeoutMs);
      if (resolution.kind === "unknown-name") throw new DnsError(UNKNOWN_NAME);
      if (resolution.kind === "failed") throw new DnsError(unresolved(resolution.code));
      const approved = approve(host, resolution.addresses, allowed);
      if (approved.length === 0) throw new GuardError(NOT_PUBLIC);
      return pickAddresses(approved, options.family);
    };
    answer().then(
      (found) => {
        const first = found[0];
        if (options.all === true) callback(null, found);
        else if (first !== undefined) callback(null, first.address, first.family);
        else callback(new DnsError(UNKNOWN_NAME), []);
      },
      (error: Error) => callback(error, []),
    );
  };
}

function pickAddresses(approved: readonly string[], family: unknown): { address: string; family: number }[] {
  const found = approved.map((address) => ({ address, family: isIP(address) }));
  return [4, 6]
    .filter((wanted) => family !== (wanted === 4 ? 6 : 4))
    .flatMap((wanted) => found.filter((one) => one.family === wanted).slice(0, MAX_TRIED_PER_FAMILY));
}
