import { type LookupFunction, type Socket, connect as connectTcp, isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import type { buildConnector } from "undici";
import type { Opening } from "./timings.ts";

/** Why no connection came about. Each of these is known to have sent nothing of the request. */
export type ConnectionErrorCode = "dns" | "connect" | "tls" | "timeout" | "guard";

export class ConnectionError extends Error {
  readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The name could not be resolved. */
export class DnsError extends ConnectionError {
  constructor(message: string) {
    super("dns", message);
  }
}

/** The address guard did not allow the connection. */
export class GuardError extends ConnectionError {
  constructor(message: string) {
    super("guard", message);
  }
}

/** What undici calls to connect; it also returns the socket at once (null: nothing was opened), so that it can be ended. */
export type Connector = (
  target: buildConnector.Options,
  callback: buildConnector.Callback,
  /** Is told of each stage as it begins. */
  opening?: Opening,
) => Socket | null;

export interface ConnectorOptions {
  /** One limit over lookup, TCP and TLS. */
  readonly timeoutMs: number;
  /** PEM certificates to trust instead of the built-in ones. */
  readonly ca?: string;
}

export interface ConnectorHooks {
  /** Replaces the system's resolver; not asked for literal addresses. */
  readonly lookup?: LookupFunction;
  /** Called with the host before anything is opened: an error forbids the connection. */
  readonly beforeConnect?: (host: string) => ConnectionError | null;
  /** Called with the peer's address once TCP stands: an error ends the connection. */
  readonly afterConnect?: (address: string) => ConnectionError | null;
}

/** How long one address may take while others wait; the default of 250 ms gives up on distant but healthy partners. */
const ADDRESS_ATTEMPT_MS = 500;

/**
 * A connector for undici, in place of its `buildConnector`, which tells neither the stage that failed nor hands out a
 * socket that is still connecting. HTTP/1.1 only; certificates are always checked, whatever the environment says, and
 * against the host of the URL. No proxy variables. Every failure is a {@link ConnectionError}.
 */
export function createConnector(options: ConnectorOptions, hooks: ConnectorHooks = {}): Connector {
  return (target, callback, opening) => {
    const refusal = hooks.beforeConnect?.(target.hostname) ?? null;
    if (refusal !== null) {
      queueMicrotask(() => callback(refusal, null));
      return null;
    }
    const socket = open(target, options, hooks.lookup);
    if (opening) time(socket, target, opening);
    watch(socket, target, options.timeoutMs, hooks.afterConnect, callback);
    return socket;
  };
}

/** The connector for the operator's own targets: no guard, the system's resolver. */
export function plainConnector(options: ConnectorOptions): Connector {
  return createConnector(options);
}

function open(target: buildConnector.Options, options: ConnectorOptions, lookup?: LookupFunction): Socket {
  const secure = target.protocol === "https:";
  const host = target.hostname;
  const tcp = {
    host,
    port: Number(target.port) || (secure ? 443 : 80),
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    ...(lookup === undefined ? {} : { lookup }),
  };
  if (!secure) return connectTcp(tcp);
  return connectTls({
    ...tcp,
    // RFC 6066: SNI carries names only. The certificate is checked against `host` in either case.
    servername: isIP(host) === 0 ? host : "",
    ALPNProtocols: ["http/1.1"],
    rejectUnauthorized: true,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
}

function time(socket: Socket, { hostname, protocol }: buildConnector.Options, opening: Opening): void {
  opening.enter(isIP(hostname) === 0 ? "dns" : "connect");
  // Once for each address, or with why there is none.
  socket.once("lookup", (error: Error | null) => opening.enter(error === null ? "connect" : null));
  socket.once("connect", () => opening.enter(protocol === "https:" ? "tls" : null));
  socket.once("secureConnect", () => opening.enter(null));
}

/** Calls back exactly once: with the connected socket, or with a {@link ConnectionError} and the socket destroyed. */
function watch(
  socket: Socket,
  target: buildConnector.Options,
  timeoutMs: number,
  afterConnect: ConnectorHooks["afterConnect"],
  callback: buildConnector.Callback,
): void {
  const secure = target.protocol === "https:";
  let stage: "connect" | "tls" = "connect";
  let finished = false;
  const finish = (error: ConnectionError | null) => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    if (error === null) return callback(null, socket);
    socket.destroy();
    callback(error, null);
  };
  const timer = setTimeout(
    () => finish(new ConnectionError("timeout", `no connection within ${timeoutMs} ms`)),
    timeoutMs,
  );
  // Before the listener that begins the TLS handshake: a peer nobody approved is not even told the host's name.
  socket.prependOnceListener("connect", () => {
    stage = "tls";
    const refusal = judgePeer(socket.remoteAddress, afterConnect);
    if (refusal !== null) finish(refusal);
    else if (!secure) finish(null);
  });
  if (secure) socket.once("secureConnect", () => finish(null));
  // Stays for the socket's whole life: an error nobody listens to would end the process.
  socket.on("error", (error) => finish(asConnectionError(error, stage)));
  socket.once("close", () => finish(new ConnectionError(stage, "the connection was closed")));
}

function judgePeer(
  address: string | undefined,
  afterConnect: ConnectorHooks["afterConnect"],
): ConnectionError | null {
  // A connection that was reset right away has no peer any more, which says nothing about whose it was.
  if (address === undefined) return new ConnectionError("connect", "the connection was closed");
  return afterConnect?.(address) ?? null;
}

function asConnectionError(error: NodeJS.ErrnoException, stage: "connect" | "tls"): ConnectionError {
  if (error instanceof ConnectionError) return error;
  if (error.syscall === "getaddrinfo") return new DnsError(`the name could not be resolved (${error.code})`);
  // With several addresses Node raises an AggregateError, whose own message is empty.
  const message = error instanceof AggregateError ? error.errors.map(String).join("; ") : error.message;
  return new ConnectionError(stage, message || (error.code ?? "unknown error"), { cause: error });
}
