import { promises as dns } from "node:dns";
import { isLocalhostName } from "./callback-url.ts";

export type Resolution =
  | { readonly kind: "addresses"; readonly addresses: readonly string[] }
  /** The name does not exist, or has neither A nor AAAA records. */
  | { readonly kind: "unknown-name" }
  /** No answer to rely on: `code` is c-ares' (`ESERVFAIL`, ...), `EDEADLINE`, or `EBUSY` (too many lookups under way). */
  | { readonly kind: "failed"; readonly code: string };

/** Resolves a host name (never a literal address) within `deadlineMs`; never rejects. */
export type Resolve = (name: string, deadlineMs: number) => Promise<Resolution>;

export interface ResolverOptions {
  /** `address[:port]` of the name servers; default: the system's. */
  readonly servers?: readonly string[];
  /** How long the first try of one query waits, in milliseconds; c-ares doubles it for the next. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  /** Distinct names being asked for at a time. */
  readonly maxInFlight?: number;
  /** The same for the names of one domain, so that one hanging domain can't take every place. */
  readonly maxInFlightPerDomain?: number;
  /** Ends the queries under way: a process that has stopped must not wait for a name server that hangs. */
  readonly signal?: AbortSignal;
}

/**
 * Long enough that a burst of orders for one partner asks once, short enough to be of no account: whoever connects
 * connects to the very addresses that were approved, so that an old answer can at worst be out of date.
 */
const CACHE_MS = 1000;
const MAX_CACHED = 1000;

const NO_SUCH_RECORDS = new Set(["ENOTFOUND", "ENODATA", "EBADNAME"]);

/**
 * Name resolution by c-ares, which unlike getaddrinfo holds no thread of the pool while a name server hangs (and does
 * not read /etc/hosts). A and AAAA are asked for in parallel. If one family fails while the other has addresses, those
 * count: nobody ever connects to an address that is not among the checked ones, so the silent half can hide nothing,
 * and a broken AAAA zone must not cost a partner its callbacks. `localhost` names are loopback unasked (RFC 6761).
 */
export function createResolver(options: ResolverOptions = {}): Resolve {
  const { maxInFlight = 256, maxInFlightPerDomain = 16 } = options;
  const resolver = new dns.Resolver({ timeout: options.timeoutMs ?? 2000, tries: options.tries ?? 2 });
  if (options.servers !== undefined) resolver.setServers(options.servers);
  options.signal?.addEventListener("abort", () => resolver.cancel());
  const inFlight = new Map<string, Promise<Resolution>>();
  const perDomain = new Map<string, number>();
  const cache = new Map<string, { resolution: Resolution; untilMs: number }>();

  /** Holds its place until c-ares itself has given up: a waiter's deadline frees nothing that is still under way. */
  async function lookUp(name: string, domain: string): Promise<Resolution> {
    perDomain.set(domain, (perDomain.get(domain) ?? 0) + 1);
    const resolution = await ask(resolver, name);
    inFlight.delete(name);
    const left = (perDomain.get(domain) ?? 1) - 1;
    if (left === 0) perDomain.delete(domain);
    else perDomain.set(domain, left);
    if (resolution.kind !== "failed") remember(name, resolution);
    return resolution;
  }

  function remember(name: string, resolution: Resolution): void {
    cache.delete(name);
    cache.set(name, { resolution, untilMs: performance.now() + CACHE_MS });
    if (cache.size > MAX_CACHED) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
  }

  return async (host, deadlineMs) => {
    const name = host.toLowerCase();
    if (isLocalhostName(name)) return { kind: "addresses", addresses: ["127.0.0.1", "::1"] };
    const known = cache.get(name);
    if (known !== undefined && known.untilMs > performance.now()) return known.resolution;
    let lookup = inFlight.get(name);
    if (lookup === undefined) {
      const domain = domainOf(name);
      if (inFlight.size >= maxInFlight || (perDomain.get(domain) ?? 0) >= maxInFlightPerDomain) {
        return { kind: "failed", code: "EBUSY" };
      }
      lookup = lookUp(name, domain);
      inFlight.set(name, lookup);
    }
    return within(deadlineMs, lookup);
  };
}

/**
 * The last two labels. Under a suffix like co.uk unrelated partners share a domain then, which a list of public
 * suffixes would tell apart; the cost is only that a flood under it can defer its neighbours' lookups.
 */
function domainOf(name: string): string {
  return name.split(".").slice(-2).join(".");
}

async function ask(resolver: dns.Resolver, name: string): Promise<Resolution> {
  const families = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = families.flatMap((family) => (family.status === "fulfilled" ? family.value : []));
  if (addresses.length > 0) return { kind: "addresses", addresses };
  const codes = families.flatMap((family) => (family.status === "rejected" ? [codeOf(family.reason)] : []));
  const failure = codes.find((code) => !NO_SUCH_RECORDS.has(code));
  return failure === undefined ? { kind: "unknown-name" } : { kind: "failed", code: failure };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "EUNKNOWN";
}

async function within(deadlineMs: number, lookup: Promise<Resolution>): Promise<Resolution> {
  const { promise: late, resolve } = Promise.withResolvers<Resolution>();
  const timer = setTimeout(() => resolve({ kind: "failed", code: "EDEADLINE" }), deadlineMs);
  try {
    return await Promise.race([lookup, late]);
  } finally {
    clearTimeout(timer);
  }
}
