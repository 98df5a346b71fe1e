import type { Dispatcher } from "undici";
import { type Connection, type ConnectionPool, createConnectionPool } from "./connection-pool.ts";
import { ConnectionError, type Connector } from "./connector.ts";
import { type AnswerError, classifyFailure } from "./http-failure.ts";
import { createStopwatch, NO_TIMINGS, type Timings } from "./timings.ts";

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
  readonly timings: Timings;
}

export interface HttpClient {
  /** Sends once, follows no redirect, never rejects: whatever the other side does is in the answer. */
  post(request: HttpRequest): Promise<Answer>;
  /** Sockets open or being opened, idle ones included. */
  openSockets(): number;
  /** Waits for the requests under way; later ones are answered with `connect`. */
  close(): Promise<void>;
  /** Ends everything at once; requests under way are answered with an error. */
  destroy(): void;
}

export interface HttpClientOptions {
  readonly connector: Connector;
  /** Connections per origin; further requests wait for one within their deadline. */
  readonly connections: number;
  /** Idle connections kept over all origins. */
  readonly maxIdle?: number;
}

interface Exchange {
  readonly answer: Promise<Answer>;
  readonly fail: (error: Error) => void;
}

/** HTTP/1.1 only, without pipelining: a request is on a connection of its own for as long as it lasts. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const { connector, connections, maxIdle = 1024 } = options;
  const pool = createConnectionPool({ connector, perOrigin: connections, maxIdle });
  const running = new Set<Exchange>();
  let closed = false;

  return {
    async post(request) {
      if (closed) return unsent("the client is closed");
      const exchange = startExchange(request, pool);
      running.add(exchange);
      const answer = await exchange.answer;
      running.delete(exchange);
      return answer;
    },
    openSockets: () => pool.openSockets(),
    async close() {
      closed = true;
      await Promise.all([...running].map((exchange) => exchange.answer));
      pool.destroy();
    },
    destroy() {
      closed = true;
      for (const exchange of running)
        exchange.fail(new ConnectionError("connect", "the client is destroyed"));
      pool.destroy();
    },
  };
}

function unsent(detail: string): Answer {
  return {
    code: null,
    error: "connect",
    sent: false,
    detail,
    body: Buffer.alloc(0),
    retryAfter: null,
    durationMs: 0,
    timings: NO_TIMINGS,
  };
}

function startExchange(request: HttpRequest, pool: ConnectionPool): Exchange {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const stopwatch = createStopwatch();
  const body = boundedBuffer(request.maxBodyBytes);
  let connection: Connection | null = null;
  let sent = false;
  let code: number | null = null;
  let retryAfter: string | null = null;
  let settled = false;

  const settle = (error: AnswerError | null, detail: string) => {
    if (settled) return;
    settled = true;
    clearTimeout(deadline);
    leaveLine();
    const { durationMs, timings } = stopwatch.stop(connection?.opening ?? null);
    resolve({ code, error, sent, detail, body: body.read(), retryAfter, durationMs, timings });
    if (connection !== null) pool.release(connection, error === null);
  };
  const fail = (error: Error) => {
    const failure = classifyFailure(error, sent ? (code === null ? "sent" : "answering") : "unsent");
    settle(failure.error, failure.detail);
  };
  const runOut = () => settle("timeout", `no whole answer within ${request.deadlineMs} ms`);
  // A process that stood still finds its timers due before it has read what arrived meanwhile: an answer that is here
  // is not thrown away, or tickets would be bought twice. Sockets are read between the timers and the immediates.
  const deadline = setTimeout(() => setImmediate(runOut), request.deadlineMs);

  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      // A second start would be a second sending, which undici does for nothing that may have left; this makes sure.
      if (settled || sent) return controller.abort(new Error("the request is over"));
      sent = true;
      stopwatch.mark("sent");
    },
    onResponseStart(_controller, statusCode, headers) {
      if (statusCode < 200) return;
      code = statusCode;
      stopwatch.mark("answered");
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
    onResponseEnd: () => settle(null, ""),
    onResponseError: (_controller, error) => fail(error),
  };

  let leaveLine = () => {};
  leaveLine = pool.acquire(request.url.origin, (acquired) => {
    connection = acquired;
    stopwatch.mark("acquired");
    acquired.client.dispatch(
      {
        path: request.url.pathname + request.url.search,
        method: "POST",
        headers: { ...request.headers, "accept-encoding": "identity" },
        body: request.body,
      },
      handler,
    );
  });
  if (connection === null) stopwatch.mark("queued");
  return { answer: promise, fail };
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
