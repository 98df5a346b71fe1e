import { parseCookie, stringifySetCookie } from "cookie";
import type { FastifyRequest } from "fastify";
import { secretToken } from "../lib/ids.ts";
import { isDirectAndLocal } from "./development-guard.ts";
import { singleHeader } from "./headers.ts";
import { Problem } from "./problem-reply.ts";
import { originOf } from "./same-origin.ts";

/** What a browser brings that has signed in. */
export interface SessionCookie {
  readonly name: string;
  /** 32 random bytes, as long as the session lasts. */
  readonly id: string;
  /** 32 random bytes, which are replaced from time to time. */
  readonly secret: string;
}

/** A browser takes it from TLS alone, and from no other host of the same site (RFC 6265bis, section 4.1.3.2). */
export const SECURE_COOKIE = "__Host-wavegate-session";
/** On the gateway's own machine, which needs no TLS to reach itself. */
const LOCAL_COOKIE = "wavegate-session";

const VALUE = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;

/** The session's cookie; null where there is none that could be one. */
export function readSessionCookie(request: FastifyRequest): SessionCookie | null {
  const header = singleHeader(request, "cookie");
  if (header === null) return null;
  const cookies = parseCookie(header);
  // Anybody on the way, or beside, could have set the one without the prefix.
  const name =
    cookies[SECURE_COOKIE] === undefined && isDirectAndLocal(request) ? LOCAL_COOKIE : SECURE_COOKIE;
  const [, id, secret] = VALUE.exec(cookies[name] ?? "") ?? [];
  return id === undefined || secret === undefined ? null : { name, id, secret };
}

/**
 * The name of the cookie that a sign-in may have.
 * @throws Problem 403 where it would travel in the clear
 */
export function cookieNameFor(request: FastifyRequest): string {
  // The gateway speaks no TLS itself: how the browser came to the proxy, the browser says.
  const protocol = originOf(request)?.protocol;
  if (protocol === "https:") return SECURE_COOKIE;
  if (protocol === "http:" && isDirectAndLocal(request)) return LOCAL_COOKIE;
  throw new Problem("https-needed");
}

/** A new cookie. @param id of the session, if there is one already */
export function newSessionCookie(name: string, id = secretToken("")): SessionCookie {
  return { name, id, secret: secretToken("") };
}

/** The `Set-Cookie` header. It ends with the browser, and at the latest when the gateway says so. */
export function setCookie({ name, id, secret }: SessionCookie): string {
  return stringifySetCookie({ ...attributes(name), value: `${id}.${secret}` });
}

/** The `Set-Cookie` header that has it forgotten. */
export function clearCookie(name: string): string {
  return stringifySetCookie({ ...attributes(name), value: "", maxAge: 0 });
}

function attributes(name: string) {
  return { name, path: "/", httpOnly: true, secure: name === SECURE_COOKIE, sameSite: "strict" } as const;
}
