import type { Socket } from "node:net";
import type { Client } from "undici";
import type { Connector } from "./connector.ts";
import { createOpening, type Opening } from "./timings.ts";
import { undici } from "./undici.ts";

/** One HTTP/1.1 connection to one origin; undici opens it with the first request, and again if it closed meanwhile. */
export interface Connection {
  readonly client: Client;
  /** Its latest; null: none has begun. */
  readonly opening: Opening | null;
}

export interface ConnectionPool {
  /**
   * Hands over a connection, at once if one is free; else the caller waits in line. The function returned leaves the
   * line; it does nothing once the connection was handed over.
   */
  acquire(origin: string, use: (connection: Connection) => void): () => void;
  /** Gives a connection back; `reusable` only after a whole answer, else it is ended here and now. */
  release(connection: Connection, reusable: boolean): void;
  /** Sockets open or being opened, idle ones included. */
  openSockets(): number;
  /** Ends every connection, whatever it is doing. */
  destroy(): void;
}

export interface ConnectionPoolOptions {
  readonly connector: Connector;
  readonly perOrigin: number;
  /** Idle connections kept over all origins; beyond them a connection ends with its answer. */
  readonly maxIdle: number;
}

interface Line {
  readonly origin: string;
  /** The longest idle first. */
  readonly idle: Lane[];
  readonly waiting: Set<(connection: Connection) => void>;
  open: number;
}

interface Lane extends Connection {
  readonly line: Line;
  socket: Socket | null;
  opening: Opening | null;
}

/** Shorter than servers usually keep idle connections, so that a request seldom meets a closing one. */
const KEEP_ALIVE_MS = 4000;
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Connections per origin, each for one request at a time. undici's own `Agent` keeps requests in line that were given
 * up long ago, holds no socket that is still connecting, and keeps the pools of origins that failed to connect: here a
 * request given up leaves nothing behind, neither its place nor its socket, and an origin without connections is gone.
 */
export function createConnectionPool(options: ConnectionPoolOptions): ConnectionPool {
  const lines = new Map<string, Line>();
  const lanes = new Set<Lane>();
  const sockets = new Set<Socket>();
  let idle = 0;

  function open(line: Line): Lane {
    const { Client } = undici();
    const client = new Client(line.origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The request's own deadline stands over both.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: (target, callback) => {
        const opening = createOpening();
        const socket = options.connector(target, callback, opening);
        lane.opening = opening;
        lane.socket = socket;
        if (socket === null) return;
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      },
    });
    const lane: Lane = { client, line, socket: null, opening: null };
    client.on("disconnect", () => {
      if (takeFromIdle(lane)) end(lane);
    });
    lanes.add(lane);
    line.open += 1;
    return lane;
  }

  function takeFromIdle(lane: Lane): boolean {
    const at = lane.line.idle.indexOf(lane);
    if (at === -1) return false;
    lane.line.idle.splice(at, 1);
    idle -= 1;
    return true;
  }

  function end(lane: Lane): void {
    if (!lanes.delete(lane)) return;
    void lane.client.destroy();
    // undici does not hold a socket that is still connecting.
    lane.socket?.destroy();
    const { line } = lane;
    line.open -= 1;
    if (line.open === 0 && line.waiting.size === 0) lines.delete(line.origin);
  }

  function nextInLine(line: Line): ((connection: Connection) => void) | undefined {
    const [next] = line.waiting;
    if (next !== undefined) line.waiting.delete(next);
    return next;
  }

  return {
    acquire(origin, use) {
      let line = lines.get(origin);
      if (line === undefined) {
        line = { origin, idle: [], waiting: new Set(), open: 0 };
        lines.set(origin, line);
      }
      const free = line.idle.at(-1);
      if (free !== undefined) takeFromIdle(free);
      if (free !== undefined || line.open < options.perOrigin) {
        use(free ?? open(line));
        return () => {};
      }
      const { waiting } = line;
      waiting.add(use);
      return () => waiting.delete(use);
    },

    release(connection, reusable) {
      const lane = connection as Lane;
      if (!lanes.has(lane)) return;
      const { line } = lane;
      const next = nextInLine(line);
      if (!reusable) {
        // The next one's connection is opened first, so that the origin does not go in between.
        const fresh = next === undefined ? null : open(line);
        end(lane);
        if (fresh !== null) next?.(fresh);
      } else if (next !== undefined) {
        next(lane);
      } else if (idle >= options.maxIdle) {
        end(lane);
      } else {
        line.idle.push(lane);
        idle += 1;
      }
    },

    openSockets: () => sockets.size,

    destroy() {
      for (const lane of lanes) {
        takeFromIdle(lane);
        end(lane);
      }
    },
  };
}
