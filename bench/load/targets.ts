import { createServer, type AddressInfo, type Socket } from "node:net";
import { callbackHeaders, signingKey } from "../../src/outbound/signature.ts";
import { nowMs } from "./clock.ts";
import { createMessageReader, headerOf } from "./http-message.ts";
import type { Ledger } from "./ledger.ts";

/** How ticketing behaves: answers after a time that is spread log-normally, and fails now and then by a 503. */
export interface TicketingManner {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Between 0 and 1. */
  readonly failureShare: number;
}

export const AT_ONCE: TicketingManner = { p50Ms: 0, p99Ms: 0, failureShare: 0 };

export interface TargetsOptions {
  readonly signingSecret: string;
  /** Finds the ledger that an external order id belongs to by its first letter. */
  readonly ledgers: Readonly<Record<string, Ledger>>;
  manner(): TicketingManner;
  onDelivered(prefix: string): void;
  onProblem(problem: string): void;
}

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263;
/** Below every contender's deadline: what is measured is patience, not timeouts. */
const LONGEST_MS = 8_000;
/** Of so many callbacks one has its signature checked; the others must only have one. */
const CHECK_EVERY = 64;

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const UNAVAILABLE = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/** Ticketing (`/ticketing`) and the partner (`/partner`) behind one port. @returns their URL */
export async function serveTargets(options: TargetsOptions): Promise<string> {
  const { ledgers, manner, onDelivered, onProblem } = options;
  const key = signingKey(options.signingSecret);
  let callbacks = 0;

  function ticketing(socket: Socket, ledger: Ledger, n: number, traceId: string): void {
    const { p50Ms, p99Ms, failureShare } = manner();
    const fails = Math.random() < failureShare;
    const answer = (): void => {
      ledger.gotTicketing(n, traceId, !fails);
      if (socket.writable) socket.write(fails ? UNAVAILABLE : tickets(n));
    };
    if (p50Ms === 0) return answer();
    const spread = Math.log(p99Ms / p50Ms) / Z99;
    setTimeout(answer, Math.min(p50Ms * Math.exp(spread * standardNormal()), LONGEST_MS));
  }

  function hasRightSignature(head: string, body: Buffer): boolean {
    const given = headerOf(head, "\r\nx-callback-signature:");
    if (given === null) return false;
    callbacks += 1;
    if (callbacks % CHECK_EVERY !== 1) return true;
    const expected = callbackHeaders({ body, eventId: "", timestampSecs: 0, keys: [key] });
    return given === expected["X-Callback-Signature"];
  }

  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    const read = createMessageReader((head, body) => {
      const id = headerOf(head, "\r\nx-external-order-id:") ?? "";
      const traceId = headerOf(head, "\r\nx-trace-id:") ?? "";
      const ledger = ledgers[id.slice(0, 1)];
      const n = Number(id.slice(2));
      if (!ledger || !(n < ledger.orders.count)) {
        onProblem(`a request for an order that nobody has sent: "${id}"`);
      } else if (head.startsWith("post /ticketing ")) {
        return ticketing(socket, ledger, n, traceId);
      } else {
        if (!hasRightSignature(head, body)) onProblem(`${id}: the callback's signature is missing or wrong`);
        if (ledger.gotCallback(n, traceId, nowMs())) onDelivered(id.slice(0, 1));
      }
      socket.write(OK);
    });
    socket.on("data", read);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 4096, resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function tickets(n: number): string {
  const body = `{"reference":"REF-${n}","tickets":["TICKET-${n}-1","TICKET-${n}-2"]}`;
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Box and Muller's. */
function standardNormal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
