import type { FastifyRequest } from "fastify";
import { headerValues } from "./headers.ts";

/** RFC 3986's host and port, as loosely as `Host` may be written. */
const HOST = /^(?:[\w.~!$&'()*+,;=%-]*|\[[0-9a-f:.]+\])(?::\d{0,5})?$/i;

/**
 * What Node's parser lets pass although two readers on a request's way could take it for two different requests: RFC 9112
 * wants most of it refused, and no honest client sends any.
 *
 * @returns a clause that completes "the request is malformed: ...", or null
 */
export function findMalformation(request: FastifyRequest): string | null {
  const { url = "", httpVersion } = request.raw;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return "its HTTP version is neither 1.0 nor 1.1";
  // Section 3.2: the absolute form is for proxies, and `*` for nobody here.
  if (!url.startsWith("/") || url.includes("#")) return "its target must be a path";

  const hosts = headerValues(request, "host");
  const lacksNone = hosts.length === 0 && httpVersion === "1.0";
  if (hosts.length !== 1 && !lacksNone) return "it needs one Host header";
  if (!hosts.every((host) => HOST.test(host))) return "its Host is none";

  // Section 6.1: HTTP/1.0 knows no codings, and of those we know one.
  const codings = headerValues(request, "transfer-encoding");
  const isPlain = codings.length === 1 && codings[0]!.trim().toLowerCase() === "chunked";
  if (codings.length > 0 && httpVersion === "1.0") return "HTTP/1.0 has no Transfer-Encoding";
  if (codings.length > 0 && !isPlain) return "the only Transfer-Encoding is chunked";

  const expectations = headerValues(request, "expect");
  if (!expectations.every((one) => one.toLowerCase() === "100-continue")) {
    return "the only expectation is 100-continue";
  }
  return null;
}
