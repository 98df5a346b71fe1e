import { type Dispatcher, Pool } from "undici";

export interface Answer {
  /** The status, if one arrived. */
  readonly code: number | null;
  /** Null when the whole answer arrived. */
  readonly error: string | null;
  readonly body: string;
}

export interface Outbound {
  /** Sends once; never rejects. */
  post(url: URL, headers: Record<string, string>, body: string): Promise<Answer>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/** One undici `Pool` for each origin, with as many kept-alive connections as there are requests at once. */
export function createOutbound(connections: number): Outbound {
  const pools = new Map<string, Pool>();
  const poolOf = (origin: string): Pool => {
    let pool = pools.get(origin);
    if (pool === undefined) {
      const timeouts = { connectTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS };
      pool = new Pool(origin, { connections, pipelining: 1, ...timeouts });
      pools.set(origin, pool);
    }
    return pool;
  };
  return {
    post(url, headers, body) {
      const path = url.pathname + url.search;
      return new Promise((resolve) => {
        poolOf(url.origin).dispatch({ method: "POST", path, headers, body }, collect(resolve));
      });
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

/** `dispatch` is what undici's other calls are made of: without a stream for each answer it is the fastest of them. */
function collect(done: (answer: Answer) => void): Dispatcher.DispatchHandler {
  let code: number | null = null;
  const chunks: Buffer[] = [];
  return {
    onRequestStart() {},
    onResponseStart(_controller, statusCode) {
      code = statusCode;
    },
    onResponseData(_controller, chunk) {
      chunks.push(chunk);
    },
    onResponseEnd: () => done({ code, error: null, body: Buffer.concat(chunks).toString("utf8") }),
    onResponseError: (_controller, error) => done({ code, error: error.name, body: "" }),
  };
}
