import { parseStrictJson } from "../lib/strict-json.ts";
import { toDecimal } from "./currency.ts";
import type { Mapping, MappingAnswer, MappingOrder, MappingTools } from "./mapping.ts";
import { MAX_REFERENCE, MAX_TICKETS, isTicket } from "./ticketing-answer.ts";
import { OURS, type TicketingOrder } from "./ticketing-request.ts";
import { oneLine } from "./verdict-words.ts";

/** What came of a call: a mapping is somebody else's code, and nothing that it does may get past this. */
export type MappingCall<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };

/** A request that has been checked. */
export interface MappedRequest {
  /** A JSON text. */
  readonly body: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** An answer's meaning that has been checked. */
export interface MappedAnswer {
  readonly outcome: MappingAnswer["outcome"];
  /** JSON values. */
  readonly tickets: readonly unknown[];
  readonly reference: string | null;
  readonly reason: string | null;
  readonly retryAfterMs: number | null;
  /** A number in the answer has more digits than the mapping was given. */
  readonly inexactNumbers: boolean;
}

const MAX_BODY_CHARS = 4 * 1024 * 1024;
const MAX_HEADERS = 32;
const MAX_HEADER_CHARS = 4096;
const MAX_RETRY_AFTER_SECS = 31_536_000;

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const HEADER_VALUE = /^(?! )[\x20-\x7e]*(?<! )$/;

/**
 * Headers that say who asks, where to, which order it is and how the bytes travel: those are the gateway's. Hop-by-hop
 * ones by RFC 9110 section 7.6.1 and RFC 2616 section 13.5.1.
 */
const GATEWAYS = new Set(
  (
    "authorization host content-length content-encoding idempotency-key traceparent tracestate x-trace-id " +
    "x-origin-partner-id x-external-order-id accept-encoding connection keep-alive proxy-authenticate " +
    "proxy-authorization proxy-connection te trailer transfer-encoding upgrade expect"
  ).split(" "),
);

const ANSWER_MEMBERS = new Set(["outcome", "tickets", "reference", "reason", "retryAfterSecs"]);
const OUTCOMES = new Set<unknown>(["done", "already_done", "retry", "blocked"]);
const REFUSED_TYPES = new Set(["bigint", "function", "symbol"]);
const TOOLS: MappingTools = Object.freeze({ toDecimal });

/** A mapping returned what it may not. */
class Nonsense extends Error {}

/** The order as a mapping sees it: what ticketing gets by default, frozen at every level. */
export function mappingOrder({ traceId, partnerId }: TicketingOrder, payload: object): MappingOrder {
  const theirs = Object.entries(payload).filter(([name]) => !OURS.has(name));
  const order = { trace_id: traceId, partner_id: partnerId, ...Object.fromEntries(theirs) };
  return deepFreeze(order) as unknown as MappingOrder;
}

function deepFreeze<T>(value: T): T {
  // What is frozen has been frozen here, with all that it holds.
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.values(Object.freeze(value)).forEach(deepFreeze);
  }
  return value;
}

/** Asks a mapping for the request. Never throws. */
export function callRequest(mapping: Mapping, order: MappingOrder): MappingCall<MappedRequest> {
  return guarded(() => {
    const { body, headers = {}, ...more } = membersOf(mapping.request(order, TOOLS), "request");
    for (const name of Object.keys(more)) throw new Nonsense(`request returned an unknown \`${name}\``);
    return { body: jsonText(body, "the body"), headers: checkHeaders(headers) };
  });
}

/** Asks a mapping what a whole answer means; null: the default rule decides. Never throws. */
export function callResponse(
  response: NonNullable<Mapping["response"]>,
  status: number,
  body: Buffer,
): MappingCall<MappedAnswer | null> {
  return guarded(() => {
    const parsed = body.length === 0 ? null : parseStrictJson(body);
    const value = parsed === null ? null : parsed.ok ? parsed.value : body.toString("utf8");
    const returned: unknown = response(status, value);
    if (returned === null) return null;
    const inexactNumbers = parsed !== null && parsed.ok && parsed.inexactNumbers;
    return { ...checkAnswer(membersOf(returned, "response")), inexactNumbers };
  });
}

function guarded<T>(call: () => T): MappingCall<T> {
  try {
    return { ok: true, value: call() };
  } catch (error) {
    return { ok: false, reason: oneLine(reasonOf(error)) };
  }
}

function reasonOf(error: unknown): string {
  try {
    if (error instanceof Nonsense) return error.message;
    return `it threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`;
  } catch {
    return "it threw something that can't be read";
  }
}

function membersOf(value: unknown, from: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Nonsense(`${from} returned ${value === undefined ? "nothing" : "no object"}`);
  }
  if ("then" in value) {
    // Or else a promise that fails later would end the process.
    Promise.resolve(value).catch(() => {});
    throw new Nonsense(`${from} returned a promise: it must return at once`);
  }
  return { ...value };
}

function checkHeaders(value: unknown): Record<string, string> {
  const entries = Object.entries(membersOf(value, "headers:"));
  if (entries.length > MAX_HEADERS) throw new Nonsense(`more than ${MAX_HEADERS} headers`);
  const headers: Record<string, string> = {};
  for (const [given, text] of entries) {
    const name = given.toLowerCase();
    if (!HEADER_NAME.test(name)) throw new Nonsense(`a header's name has characters that it may not have`);
    if (GATEWAYS.has(name)) throw new Nonsense(`the header ${name} is the gateway's own`);
    if (Object.hasOwn(headers, name)) throw new Nonsense(`the header ${name} comes twice`);
    if (typeof text !== "string" || text.length > MAX_HEADER_CHARS || !HEADER_VALUE.test(text)) {
      throw new Nonsense(
        `the header ${name} is no text of up to ${MAX_HEADER_CHARS} visible ASCII characters`,
      );
    }
    headers[name] = text;
  }
  return headers;
}

function checkAnswer(answer: Record<string, unknown>): Omit<MappedAnswer, "inexactNumbers"> {
  const { outcome, tickets = [], reference = null, reason = null, retryAfterSecs = null } = answer;
  for (const name of Object.keys(answer)) {
    if (!ANSWER_MEMBERS.has(name)) throw new Nonsense(`response returned an unknown \`${name}\``);
  }
  if (!OUTCOMES.has(outcome)) throw new Nonsense("`outcome` is none of done, already_done, retry, blocked");
  const isDone = outcome === "done" || outcome === "already_done";
  const values = isShortArray(tickets) ? (JSON.parse(jsonText(tickets, "`tickets`")) as unknown[]) : null;
  // Counted once more: what a value says of itself and what becomes of it as JSON may differ.
  if (values === null || !isShortArray(values) || !values.every(isTicket)) {
    throw new Nonsense(`\`tickets\` is no array of at most ${MAX_TICKETS} objects or texts`);
  }
  if (reference !== null && (typeof reference !== "string" || !isReference(reference))) {
    throw new Nonsense(`\`reference\` is no text of at most ${MAX_REFERENCE} characters`);
  }
  if (!isDone && (values.length > 0 || reference !== null)) {
    throw new Nonsense(`tickets or a reference with the outcome ${String(outcome)}`);
  }
  if (reason !== null && typeof reason !== "string") throw new Nonsense("`reason` is no text");
  if (retryAfterSecs !== null && (outcome !== "retry" || !isWait(retryAfterSecs))) {
    throw new Nonsense("`retryAfterSecs` is no number of seconds up to a year, or not with retry");
  }
  return {
    outcome: outcome as MappedAnswer["outcome"],
    tickets: values,
    reference,
    reason: reason === null || reason === "" ? null : oneLine(reason),
    retryAfterMs: retryAfterSecs === null ? null : Math.ceil((retryAfterSecs as number) * 1000),
  };
}

function isShortArray(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_TICKETS;
}

function isReference(text: string): boolean {
  return text.length <= MAX_REFERENCE && !text.includes("\u0000") && text.isWellFormed();
}

function isWait(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= MAX_RETRY_AFTER_SECS;
}

/** A value as JSON, without anything that JSON would quietly turn into something else: a price of NaN into null, say. */
function jsonText(value: unknown, what: string): string {
  const text = JSON.stringify(value, function (this: unknown, name, each: unknown) {
    const fault = faultOf(each, Array.isArray(this));
    if (fault !== null) throw new Nonsense(`${what} holds ${fault}${name === "" ? "" : ` at \`${name}\``}`);
    return each;
  }) as string | undefined;
  if (text === undefined) throw new Nonsense(`${what} is missing`);
  if (text.length > MAX_BODY_CHARS) throw new Nonsense(`${what} is over ${MAX_BODY_CHARS} characters`);
  const parsed = parseStrictJson(text);
  if (!parsed.ok) throw new Nonsense(`${what} is no JSON that can be sent: ${parsed.detail}`);
  return text;
}

function faultOf(value: unknown, inArray: boolean): string | null {
  if (value === undefined) return inArray ? "undefined in an array" : null;
  if (typeof value === "number") return Number.isFinite(value) ? null : String(value);
  if (typeof value !== "object") return REFUSED_TYPES.has(typeof value) ? `a ${typeof value}` : null;
  if (value === null || Array.isArray(value)) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? null : "an object that is not plain";
}
