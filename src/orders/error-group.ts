import { createHash } from "node:crypto";
import { type AttemptError, ATTEMPT_ERRORS } from "./outcome.ts";
import { type Leg, LEGS } from "./states.ts";
import { hostOf } from "./verdict-words.ts";

/** A failed attempt, as far as it tells its kind of failure. */
export interface Failure {
  readonly leg: Leg;
  readonly code: number | null;
  readonly error: AttemptError | null;
  /** In the gateway's words. */
  readonly note: string | null;
  /** How the answer began. */
  readonly answer: string | null;
  /** Of a callback. */
  readonly callbackUrl: string | null;
}

/** Failures of one kind. */
export interface ErrorKind {
  readonly leg: Leg;
  /** Of a callback: ticketing has one. */
  readonly host: string | null;
  readonly code: number | null;
  readonly error: AttemptError | null;
  /** What was said, without what differs from order to order. */
  readonly message: string;
}

const MAX_TEXT_CHARS = 1000;
const MAX_SAID_CHARS = 300;
const MAX_MESSAGE_CHARS = 200;
/** Where answers say in words what was wrong. */
const SAID =
  /"(?:message|detail|error_description|error|reason|title|description)"\s*:\s*"((?:[^"\\]|\\.){1,500})"/i;

/** In this order: each takes what the next would take apart. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "<id>"],
  [/"[^"]{0,200}"|`[^`]{0,200}`|(?<!\w)'[^']{0,200}'(?!\w)/g, "<value>"],
  [/[^\s@<>]{1,64}@[^\s@<>]{1,255}/g, "<value>"],
  [/\b(?=[a-z]*\d)[0-9a-f]{8,}\b/gi, "<id>"],
  [/\d+/g, "<n>"],
  [/\s+/g, " "],
];

export function errorKindOf({ leg, code, error, note, answer, callbackUrl }: Failure): ErrorKind {
  const said = note ?? saidIn(answer);
  return {
    leg,
    host: callbackUrl === null ? null : hostOf(callbackUrl),
    code,
    error,
    message: normalised(said),
  };
}

function saidIn(answer: string | null): string {
  const text = (answer ?? "").slice(0, MAX_TEXT_CHARS);
  const [, said] = SAID.exec(text) ?? [];
  if (said !== undefined) return said.replace(/\\(.)/g, "$1");
  return text.replace(/<[^>]{0,200}>/g, " ");
}

function normalised(text: string): string {
  const plain = text.slice(0, MAX_SAID_CHARS).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
  const message = VARIABLE.reduce((rest, [pattern, name]) => rest.replace(pattern, name), plain);
  return message.trim().slice(0, MAX_MESSAGE_CHARS).toWellFormed();
}

/** Names a kind: the same in every process and release that says the same of it. */
export function fingerprintOf({ leg, host, code, error, message }: ErrorKind): string {
  const digest = createHash("sha256").update(message).digest("hex").slice(0, 12);
  return [leg, code ?? "-", error ?? "-", digest, host ?? "-"].join(":");
}

/** What a fingerprint tells by itself, to look for its failures; null for what is none. */
export function readFingerprint(text: string): Pick<ErrorKind, "leg" | "code" | "error"> | null {
  const [, legName, codeText, errorName] = /^(\w+):(\d{3}|-):(\w+|-):[0-9a-f]{12}:.{1,300}$/.exec(text) ?? [];
  const leg = LEGS.find((each) => each === legName);
  const error = ATTEMPT_ERRORS.find((each) => each === errorName) ?? null;
  if (leg === undefined || (error === null && errorName !== "-")) return null;
  return { leg, code: codeText === "-" ? null : Number(codeText), error };
}
