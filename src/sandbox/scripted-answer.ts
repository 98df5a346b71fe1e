import type { ServerResponse } from "node:http";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

/**
 * One answer of a sandbox server: a status, or a way to fail. `timeout` never answers, `reset` breaks the connection,
 * `garbage` is not HTTP, `empty` is a 200 without a body.
 */
const Answer = Type.Union([
  Type.Integer({ minimum: 200, maximum: 599 }),
  Type.Enum(["timeout", "reset", "garbage", "empty"]),
]);
export type Answer = Static<typeof Answer>;

/** The answers to the first, second, third ... attempt. The last repeats. */
export const Script = Type.Array(Answer, { minItems: 1, maxItems: 100 });
export type Script = Static<typeof Script>;

const validator = Compile(Script);

/** How long `timeout` holds a connection that the other side doesn't give up. */
const HANG_MS = 30_000;

/** Reads a script written as `503,timeout,200`; null if it isn't one. */
export function parseScript(text: string): Script | null {
  const values = text.split(",").map((word) => (/^\d{3}$/.test(word) ? Number(word) : word));
  return validator.Check(values) ? values : null;
}

/** @param attempt counts from 1 */
export function answerFor(script: Script, attempt: number): Answer {
  return script[Math.min(attempt, script.length) - 1] ?? 200;
}

export function isSuccess(answer: Answer): boolean {
  return answer === "empty" || (typeof answer === "number" && answer < 300);
}

/** Gives the answer after `delayMs`. Lets go at once of a connection that the other side, or a close, has ended. */
export function play(response: ServerResponse, answer: Answer, json: object, delayMs = 0): void {
  if (answer === "timeout") return later(response, HANG_MS, () => response.destroy());
  later(response, delayMs, () => {
    if (answer === "reset") response.socket?.resetAndDestroy();
    else if (answer === "garbage")
      response.socket?.end("This is not the answer you are looking for.\r\n\r\n");
    else if (answer === "empty") response.writeHead(200).end();
    else reply(response, answer, json);
  });
}

export function reply(response: ServerResponse, status: number, json: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
}

function later(response: ServerResponse, delayMs: number, act: () => void): void {
  const timer = setTimeout(act, delayMs);
  response.once("close", () => clearTimeout(timer));
}
