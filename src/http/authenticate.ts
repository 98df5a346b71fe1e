import type { FastifyRequest } from "fastify";
import { type CidrSet, cidrSet } from "../lib/cidr.ts";
import { combine } from "../lib/combiner.ts";
import type { Partner, Partners } from "../storage/partners.ts";
import type { AuthFailures } from "./auth-failures.ts";
import { singleHeader } from "./headers.ts";
import { createOperatorAccess, type OperatorAccess, type OperatorAccessOptions } from "./operator-access.ts";
import { Problem } from "./problem-reply.ts";
import { createRefusals } from "./refusals.ts";

export interface AuthenticationOptions extends OperatorAccessOptions {
  readonly partners: Pick<Partners, "findMany">;
  /** CIDRs of the proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly failures: AuthFailures;
}

export interface Authentication extends OperatorAccess {
  /** Where a request comes from (SPEC section 3); null: it can't be told. */
  addressOf(request: FastifyRequest): string | null;
  /** The partner whose headers, token and source address are right. @throws Problem 401 or 403 */
  partner(request: FastifyRequest): Promise<Partner>;
  /** The same for reads, or null for those who see every partner's orders: operators. @throws Problem 401 or 403 */
  reader(request: FastifyRequest): Promise<Partner | null>;
}

/** Lookups of one statement at most, and requests that may wait for one. */
const MAX_BATCH = 200;
const MAX_QUEUE = 10_000;
const MAX_ALLOWLISTS = 1000;
/** Wider than any id that is given out, and nothing that a database could choke on. */
const PARTNER_ID = /^[\x21-\x7e]{1,128}$/;
const PARTNERS_ONLY = "X-Partner-Id and X-Partner-Token must name an enabled partner and its token";

/**
 * SPEC section 3's first checks: headers, then token, then source IP. Whoever is turned away for the first two can't tell
 * an unknown partner from a wrong token or a disabled partner, neither by words nor by time.
 */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { partners, credentials, development, clock } = options;
  const allowlist = createAllowlists();
  const nobodysDigest = credentials.digest("the token that nobody has");
  const refusals = createRefusals(options);
  const { addressOf, count, refuse } = refusals;
  const operatorAccess = createOperatorAccess(options, refusals);

  // Read for each request, so that a rotated token or a disabled partner holds at once; together, so that it is cheap.
  const findPartner = combine<string, Partner | null>({
    run: async (ids) => {
      const found = await partners.findMany([...new Set(ids)]);
      return ids.map((id) => found.get(id) ?? null);
    },
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
    concurrency: 2,
  });

  /** Always two comparisons, so that time tells nothing of the partner: neither that it exists nor that it rotates. */
  function holds(partner: Partner | null, token: string): boolean {
    const isCurrent = credentials.matches(token, partner?.tokenDigest ?? nobodysDigest);
    const isPrevious = credentials.matches(token, partner?.previousTokenDigest ?? nobodysDigest);
    const isPreviousValid = (partner?.previousTokenUntil ?? 0) > clock.wallMs();
    return partner !== null && (isCurrent || (isPrevious && isPreviousValid));
  }

  async function authenticatePartner(request: FastifyRequest): Promise<Partner> {
    const id = singleHeader(request, "x-partner-id");
    const token = singleHeader(request, "x-partner-token");
    const named = { partnerId: id ?? "", hint: PARTNERS_ONLY };
    if (!id || !token) throw refuse(request, "missing_credentials", named);
    const found = PARTNER_ID.test(id) ? await findPartner(id) : null;
    const partner = found?.development && !development ? null : found;
    const isRight = holds(partner, token);
    if (partner === null) throw refuse(request, "unknown_partner", named);
    if (!isRight) throw refuse(request, "wrong_token", named);
    if (partner.disabledAt !== null) throw refuse(request, "disabled", named);

    const ip = addressOf(request);
    if (ip === null || !(allowlist(partner)?.contains(ip) ?? true)) {
      count(request, "ip_not_allowed", id);
      throw new Problem("source-not-allowed", { hint: ip ?? "it can't be told from X-Forwarded-For" });
    }
    return partner;
  }

  return {
    ...operatorAccess,
    addressOf,
    partner: authenticatePartner,
    async reader(request) {
      const { headers } = request;
      const isPartner = "x-partner-id" in headers || "x-partner-token" in headers;
      if (!isPartner && "authorization" in headers) {
        await operatorAccess.operator(request, "viewer");
        return null;
      }
      if (!isPartner && development) return null;
      return authenticatePartner(request);
    },
  };
}

/** A partner's allowlist, parsed once for each text; null: from anywhere. */
function createAllowlists(): (partner: Partner) => CidrSet | null {
  const parsed = new Map<string, CidrSet>();
  return ({ allowlistCidrs }) => {
    if (allowlistCidrs === null) return null;
    const text = JSON.stringify(allowlistCidrs);
    const known = parsed.get(text);
    if (known) return known;
    if (parsed.size >= MAX_ALLOWLISTS) parsed.clear();
    const set = cidrSet(allowlistCidrs);
    parsed.set(text, set);
    return set;
  };
}
