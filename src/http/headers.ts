import type { FastifyRequest } from "fastify";

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
