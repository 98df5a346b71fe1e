import type { FastifyRequest } from "fastify";
import { headerValues, singleHeader } from "./headers.ts";
import { Problem } from "./problem-reply.ts";

/** Nothing is changed by it; it may be asked for by a link. */
export function isRead({ method }: FastifyRequest): boolean {
  return method === "GET" || method === "HEAD";
}

/**
 * A browser sends a cookie along whoever makes it send the request: another site, or another host of the same site, which
 * `SameSite` lets pass. What changes something has to come from the gateway's own pages; what reads, from no page of others, as
 * some reads leave a record.
 *
 * `Sec-Fetch-Site` (W3C Fetch Metadata) is the browser's own word, which no page can set and no proxy changes. Older browsers, and
 * all where neither TLS nor loopback is spoken, say `Origin` alone.
 * @throws Problem 403
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const sites = headerValues(request, "sec-fetch-site");
  const [site] = sites;
  const isOwn =
    site === undefined
      ? isRead(request) || isOwnOrigin(request)
      : sites.length === 1 && (site === "same-origin" || (site === "none" && isRead(request)));
  if (!isOwn) throw new Problem("foreign-origin");
}

/** Where the browser says that the page is from; null: it doesn't, or not so that it could be relied upon. */
export function originOf(request: FastifyRequest): URL | null {
  const origin = singleHeader(request, "origin");
  return origin === null ? null : URL.parse(origin);
}

function isOwnOrigin(request: FastifyRequest): boolean {
  const origin = originOf(request);
  const host = singleHeader(request, "host");
  if (origin === null || host === null || origin.host === "") return false;
  // Read alike, so that a port that goes without saying may be said.
  return URL.parse(`${origin.protocol}//${host}`)?.host === origin.host;
}
