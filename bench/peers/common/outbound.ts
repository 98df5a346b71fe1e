import { Pool } from "undici";

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
    async post(url, headers, body) {
      let code: number | null = null;
      try {
        const path = url.pathname + url.search;
        const answer = await poolOf(url.origin).request({ method: "POST", path, headers, body });
        code = answer.statusCode;
        return { code, error: null, body: await answer.body.text() };
      } catch (error) {
        return { code, error: error instanceof Error ? error.name : "unknown", body: "" };
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}
