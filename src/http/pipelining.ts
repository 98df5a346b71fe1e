import type { Server } from "node:http";
import type { Socket } from "node:net";

/** Requests of one connection that wait for their answers, or whose answers wait to be read. Clients commonly send one. */
const MAX_UNANSWERED = 32;

/**
 * Ends a connection that sends requests without taking the answers. Node stops reading when answers pile up, but only
 * after it has begun every request in what it has read: over a thousand, each of which takes a hundred times its bytes.
 */
export function limitPipelining(server: Server): void {
  const unanswered = new WeakMap<Socket, number>();
  server.prependListener("request", ({ socket }, response) => {
    const count = (unanswered.get(socket) ?? 0) + 1;
    unanswered.set(socket, count);
    if (count > MAX_UNANSWERED) socket.destroy();
    response.once("close", () => unanswered.set(socket, unanswered.get(socket)! - 1));
  });
}
