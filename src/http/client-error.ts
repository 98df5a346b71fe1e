import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { SECURITY_HEADERS } from "./headers.ts";
import { Problem, problemBody, PROBLEMS, type ProblemName } from "./problem-reply.ts";

// https://nodejs.org/api/errors.html and llhttp's names
const KINDS: Readonly<Record<string, ProblemName>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
  HPE_HEADER_OVERFLOW: "headers-too-large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "body-too-large",
};

/** Connections that are ending: the parser complains about every further piece that it is given. */
const ending = new WeakSet<Duplex>();

/** Answers to what never became a request. The connection is done with in any case. */
export interface ConnectionErrors {
  /** To a broken, overlong or slow one. */
  answer(error: NodeJS.ErrnoException, socket: Duplex): void;
  /** To CONNECT, for which Node would only hang up. It gives the connection away, so that no timeout watches it. */
  refuseTunnel(request: IncomingMessage, socket: Duplex): void;
}

/** @param onAnswered hears of the status of each answer */
export function createConnectionErrors(onAnswered: (status: number) => void): ConnectionErrors {
  function endWith(problem: Problem, socket: Duplex): void {
    if (ending.has(socket)) return;
    ending.add(socket);
    // Nothing that follows is read; what came before gets its answers first.
    socket.pause();
    afterAnswersDue(socket, (isAnswered) => {
      if (!socket.writable) return void socket.destroy();
      socket.end(isAnswered ? "" : asText(problem), () => socket.destroy());
      if (!isAnswered) onAnswered(PROBLEMS[problem.kind].status);
    });
  }

  return {
    answer(error, socket) {
      if (error.code === "ECONNRESET") socket.destroy();
      else endWith(new Problem(KINDS[error.code ?? ""] ?? "bad-request"), socket);
    },
    refuseTunnel(_request, socket) {
      socket.on("error", () => socket.destroy());
      if (answerDue(socket)) socket.destroy();
      else endWith(new Problem("method-not-allowed", { headers: { allow: "GET, HEAD, POST" } }), socket);
    },
  };
}

/**
 * Waits while other requests' answers are due on the connection: ours would be taken for one of them, and an accepted
 * order for a refused one. Node's own handler asks the same field.
 *
 * @param then is told whether the broken request itself has been answered before it broke
 */
function afterAnswersDue(socket: Duplex, then: (isAnswered: boolean) => void): void {
  const due = answerDue(socket);
  if (!due) then(isBodyDue(socket));
  else if (!due.req.complete) then(due.headersSent);
  // By then the next one has been given the connection.
  else due.once("close", () => afterAnswersDue(socket, then));
}

function answerDue(socket: Duplex): ServerResponse | null | undefined {
  return Reflect.get(socket, "_httpMessage") as ServerResponse | null | undefined;
}

/** A request has begun whose body is not all there, and nobody is to answer it any more. */
function isBodyDue(socket: Duplex): boolean {
  const parser = Reflect.get(socket, "parser") as { incoming: IncomingMessage | null } | null | undefined;
  return parser?.incoming?.complete === false;
}

function asText(problem: Problem): string {
  const { status, title } = PROBLEMS[problem.kind];
  const body = JSON.stringify(problemBody(problem));
  const headers = {
    date: new Date().toUTCString(),
    ...SECURITY_HEADERS,
    ...problem.more.headers,
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${title}\r\n${lines.join("")}\r\n${body}`;
}
