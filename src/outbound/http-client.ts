import type { Socket } from "node:net";
import { Agent, type Dispatcher } from "undici";
import type { Connector } from "./connector.ts";
import { type AnswerError, classifyFailure } from "./http-failure.ts";

export interface HttpRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** One limit over waiting for a connection, DNS, connect, headers and body. */
  readonly deadlineMs: number;
  readonly maxBodyBytes: number;
  /** False where the status line is the outcome: reading ends at the limit without waiting for more. */
  readonly wholeBody: boolean;
}

export interface Answer {
  /** The status, if one arrived. */
  readonly code: number | null;
  /** Null only when the whole answer arrived. */
  readonly error: AnswerError | null;
  /** Whether bytes of the request may have left; false only when that is certain. */
  readonly sent: boolean;
  /** What went wrong, for people; empty if nothing did. */
  readonly detail: string;
  /** What was read of the body, at most `maxBodyBytes`. */
  readonly body: Buffer;
  readonly retryAfter: string | null;
  readonly durationMs: number;
}

export interface HttpClient {
  /** Sends once, follows no redirect, never rejects: whatever the other side does is in the answer. */
  post(request: HttpRequest): Promise<Answer>;
  /** Sockets open or being opened, idle ones included. */
  openSockets(): number;
  /** Waits for the requests under way; later ones are answered with `connect`. */
  close(): Promise<void>;
  /** Ends everything at once; requests under way are answered with an error. */
  destroy(): Promise<void>;
}

export interface HttpClientOptions {
  readonly connector: Connector;
  /** Connections per origin; further requests wait for one within their deadline. */
  readonly connections: number;
  /** With more sockets open than this, a request's connection closes after its answer instead of idling. */
  readonly maxIdleSockets?: number;
}

/** Shorter than servers usually keep idle connections, so that a request seldom meets a closing one. */
const KEEP_ALIVE_MS = 4000;
const MAX_HEADER_BYTES = 32 * 1024;

/** HTTP/1.1 only, without pipelining: a request is on a connection of its own for as long as it lasts. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { connector, connections, maxIdleSockets = 1024 } = options;
  const sockets = new Set<Socket>();
  const agent = new Agent({
    connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The request's own deadline stands over both.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: (target, callback) => {
      const socket = connector(target, callback);
      if (socket === null) return;
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
  });

  return {
    post: (request) => exchange(request, agent, sockets.size >= maxIdleSockets),
    openSockets: () => sockets.size,
    async close() {
      if (!agent.closed) await agent.close();
    },
    async destroy() {
      if (!agent.destroyed) await agent.destroy();
      // undici does not hold the sockets that are still connecting.
      for (const socket of sockets) socket.destroy();
    },
  };
}

function exchange(request: HttpRequest, agent: Agent, closeAfter: boolean): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const startedAtMs = performance.now();
  const body = boundedBuffer(request.maxBodyBytes);
  let controller: Dispatcher.DispatchController | null = null;
  let code: number | null = null;
  let retryAfter: string | null = null;
  let settled = false;

  const settle = (error: AnswerError | null, detail: string) => {
    if (settled) return;
    settled = true;
    clearTimeout(deadline);
    const durationMs = Math.round(performance.now() - startedAtMs);
    resolve({ code, error, sent: controller !== null, detail, body: body.read(), retryAfter, durationMs });
    if (error !== null) controller?.abort(new Error(detail));
  };
  const deadline = setTimeout(
    () => settle("timeout", `no whole answer within ${request.deadlineMs} ms`),
    request.deadlineMs,
  );

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(started) {
      // undici starts a request when it has a socket for it, maybe after its deadline. A second start would be a
      // second sending, which undici does for nothing that may have left; this makes sure.
      if (settled || controller !== null) return started.abort(new Error("the request is over"));
      controller = started;
    },
    onResponseStart(_controller, statusCode, headers) {
      if (statusCode < 200) return;
      code = statusCode;
      const value = headers["retry-after"];
      retryAfter = (Array.isArray(value) ? value[0] : value) ?? null;
      body.expect(headers["content-length"]);
    },
    onResponseData(_controller, chunk) {
      if (settled) return;
      const overflown = body.append(chunk);
      if (overflown || (!request.wholeBody && body.isFull())) {
        settle("too_large", `the answer is over ${request.maxBodyBytes} bytes`);
      }
    },
    onResponseEnd() {
      settle(null, "");
    },
    onResponseError(_controller, error) {
      const failure = classifyFailure(
        error,
        controller === null ? "unsent" : code === null ? "sent" : "answering",
      );
      settle(failure.error, failure.detail);
    },
  };

  agent.dispatch(
    {
      origin: request.url.origin,
      path: request.url.pathname + request.url.search,
      method: "POST",
      headers: { ...request.headers, "accept-encoding": "identity" },
      body: request.body,
      ...(closeAfter ? { reset: true } : {}),
    },
    handler,
  );
  return promise;
}

/** Copies, as a chunk of one byte would keep a whole object, and whatever it was cut from, alive. */
function boundedBuffer(maxBytes: number) {
  let bytes = Buffer.alloc(0);
  let length = 0;
  let expected: number | null = null;
  return {
    expect(contentLength: string | string[] | undefined): void {
      expected = typeof contentLength === "string" ? Number(contentLength) : null;
    },
    /** Returns whether the chunk went over the limit; what fits is kept. */
    append(chunk: Buffer): boolean {
      const end = Math.min(length + chunk.length, maxBytes);
      if (end > bytes.length) {
        const grown = Buffer.alloc(Math.min(Math.max(end, bytes.length * 2), maxBytes));
        bytes.copy(grown, 0, 0, length);
        bytes = grown;
      }
      chunk.copy(bytes, length, 0, end - length);
      const overflown = length + chunk.length > maxBytes;
      length = end;
      return overflown;
    },
    /** At the limit with nothing known to have ended there. */
    isFull: () => length === maxBytes && expected !== maxBytes,
    read: () => bytes.subarray(0, length),
  };
}
