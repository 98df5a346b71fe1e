import type { FastifyRequest } from "fastify";
import { cidrSet } from "../lib/cidr.ts";
import type { AuthFailure } from "../storage/auth-events.ts";
import type { AuthFailures } from "./auth-failures.ts";
import { clientAddress } from "./client-address.ts";
import { headerValues } from "./headers.ts";
import { Problem } from "./problem-reply.ts";

/** How whoever is turned away at the door is counted and told. */
export interface Refusals {
  /** Where a request comes from (SPEC section 3); null: it can't be told. */
  addressOf(request: FastifyRequest): string | null;
  /** Counts a failure. @returns true when its address has used up what a minute allows */
  count(request: FastifyRequest, reason: AuthFailure, partnerId: string): boolean;
  /** The same words whatever was wrong, and however often: beyond a minute's budget the connection ends with them. */
  refuse(request: FastifyRequest, reason: AuthFailure, more: Refused): Problem;
}

interface Refused {
  readonly kind?: "invalid-partner" | "session-ended";
  /** As the request named it. */
  readonly partnerId?: string;
  readonly hint?: string;
}

/** Goes with every 401 (RFC 9110 section 15.5.2). */
export const CHALLENGE = { "www-authenticate": 'Bearer realm="WaveGate operators"' };

/** @param options.trustedProxies CIDRs of the proxies whose `X-Forwarded-For` is believed */
export function createRefusals(options: {
  trustedProxies: readonly string[];
  failures: AuthFailures;
}): Refusals {
  const trustedProxies = cidrSet(options.trustedProxies);

  const addressOf = (request: FastifyRequest): string | null =>
    clientAddress(request.raw.socket.remoteAddress, headerValues(request, "x-forwarded-for"), trustedProxies);

  /** The connections of a trusted proxy are everybody's: ending them would cost the one who guesses nothing. */
  const isOwnConnection = ({ raw }: FastifyRequest): boolean =>
    !trustedProxies.contains((raw.socket.remoteAddress ?? "").replace(/%.*$/, ""));

  const count: Refusals["count"] = (request, reason, partnerId) => {
    const userAgent = request.headers["user-agent"] ?? null;
    return options.failures.record({ partnerId, reason, ip: addressOf(request), userAgent });
  };

  return {
    addressOf,
    count,
    refuse(request, reason, { kind = "invalid-partner", partnerId = "", ...hint }) {
      const isSpent = count(request, reason, partnerId);
      const ending = isSpent && isOwnConnection(request) ? { connection: "close" } : {};
      return new Problem(kind, { ...hint, record: reason, headers: { ...CHALLENGE, ...ending } });
    },
  };
}
