import type { FastifyRequest } from "fastify";
import type { Clock } from "../lib/clock.ts";
import { combine } from "../lib/combiner.ts";
import type { Credentials } from "../lib/credentials.ts";
import type { Log } from "../observe/log.ts";
import type { Operator } from "../storage/operators.ts";
import type { FoundSession, OperatorSession, OperatorSessions } from "../storage/operator-sessions.ts";
import { headerValues, singleHeader } from "./headers.ts";
import { newSessionCookie, type SessionCookie, setCookie } from "./session-cookie.ts";

export interface SessionOptions {
  readonly operatorSessions: OperatorSessions;
  readonly credentials: Pick<Credentials, "digest" | "digests" | "matches">;
  readonly sessionLimits: SessionLimits;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SessionLimits {
  /** A session ends when its operator has done nothing for so long. */
  readonly idleMs: number;
  /** And after so long whatever its operator does. */
  readonly maxMs: number;
}

/** Who sent a request of operators. */
export interface SignedIn {
  readonly operator: Operator;
  /** Epoch milliseconds; null: by a bearer token. */
  readonly times: { readonly idleUntil: number; readonly endsAt: number } | null;
  /** A `Set-Cookie` header that the answer has to carry. */
  readonly renewal: string | null;
}

/**
 * What a cookie is worth. `ended`: it was a session's. `reused`: it is one that was replaced long ago, so that two have the
 * cookie, and one of them has stolen it: the session has ended for both. `unknown`: it is nobody's, or nobody's any more.
 */
type Found =
  | (SignedIn & { readonly kind: "signed in" })
  | { readonly kind: "ended" | "unknown" }
  | { readonly kind: "reused"; readonly operator: string };

export interface Sessions {
  /** Begins one in place of the one that the browser has. @returns null when the operator has just been disabled */
  begin(
    operator: Operator,
    tokenDigest: string,
    name: string,
    before: SessionCookie | null,
  ): Promise<(SignedIn & { readonly renewal: string }) | null>;
  /** Whose a request is, which counts as something that the operator did unless a page sent it by itself. */
  use(cookie: SessionCookie, request: FastifyRequest): Promise<Found>;
  /** Whether the session of a cookie that was used lasts. This neither prolongs nor rotates it. */
  lasts(cookie: SessionCookie): Promise<boolean>;
  /** @returns the operator's name, or null when there was no such session any more */
  end(cookie: Pick<SessionCookie, "id">): Promise<string | null>;
}

/** The secret is replaced so often, while it is used. */
const ROTATE_MS = 15 * 60_000;
/** For so long the one before holds beside the new one, for requests that were under way. */
const OVERLAP_MS = 60_000;
const SEEN_MS = 60_000;
/** Lookups of one statement at most, and requests that may wait for one. */
const MAX_BATCH = 200;
const MAX_QUEUE = 10_000;

/**
 * Sessions of operators in browsers.
 *
 * The cookie's secret is replaced every {@link ROTATE_MS}, so that a copy of it is worth little. The one before holds
 * until the new one has come back, and {@link OVERLAP_MS} longer: several tabs share their cookies, so that all go on with the new one
 * by themselves, and an answer that was lost signs nobody out. Whoever comes with a secret that doesn't hold any more, but with
 * the id of the session, has an old copy. Nobody can tell who of the two is the thief, and the session ends.
 *
 * @param isHeld whether an operator may come in by the token with one of these digests
 */
export function createSessions(
  options: SessionOptions,
  isHeld: (operator: Operator, digests: readonly string[]) => boolean,
): Sessions {
  const { operatorSessions: stored, credentials, sessionLimits: limits, clock, log } = options;
  const seenMs = Math.min(SEEN_MS, limits.idleMs / 10);

  const find = combine<string, FoundSession | null>({
    run: async (ids) => {
      const digests = ids.map((id) => credentials.digests(id));
      const found = await stored.find([...new Set(digests.flat())], clock.statementNow());
      return digests.map((own) => found.find(({ session }) => own.includes(session.id)) ?? null);
    },
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
  });

  const timesOf = (createdAt: number, seenAt: number) => {
    const endsAt = createdAt + limits.maxMs;
    return { idleUntil: Math.min(seenAt + limits.idleMs, endsAt), endsAt };
  };

  function isOver({ session, operator, now }: FoundSession): boolean {
    const isLate = now >= timesOf(session.createdAt, session.seenAt).idleUntil;
    return isLate || operator.disabledAt !== null || !isHeld(operator, [session.tokenDigest]);
  }

  /** What is written down of a request can wait for the next one: reading must not fail for it. */
  const tried = async <T>(written: Promise<T>): Promise<T | null> => {
    try {
      return await written;
    } catch (error) {
      log.warn({ event: "operator_sessions.not_written", err: error });
      return null;
    }
  };

  async function rotated(found: OperatorSession, presented: string, cookie: SessionCookie) {
    const next = newSessionCookie(cookie.name, cookie.id);
    const digest = credentials.digest(next.secret);
    const isRotated = await tried(stored.rotate(found, presented, digest, clock.statementNow()));
    return isRotated === true ? setCookie(next) : null;
  }

  return {
    async begin(operator, tokenDigest, name, before) {
      const cookie = newSessionCookie(name);
      const session = {
        id: credentials.digest(cookie.id),
        digest: credentials.digest(cookie.secret),
        operator: operator.name,
        tokenDigest,
      };
      const replaced = before === null ? [] : credentials.digests(before.id);
      const begunAt = await stored.begin(session, replaced, limits.idleMs, clock.statementNow());
      if (begunAt === null) return null;
      return { operator, times: timesOf(begunAt, begunAt), renewal: setCookie(cookie) };
    },

    async use(cookie, request) {
      const found = await find(cookie.id);
      if (found === null) return { kind: "unknown" };
      if (isOver(found)) return { kind: "ended" };
      const { session, operator, now } = found;
      const presented = presentedDigest(found, cookie.secret, credentials);
      if (presented === null) {
        await stored.end([session.id]);
        return { kind: "reused", operator: operator.name };
      }
      const isNewest = presented === session.digest;
      const isActive = !isBackground(request);
      const isUnseen = isActive && now - session.seenAt >= seenMs;
      const isUnconfirmed = session.previousDigest !== null && session.previousUntil === null;
      if (isUnseen || (isNewest && isUnconfirmed)) {
        void tried(stored.seen(session.id, presented, OVERLAP_MS, isActive, clock.statementNow()));
      }
      const isDue = isNewest
        ? now - session.rotatedAt >= ROTATE_MS
        : isUnconfirmed && now - session.rotatedAt >= OVERLAP_MS;
      const renewal = isDue ? await rotated(session, presented, cookie) : null;
      const times = timesOf(session.createdAt, isActive ? now : session.seenAt);
      return { kind: "signed in", operator, times, renewal };
    },

    async lasts({ id }) {
      const found = await find(id);
      return found !== null && !isOver(found);
    },

    async end({ id }) {
      const [operator] = await stored.end(credentials.digests(id));
      return operator ?? null;
    },
  };
}

/** By which of its digests a session is used; null: by none that holds. */
function presentedDigest(
  { session, now }: FoundSession,
  secret: string,
  { matches }: Pick<Credentials, "matches">,
): string | null {
  if (matches(secret, session.digest)) return session.digest;
  const { previousDigest, previousUntil } = session;
  const isHeld = previousUntil === null || now < previousUntil;
  return previousDigest !== null && isHeld && matches(secret, previousDigest) ? previousDigest : null;
}

/** A page that refreshes itself, or listens, keeps nobody signed in: an unattended one is to end. */
function isBackground(request: FastifyRequest): boolean {
  const isStream = headerValues(request, "accept").some((accept) => accept.includes("text/event-stream"));
  return isStream || singleHeader(request, "x-wavegate-background") === "1";
}
