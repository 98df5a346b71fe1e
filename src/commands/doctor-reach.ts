import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";

const PATIENCE_MS = 3_000;

/** Whom a URL names. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeOfUrl(url: string): Place {
  const { hostname, port, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  };
}

/**
 * Connects and hangs up: not a byte of a request is sent. @returns the address that took the connection
 * @throws whatever kept it from coming about, for at most three seconds
 */
export async function reach({ host, port }: Place): Promise<string> {
  const timer = AbortSignal.timeout(PATIENCE_MS);
  const address = isIP(host) ? host : (await withTimeout(lookup(host), timer)).address;
  await withTimeout(connectTo(address, port, timer), timer);
  return address;
}

function connectTo(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

function withTimeout<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
    work.then(resolve, reject);
  });
}
