import type { FastifyInstance, FastifyRequest } from "fastify";
import { parseStrictJson, type StrictJson } from "../lib/strict-json.ts";
import { headerValues } from "./headers.ts";
import { Problem } from "./problem-reply.ts";

/** What `request.body` is. */
export type JsonBody = StrictJson;

/** Of a request body (SPEC section 3). */
export const BODY_LIMIT_BYTES = 256 * 1024;

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset=(?:utf-8|"utf-8")[ \t]*)?$/i;
const LIMITS = {
  plainIntegersAt: [
    ["items", "*", "qty"],
    ["items", "*", "unit_price_minor"],
  ],
} as const;

/**
 * Looks at the headers that say what the body is, before any of it is read.
 * @throws Problem 415
 */
export function requireJson(request: FastifyRequest): void {
  const types = headerValues(request, "content-type");
  const encodings = headerValues(request, "content-encoding");
  const isJson = types.length === 1 && JSON_TYPE.test(types[0]!);
  const isPlain = encodings.every((encoding) => encoding.toLowerCase() === "identity");
  if (!isJson || !isPlain) throw new Problem("unsupported-media-type");
}

/** Reads bodies as strict JSON; whether one may be read at all, `requireJson` has decided. */
export function addJsonParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => {
    try {
      done(null, parseBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parseBody(bytes: Buffer): JsonBody {
  if (bytes.length === 0) {
    throw new Problem("invalid-json", { errors: [{ pointer: "", detail: "The body is empty." }] });
  }
  const parsed = parseStrictJson(bytes, LIMITS);
  if (parsed.ok) return parsed;
  throw new Problem("invalid-json", { errors: [{ pointer: parsed.pointer, detail: parsed.detail }] });
}
