import type { FastifyRequest } from "fastify";
import { combine } from "../lib/combiner.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import type { Operator, Operators } from "../storage/operators.ts";
import { singleHeader } from "./headers.ts";
import { requireActing } from "./operator-of.ts";
import { Problem } from "./problem-reply.ts";
import { CHALLENGE, type Refusals } from "./refusals.ts";
import { requireSameOrigin } from "./same-origin.ts";
import { cookieNameFor, readSessionCookie, type SessionCookie } from "./session-cookie.ts";
import { createSessions, type SessionOptions, type SignedIn } from "./sessions.ts";

export interface OperatorAccessOptions extends SessionOptions {
  readonly operators: Pick<Operators, "findByDigests">;
  readonly development: boolean;
}

export interface OperatorAccess {
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
  /** Whether a request brings nothing by which somebody could be signed in. */
  isAnonymous(request: FastifyRequest): boolean;
  /**
   * Whether a request that was let in by {@link OperatorAccess.signedIn} still would be: for answers that go on. It counts as
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
const OPERATORS_ONLY = "Authorization: Bearer must carry an enabled operator's token";
const SIGN_IN = "token must be an enabled operator's";
const BEARER = /^Bearer +([\x21-\x7e]{1,256})$/i;

/** Operators' ways in: by a token, and with a browser by the session that the token has begun. */
export function createOperatorAccess(
  options: OperatorAccessOptions,
  { addressOf, refuse }: Refusals,
): OperatorAccess {
  const { operators, credentials, development, clock, log } = options;

  /** Development operators do not exist in production. */
  const isTokenOf = (operator: Operator, digests: readonly string[]): boolean =>
    (development || !operator.development) &&
    (digests.includes(operator.tokenDigest) ||
      ((operator.previousTokenUntil ?? 0) > clock.wallMs() &&
        digests.includes(operator.previousTokenDigest ?? "")));

  const sessions = createSessions(options, isTokenOf);

  // Read for each request, so that a rotated token holds at once; together, so that it is cheap.
  const findOperator = combine<string, Operator | null>({
    run: async (tokens) => {
      const digests = tokens.map((token) => credentials.digests(token));
      const found = await operators.findByDigests([...new Set(digests.flat())]);
      return digests.map((own) => found.find((one) => isTokenOf(one, own)) ?? null);
    },
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
  });

  async function byToken(request: FastifyRequest): Promise<Operator> {
    const token = bearerOf(request);
    if (token === null) throw refuse(request, "missing_credentials", { hint: OPERATORS_ONLY });
    const operator = await findOperator(token);
    if (operator === null) throw refuse(request, "wrong_token", { hint: OPERATORS_ONLY });
    return operator;
  }

  /** Whoever has a session's cookie has signed in before, and is told to do so again. */
  async function bySession(cookie: SessionCookie, request: FastifyRequest): Promise<SignedIn> {
    requireSameOrigin(request);
    const found = await sessions.use(cookie, request);
    if (found.kind === "signed in") return found;
    if (found.kind === "unknown") throw refuse(request, "wrong_token", { kind: "session-ended" });
    if (found.kind === "reused") {
      const { operator } = found;
      log.warn({ event: "operator.session_reused", operator, ip: addressOf(request) });
    }
    throw new Problem("session-ended", { headers: CHALLENGE });
  }

  function tell(event: SignedEvent, operator: string, request: FastifyRequest): void {
    log.info({ event, operator, ip: addressOf(request) } satisfies WorkEvent);
  }

  return {
    async operator(request, needed) {
      const operator = await byToken(request);
      return needed === "operator" ? requireActing(operator) : operator;
    },
    async signedIn(request, needed) {
      const cookie = cookieOf(request);
      const found =
        cookie === null
          ? { operator: await byToken(request), times: null, renewal: null }
          : await bySession(cookie, request);
      if (needed === "operator") requireActing(found.operator);
      return found;
    },
    isAnonymous: (request) => cookieOf(request) === null && !("authorization" in request.headers),
    async stillSignedIn(request) {
      const cookie = cookieOf(request);
      if (cookie !== null) return sessions.lasts(cookie);
      const token = bearerOf(request);
      return token !== null && (await findOperator(token)) !== null;
    },
    async signIn(request, token) {
      requireSameOrigin(request);
      const name = cookieNameFor(request);
      const operator = await findOperator(token);
      const digests = [operator?.tokenDigest, operator?.previousTokenDigest];
      const digest = digests.find((one) => typeof one === "string" && credentials.matches(token, one));
      const before = readSessionCookie(request);
      const begun = operator && digest ? await sessions.begin(operator, digest, name, before) : null;
      if (begun === null) throw refuse(request, "wrong_token", { hint: SIGN_IN });
      tell("operator.signed_in", begun.operator.name, request);
      return begun;
    },
    async signOut(request) {
      const cookie = cookieOf(request);
      if (cookie === null) {
        await byToken(request);
        return null;
      }
      requireSameOrigin(request);
      const operator = await sessions.end(cookie);
      if (operator !== null) tell("operator.signed_out", operator, request);
      return cookie.name;
    },
  };
}

type SignedEvent = "operator.signed_in" | "operator.signed_out";

/** The session by which a request comes, unless it brings a token. */
function cookieOf(request: FastifyRequest): SessionCookie | null {
  return "authorization" in request.headers ? null : readSessionCookie(request);
}

function bearerOf(request: FastifyRequest): string | null {
  return BEARER.exec(singleHeader(request, "authorization") ?? "")?.[1] ?? null;
}
