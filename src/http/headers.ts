import type { FastifyRequest } from "fastify";

/** What every answer carries, also the one to what never became a request. */
export const SECURITY_HEADERS = {
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
} as const;

/** An answer that lasts for as long as somebody listens. */
export const EVENT_STREAM = "text/event-stream";

/**
 * The values of a header, one for each line that carries it. Node joins or drops repeated lines, so that two tokens could
 * pass for one; the raw lines tell.
 *
 * @param name in lower case
 */
export function headerValues(request: FastifyRequest, name: string): string[] {
  const { rawHeaders } = request.raw;
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const line = rawHeaders[index]!;
    if (line.length === name.length && line.toLowerCase() === name) values.push(rawHeaders[index + 1]!);
  }
  return values;
}

/** The value of a header that stands on exactly one line; null where it is missing or repeated. */
export function singleHeader(request: FastifyRequest, name: string): string | null {
  const values = headerValues(request, name);
  return values.length === 1 ? values[0]! : null;
}
