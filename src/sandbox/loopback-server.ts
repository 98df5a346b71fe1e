import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { reply } from "./scripted-answer.ts";

export interface LoopbackServer {
  /** `http://127.0.0.1:PORT` with the path that it serves. */
  readonly url: string;
  /** Ends at once, whatever is open. */
  readonly close: () => Promise<void>;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** An HTTP server on a free port of loopback that takes POSTs of at most 1 MiB to one path. */
export async function serveOnLoopback(
  path: string,
  handle: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    if (request.url?.split("?", 1)[0] !== path)
      return reply(response, 404, { error: `only ${path} is here` });
    if (request.method !== "POST") return reply(response, 405, { error: "only POST is served" });
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else if (!response.headersSent) {
        // What still comes is dropped, and the connection ends with the answer.
        response.setHeader("connection", "close");
        reply(response, 413, { error: `more than ${MAX_BODY_BYTES} bytes` });
      }
    });
    request.on("end", () => {
      if (bytes <= MAX_BODY_BYTES) handle(request, Buffer.concat(chunks), response);
    });
    // A client that goes away while it sends is its own affair.
    request.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sandbox has no port");
  return {
    url: `http://127.0.0.1:${address.port}${path}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The text of a body, read as JSON; undefined if it isn't. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A header that was sent once, with something in it. */
export function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" && value !== "" ? value : null;
}
