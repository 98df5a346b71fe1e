import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import { type ConsoleFiles, readConsoleFiles } from "../console-files.ts";
import { Problem } from "../problem-reply.ts";

export interface ConsoleRoutesOptions {
  /** For tests: where the build is read from. */
  readonly readConsole?: () => Promise<ConsoleFiles | null>;
}

const NOT_BUILT = "the console is not built; in a checkout, `npm ci` without --omit=dev does it";
/** More than any view of the console has in its path. */
const MAX_PATH_CHARS = 500;
const ASSETS = "assets/";
const FOREVER = "public, max-age=31536000, immutable";

/**
 * `GET /console`: the operators' page, for every path below it, and its assets. Whoever asks may have it, as it shows nothing by
 * itself: what it shows is `/admin`'s. The build is read when it is first asked for.
 */
export function addConsoleRoutes(
  app: FastifyInstance,
  { readConsole = readConsoleFiles }: ConsoleRoutesOptions,
): void {
  let read: Promise<ConsoleFiles | null> | null = null;
  async function files(): Promise<ConsoleFiles> {
    const found = await (read ??= readConsole()).catch((error: unknown) => {
      read = null;
      throw error;
    });
    if (found !== null) return found;
    // It may be built meanwhile.
    read = null;
    throw new Problem("unavailable", { hint: NOT_BUILT });
  }

  // Relative, like all that follows: what a proxy has put before the path is not known here.
  app.get("/console", { schema: NOT_OF_THE_API }, async (request, reply) => {
    const query = request.raw.url!.slice(pathOf(request.raw.url!).length);
    return reply.redirect(`console/${query}`, 307);
  });

  app.get("/console/*", { schema: NOT_OF_THE_API }, async (request, reply) => {
    const path = pathOf(request.raw.url!);
    if (path.length > MAX_PATH_CHARS) throw new Problem("not-found");
    const { "*": below } = request.params as { "*": string };
    const { page, asset } = await files();
    if (!below.startsWith(ASSETS)) return sendPage(reply, page, path);
    const found = asset(below.slice(ASSETS.length));
    if (found === null) throw new Problem("not-found");
    const { bytes, coding } = await found.body(request.headers["accept-encoding"] ?? "");
    if (coding !== null) void reply.header("content-encoding", coding);
    return reply.headers({ "cache-control": FOREVER, vary: "accept-encoding" }).type(found.type).send(bytes);
  });
}

/** Kept out of the description of the API, but not out of the metrics, as `hide` would. */
const NOT_OF_THE_API = { tags: ["X-HIDDEN"] };

const pathOf = (url: string): string => url.split("?", 1)[0]!;

function sendPage(reply: FastifyReply, page: ConsoleFiles["page"], path: string): FastifyReply {
  const nonce = randomBytes(16).toString("base64url");
  return reply
    .headers({ "content-security-policy": policy(nonce), "cross-origin-opener-policy": "same-origin" })
    .type("text/html; charset=utf-8")
    .send(page(baseOf(path), nonce));
}

/**
 * From a path as the client wrote it, encoded slashes and all, to the console's own: a browser counts the slashes too.
 * @param path `/console/`, and what is below it
 */
function baseOf(path: string): string {
  const depth = path.split("/").length - "/console/".split("/").length;
  return depth === 0 ? "./" : "../".repeat(depth);
}

/** Nothing but the gateway's own files, and no script or style that stands in the page. @param nonce Radix' dialog has a style */
function policy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}
