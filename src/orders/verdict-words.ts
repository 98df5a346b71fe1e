import { isoTime } from "../lib/iso-time.ts";
import type { AttemptError } from "./outcome.ts";
import type { Leg } from "./states.ts";

const MAX_REASON_CHARS = 300;
const COUNTED = ["", "once", "twice", "three times", "four times", "five times", "six times", "seven times"];

/** What an attempt brought, for a sentence. */
export interface Brought {
  readonly code: number | null;
  readonly error: AttemptError | null;
}

/** `once`, `four times`, `14 times`. */
export function times(count: number): string {
  return COUNTED[count] ?? `${count} times`;
}

/** `14:32:05 UTC`, with the date when that is another day than now's. */
export function clockTime(epochMs: number, nowMs: number): string {
  if (!isTime(epochMs) || !isTime(nowMs)) return "an unknown time";
  const [day, time] = [isoTime(epochMs).slice(0, 10), `${isoTime(epochMs).slice(11, 19)} UTC`];
  return day === isoTime(nowMs).slice(0, 10) ? time : `${day} ${time}`;
}

/** What a Date can hold. */
function isTime(epochMs: number): boolean {
  return Math.abs(epochMs) <= 8.64e15;
}

/** Text that came from further away as part of a line: without line ends, control and direction characters, and cut. */
export function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * MAX_REASON_CHARS)
    .replace(/[\s\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .toWellFormed();
  return line.length > MAX_REASON_CHARS ? `${line.slice(0, MAX_REASON_CHARS - 1).trimEnd()}…` : line;
}

export function sentence(text: string): string {
  const line = text.trim();
  const closed = /[.!?…]$/.test(line) ? line : `${line}.`;
  return closed.charAt(0).toUpperCase() + closed.slice(1);
}

/** Who is called: named with its host where that says more. */
export function subjectOf(leg: Leg, callbackUrl: string): string {
  if (leg === "ticketing") return "ticketing";
  const host = hostOf(callbackUrl);
  return host === null ? "the partner" : `the partner (${host})`;
}

/** The host alone: a path or query may carry the partner's secrets. */
export function hostOf(url: string): string | null {
  return URL.canParse(url) ? oneLine(new URL(url).host) || null : null;
}

const FAILED: Record<AttemptError, (subject: string) => string> = {
  dns: (subject) => `the name of ${subject} could not be resolved`,
  connect: (subject) => `no connection to ${subject} could be made`,
  tls: (subject) => `no trusted TLS connection to ${subject} could be made`,
  timeout: (subject) => `${subject} did not answer in time`,
  reset: (subject) => `${subject} closed the connection without an answer`,
  protocol: (subject) => `${subject} answered with something that is no HTTP`,
  too_large: (subject) => `${subject} answered with more than can be taken`,
  guard: () => "the gateway's own rules for callbacks kept the request from being sent",
  lost: () => "the gateway's process died during the attempt, so that nobody knows what came of it",
  mapping: () => "the mapping (TICKETING_MAPPING) failed on the order, and nothing was sent",
};

/** One clause: what the other side did. */
export function clauseOf(subject: string, { code, error }: Brought): string {
  if (error === null) return code === null ? `${subject} did not answer` : `${subject} answered ${code}`;
  if (code === null) return FAILED[error](subject);
  if (error === "mapping") return `${subject} answered ${code}, which the mapping could not read`;
  return `${subject} answered ${code}, but not to its end (${error})`;
}
