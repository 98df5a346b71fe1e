import { AssertionError } from "node:assert";
import { ConnectionError, type ConnectionErrorCode } from "./connector.ts";
import { undici } from "./undici.ts";

/** Why an answer is not whole (SPEC section 4, the attempt's `error`). Those of a connection mean: nothing was sent. */
export type AnswerError = ConnectionErrorCode | "reset" | "protocol" | "too_large";

const MAX_DETAIL_CHARS = 300;

/** How far a request had come when it failed. */
type Stage = "unsent" | "sent" | "answering";

/** undici ends the socket itself, and says so in nothing but these messages, on a 101, or a 100 nobody asked for. */
const FORBIDDEN_ANSWERS = new Set(["bad response", "bad upgrade"]);

/** Once a request is on a socket, no failure is one of the connection any more. */
export function classifyFailure(error: Error, stage: Stage): { error: AnswerError; detail: string } {
  return {
    error: stage === "unsent" ? classifyUnsent(error) : classifySent(error, stage),
    detail: describe(error),
  };
}

function classifyUnsent(error: Error): AnswerError {
  if (error instanceof ConnectionError) return error.code;
  // A header that can't be written will not become better by itself, but it was never sent either.
  return error instanceof undici().errors.InvalidArgumentError ? "protocol" : "connect";
}

function classifySent(error: Error, stage: Stage): AnswerError {
  const { errors } = undici();
  if (error instanceof errors.HTTPParserError) {
    // llhttp's words for an answer that ended too soon, which is the connection's doing; undici gives it no code.
    return error.message.includes("Invalid EOF state") ? "reset" : "protocol";
  }
  // Before the status it is not the body that mismatches: it is what undici says of headers that contradict each other.
  if (error instanceof errors.ResponseContentLengthMismatchError)
    return stage === "sent" ? "protocol" : "reset";
  // undici asserts what its parser lets pass, like a status of three digits that is under 100.
  if (error instanceof errors.HeadersOverflowError || error instanceof AssertionError) return "protocol";
  return error instanceof errors.SocketError && FORBIDDEN_ANSWERS.has(error.message) ? "protocol" : "reset";
}

/** One line that any database takes: a message may quote what the other side sent, such as a certificate's names. */
function describe(error: Error): string {
  if (error instanceof AssertionError) return "the answer is no valid HTTP/1.1";
  const line = (error.message || error.name).replace(/\p{Cc}+/gu, " ").trim();
  return line.slice(0, MAX_DETAIL_CHARS).toWellFormed();
}
