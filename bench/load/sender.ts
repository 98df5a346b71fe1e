import { connect, type Socket } from "node:net";
import { nowMs } from "./clock.ts";
import { createMessageReader } from "./http-message.ts";
import type { Ledger } from "./ledger.ts";
import { NUMBER, orderText } from "./order-text.ts";

/** How orders are sent. */
export type Pace =
  /** As fast as the answers come, and no more than `maxInFlight` between POST and callback. */
  | { readonly kind: "closed"; readonly connections: number; readonly maxInFlight: number }
  /** At their scheduled times, whatever became of those before: latency counts from then. */
  | { readonly kind: "open"; readonly perSec: number };

export interface SenderOptions {
  /** Of the contender. */
  readonly url: string;
  readonly callbackUrl: string;
  readonly token: string;
  readonly ledger: Ledger;
}

export interface Sender {
  start(pace: Pace): void;
  /** Sends no more; what is on its way is still answered. */
  stop(): void;
  /** An order reached its partner. */
  delivered(): void;
  /** Orders without an answer, those included that wait for a connection. */
  unanswered(): number;
  close(): void;
}

interface Connection {
  readonly socket: Socket;
  /** The order that waits for its answer. */
  order: number | null;
  idleSinceMs: number;
}

const MAX_CONNECTIONS = 512;
/** Servers close what is idle: after five seconds by Node's own default. */
const MAX_IDLE_MS = 2_000;
/** Timers are a millisecond late; at a slow pace there is time to wait more exactly. */
const EXACT_BELOW_PER_SEC = 21;
const EXACT_WAIT_MS = 2;
const BROKEN = 1;
const MAX_REFUSALS = 100;
const TRACE_ID = '"trace_id":"';

export function createSender(options: SenderOptions): Sender {
  const { ledger, callbackUrl } = options;
  const { host, hostname, port } = new URL(options.url);
  const head =
    `POST /orders HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
    `x-partner-id: bench\r\nx-partner-token: ${options.token}\r\nidempotency-key: key-`;
  const [before = "", after = ""] = orderText("b", callbackUrl).split(NUMBER);
  const bodyLength = Buffer.byteLength(before + after);

  const connections = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: number[] = [];
  let pace: Pace | null = null;
  let inFlight = 0;
  let refusals = 0;

  function send(n: number, connection: Connection): void {
    Object.assign(connection, { order: n });
    const length = bodyLength + String(n).length;
    ledger.sent(n, nowMs());
    connection.socket.write(`${head}${n}\r\ncontent-length: ${length}\r\n\r\n${before}${n}${after}`);
  }

  function open(): Connection {
    const socket = connect({ port: Number(port), host: hostname, noDelay: true });
    const connection: Connection = { socket, order: null, idleSinceMs: 0 };
    connections.add(connection);
    const read = createMessageReader((answerHead, body) => {
      const text = body.toString("latin1");
      const at = text.indexOf(TRACE_ID) + TRACE_ID.length;
      end(connection, Number(answerHead.slice(9, 12)), text.slice(at, at + 36));
      connection.idleSinceMs = nowMs();
      idle.push(connection);
      pump();
    });
    socket.on("data", read);
    socket.on("error", () => {});
    socket.on("close", () => {
      connections.delete(connection);
      const at = idle.indexOf(connection);
      if (at !== -1) idle.splice(at, 1);
      end(connection, BROKEN, "");
      pump();
    });
    return connection;
  }

  function end(connection: Connection, status: number, traceId: string): void {
    const { order } = connection;
    if (order === null) return;
    Object.assign(connection, { order: null });
    ledger.answered(order, status, traceId, nowMs());
    if (status === 201) return;
    inFlight -= 1;
    refusals += 1;
    // The run has failed anyway: whoever is down must not be stormed for the rest of it.
    if (refusals > MAX_REFUSALS) pace = null;
  }

  /** The connection used last, unless the server may just be closing it; or a new one; or none. */
  function free(limit: number): Connection | null {
    const connection = idle.pop();
    if (connection && nowMs() - connection.idleSinceMs < MAX_IDLE_MS) return connection;
    connection?.socket.destroy();
    return connections.size < limit ? open() : null;
  }

  function pump(): void {
    const limit = pace?.kind === "closed" ? pace.connections : MAX_CONNECTIONS;
    while (waiting.length > 0) {
      const connection = free(limit);
      if (!connection) return;
      send(waiting.shift()!, connection);
    }
    while (pace?.kind === "closed" && inFlight < pace.maxInFlight) {
      const connection = free(limit);
      if (!connection) return;
      inFlight += 1;
      send(ledger.schedule(nowMs()), connection);
    }
  }

  /** Gaps between half and one and a half of the mean, so that nothing gets into step with them. */
  function keepTime(running: Pace & { kind: "open" }): void {
    const exactMs = running.perSec < EXACT_BELOW_PER_SEC ? EXACT_WAIT_MS : 0;
    let dueMs = nowMs();
    const tick = (): void => {
      if (pace !== running) return;
      for (; dueMs <= nowMs(); dueMs += (1000 / running.perSec) * (0.5 + Math.random())) {
        inFlight += 1;
        waiting.push(ledger.schedule(dueMs));
      }
      pump();
      const waitMs = dueMs - nowMs();
      if (waitMs > exactMs) setTimeout(tick, waitMs - exactMs);
      else setImmediate(tick);
    };
    tick();
  }

  return {
    start(next) {
      pace = next;
      if (next.kind === "open") keepTime(next);
      else pump();
    },
    stop() {
      pace = null;
    },
    delivered() {
      inFlight -= 1;
      pump();
    },
    unanswered: () => waiting.length + [...connections].filter(({ order }) => order !== null).length,
    close() {
      for (const { socket } of connections) socket.destroy();
    },
  };
}
