import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Problem, problemBody, PROBLEMS, type ProblemName } from "./problem-reply.ts";

// https://nodejs.org/api/errors.html and llhttp's names
const KINDS: Readonly<Record<string, ProblemName>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
  HPE_HEADER_OVERFLOW: "headers-too-large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body-too-large",
};

/** Answers what never became a request: a broken, overlong or slow one. The connection is done with in any case. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable || !mayAnswer(socket)) {
    socket.destroy();
    return;
  }
  const problem = new Problem(KINDS[error.code ?? ""] ?? "bad-request");
  const { status, title } = PROBLEMS[problem.kind];
  const body = JSON.stringify(problemBody(problem));
  socket.write(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Content-Type-Options: nosniff\r\n` +
      `Cache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}

/**
 * False while another request's answer is due on the connection: ours would be taken for it, and an accepted order for a
 * refused one. Node's own handler asks the same field.
 */
function mayAnswer(socket: Socket): boolean {
  const response = Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined;
  return !response || (!response.headersSent && !response.req.complete);
}
