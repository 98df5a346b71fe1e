import type { FastifyRequest } from "fastify";
import { headerValues } from "./headers.ts";

const FORWARDING = /^(?:forwarded|x-forwarded-.*|x-real-ip|via)$/i;
const LOOPBACK_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a development server may answer (SPEC section 1): it shows orders to whoever asks, so neither a proxy nor a
 * page that has bound its name to 127.0.0.1 may ask.
 */
export function isDirectAndLocal(request: FastifyRequest): boolean {
  const hosts = headerValues(request, "host");
  return (
    hosts.length === 1 &&
    LOOPBACK_HOST.test(hosts[0]!) &&
    !Object.keys(request.headers).some((name) => FORWARDING.test(name))
  );
}
