import type { FastifyRequest } from "fastify";
import { type CidrSet, cidrSet } from "../lib/cidr.ts";
import type { Clock } from "../lib/clock.ts";
import { combine } from "../lib/combiner.ts";
import type { Credentials } from "../lib/credentials.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import type { AuthFailure } from "../storage/auth-events.ts";
import type { Operator, Operators } from "../storage/operators.ts";
import type { Partner, Partners } from "../storage/partners.ts";
import type { AuthFailures } from "./auth-failures.ts";
import { clientAddress } from "./client-address.ts";
import { headerValues, singleHeader } from "./headers.ts";
import { requireActing } from "./operator-of.ts";
import { Problem } from "./problem-reply.ts";
import { requireSameOrigin } from "./same-origin.ts";
import { cookieNameFor, readSessionCookie, type SessionCookie } from "./session-cookie.ts";
import { createSessions, type SessionOptions, type SignedIn } from "./sessions.ts";

export interface AuthenticationOptions extends Pick<
  SessionOptions,
  "operatorSessions" | "sessionLimits" | "log"
> {
  readonly partners: Pick<Partners, "findMany">;
  readonly operators: Pick<Operators, "findByDigests">;
  readonly credentials: Pick<Credentials, "digest" | "digests" | "matches">;
  /** CIDRs of the proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly development: boolean;
  readonly clock: Clock;
  readonly failures: AuthFailures;
}

export interface Authentication {
  /** Where a request comes from (SPEC section 3); null: it can't be told. */
  addressOf(request: FastifyRequest): string | null;
  /** The partner whose headers, token and source address are right. @throws Problem 401 or 403 */
  partner(request: FastifyRequest): Promise<Partner>;
  /** The same for reads, or null for those who see every partner's orders: operators. @throws Problem 401 or 403 */
  reader(request: FastifyRequest): Promise<Partner | null>;
  /**
   * The operator whose bearer token is right, who may do what is needed; also under `--dev` nobody comes without one.
   * @throws Problem 401, or 403 for a viewer who wants to act
   */
  operator(request: FastifyRequest, needed: Operator["role"]): Promise<Operator>;
  /**
   * The same, or by the session that a browser's cookie names, if the request comes from a page of ours; one that has both
   * goes by its token.
   * @throws Problem 401, or 403 for a foreign page, or a viewer who wants to act
   */
  signedIn(request: FastifyRequest, needed: Operator["role"]): Promise<SignedIn>;
  /**
   * Whether a request that was let in by {@link Authentication.signedIn} still would be: for answers that go on. It counts as
   * nothing that the operator did, and gives out no cookie. @throws what the database throws
   */
  stillSignedIn(request: FastifyRequest): Promise<boolean>;
  /** Begins a session for whoever has the token. @throws Problem 401 for a wrong one, 403 where a cookie wouldn't be safe */
  signIn(request: FastifyRequest, token: string): Promise<SignedIn & { readonly renewal: string }>;
  /**
   * Ends the session that the request's cookie names.
   * @returns that cookie's name; null: there is none, and who sent it has a bearer token @throws Problem 401 or 403
   */
  signOut(request: FastifyRequest): Promise<string | null>;
}

/** Lookups of one statement at most, and requests that may wait for one. */
const MAX_BATCH = 200;
const MAX_QUEUE = 10_000;
const MAX_ALLOWLISTS = 1000;
/** Wider than any id that is given out, and nothing that a database could choke on. */
const PARTNER_ID = /^[\x21-\x7e]{1,128}$/;
const OPERATORS_ONLY = "Authorization: Bearer must carry an enabled operator's token";
const SIGN_IN = "token must be an enabled operator's";
const CHALLENGE = { "www-authenticate": 'Bearer realm="WaveGate operators"' };
const BEARER = /^Bearer +([\x21-\x7e]{1,256})$/i;

/**
 * SPEC section 3's first checks: headers, then token, then source IP. Whoever is turned away for the first two can't tell
 * an unknown partner from a wrong token or a disabled partner, neither by words nor by time.
 */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { partners, operators, credentials, development, clock, failures, log } = options;
  const trustedProxies = cidrSet(options.trustedProxies);
  const allowlist = createAllowlists();
  const nobodysDigest = credentials.digest("the token that nobody has");

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
  const findOperator = combine<string, Operator | null>({
    run: async (tokens) => {
      const digests = tokens.map((token) => credentials.digests(token));
      const found = await operators.findByDigests([...new Set(digests.flat())]);
      return digests.map((own) => found.find((one) => isTokenOf(one, own)) ?? null);
    },
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
  });

  /** Development operators do not exist in production. */
  const isTokenOf = (operator: Operator, digests: readonly string[]): boolean =>
    (development || !operator.development) &&
    (digests.includes(operator.tokenDigest) ||
      ((operator.previousTokenUntil ?? 0) > clock.wallMs() &&
        digests.includes(operator.previousTokenDigest ?? "")));

  const sessions = createSessions(options, isTokenOf);

  const addressOf = (request: FastifyRequest): string | null =>
    clientAddress(request.raw.socket.remoteAddress, headerValues(request, "x-forwarded-for"), trustedProxies);

  function fail(
    request: FastifyRequest,
    reason: AuthFailure,
    partnerId: string,
    ip = addressOf(request),
  ): boolean {
    const userAgent = request.headers["user-agent"] ?? null;
    return failures.record({ partnerId, reason, ip, userAgent });
  }

  /** The connections of a trusted proxy are everybody's: ending them would cost the one who guesses nothing. */
  const isOwnConnection = ({ raw }: FastifyRequest): boolean =>
    !trustedProxies.contains((raw.socket.remoteAddress ?? "").replace(/%.*$/, ""));

  /** The same words whatever was wrong, and however often: beyond a minute's budget the connection ends with them. */
  function refuse(
    request: FastifyRequest,
    reason: AuthFailure,
    partnerId = "",
    hint = "X-Partner-Id and X-Partner-Token must name an enabled partner and its token",
    kind: "invalid-partner" | "session-ended" = "invalid-partner",
  ): Problem {
    const isSpent = fail(request, reason, partnerId);
    return new Problem(kind, {
      ...(kind === "invalid-partner" && { hint }),
      record: reason,
      headers: {
        ...CHALLENGE,
        ...(isSpent && isOwnConnection(request) ? { connection: "close" } : {}),
      },
    });
  }

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
    if (!id || !token) throw refuse(request, "missing_credentials", id ?? "");
    const found = PARTNER_ID.test(id) ? await findPartner(id) : null;
    const partner = found?.development && !development ? null : found;
    const isRight = holds(partner, token);
    if (partner === null) throw refuse(request, "unknown_partner", id);
    if (!isRight) throw refuse(request, "wrong_token", id);
    if (partner.disabledAt !== null) throw refuse(request, "disabled", id);

    const ip = addressOf(request);
    if (ip === null || !(allowlist(partner)?.contains(ip) ?? true)) {
      fail(request, "ip_not_allowed", id, ip);
      throw new Problem("source-not-allowed", { hint: ip ?? "it can't be told from X-Forwarded-For" });
    }
    return partner;
  }

  async function authenticateOperator(request: FastifyRequest, hint?: string): Promise<Operator> {
    const token = bearerOf(request);
    if (token === undefined) throw refuse(request, "missing_credentials", "", hint);
    const operator = await findOperator(token);
    if (operator === null) throw refuse(request, "wrong_token", "", hint);
    return operator;
  }

  /** Whoever has a session's cookie has signed in before, and is told to do so again. */
  async function authenticateAnyway(request: FastifyRequest): Promise<SignedIn> {
    const cookie = cookieOf(request);
    if (cookie === null) {
      return { operator: await authenticateOperator(request, OPERATORS_ONLY), times: null, renewal: null };
    }
    requireSameOrigin(request);
    const found = await sessions.use(cookie, request);
    if (found.kind === "signed in") return found;
    if (found.kind === "unknown") throw refuse(request, "wrong_token", "", undefined, "session-ended");
    if (found.kind === "reused") {
      const { operator } = found;
      log.warn({ event: "operator.session_reused", operator, ip: addressOf(request) });
    }
    throw new Problem("session-ended", { headers: CHALLENGE });
  }

  function tellSigned(event: SignedEvent, operator: string, request: FastifyRequest): void {
    log.info({ event, operator, ip: addressOf(request) } satisfies WorkEvent);
  }

  return {
    addressOf,
    partner: authenticatePartner,
    async reader(request) {
      const { headers } = request;
      const isPartner = "x-partner-id" in headers || "x-partner-token" in headers;
      if (!isPartner && "authorization" in headers) {
        await authenticateOperator(request);
        return null;
      }
      if (!isPartner && development) return null;
      return authenticatePartner(request);
    },
    async operator(request, needed) {
      const operator = await authenticateOperator(request, OPERATORS_ONLY);
      return needed === "operator" ? requireActing(operator) : operator;
    },
    async signedIn(request, needed) {
      const found = await authenticateAnyway(request);
      if (needed === "operator") requireActing(found.operator);
      return found;
    },
    async stillSignedIn(request) {
      const cookie = cookieOf(request);
      return cookie === null
        ? (await findOperator(bearerOf(request) ?? "")) !== null
        : sessions.lasts(cookie);
    },
    async signIn(request, token) {
      requireSameOrigin(request);
      const name = cookieNameFor(request);
      const operator = await findOperator(token);
      const digests = [operator?.tokenDigest, operator?.previousTokenDigest];
      const digest = digests.find((one) => typeof one === "string" && credentials.matches(token, one));
      const before = readSessionCookie(request);
      const begun = operator && digest ? await sessions.begin(operator, digest, name, before) : null;
      if (begun === null) throw refuse(request, "wrong_token", "", SIGN_IN);
      tellSigned("operator.signed_in", begun.operator.name, request);
      return begun;
    },
    async signOut(request) {
      const cookie = cookieOf(request);
      if (cookie === null) {
        await authenticateOperator(request, OPERATORS_ONLY);
        return null;
      }
      requireSameOrigin(request);
      const operator = await sessions.end(cookie);
      if (operator !== null) tellSigned("operator.signed_out", operator, request);
      return cookie.name;
    },
  };
}

type SignedEvent = "operator.signed_in" | "operator.signed_out";

/** The session by which a request comes, unless it brings a token. */
function cookieOf(request: FastifyRequest): SessionCookie | null {
  return "authorization" in request.headers ? null : readSessionCookie(request);
}

function bearerOf(request: FastifyRequest): string | undefined {
  return BEARER.exec(singleHeader(request, "authorization") ?? "")?.[1];
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
