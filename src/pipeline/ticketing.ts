import type { Clock } from "../lib/clock.ts";
import { type ParsedJson, parseStrictJson } from "../lib/strict-json.ts";
import { attemptSpanId } from "../lib/trace-context.ts";
import type { OrderInput } from "../orders/order-input.ts";
import type { HttpClient } from "../outbound/http-client.ts";
import type { ClaimedJob } from "../storage/jobs.ts";
import { attemptHeaders, keptAnswer, type Step, type Verdict, withoutQuery } from "./attempt.ts";
import { createPlainExchange, type Exchange, type Reading } from "./exchange.ts";
import { type OrderWithTickets, ticketedOrder } from "./ticketed.ts";

/** A 2xx over this is blocked with `too_large` (SPEC section 4). */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** What is kept of an answer that the mapping couldn't read: its tickets may be in no other place. */
const UNREAD_ANSWER_BYTES = 64 * 1024;

export interface TicketingOptions {
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the `Authorization` header, or null. */
  readonly authorization: string | null;
  readonly onUnknown: "retry" | "hold";
  /** One deadline over the whole exchange. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** By default SPEC section 4's rule. */
  readonly exchange?: Exchange;
}

/** The second step of the order's way: buys the tickets. Every attempt carries the same Idempotency-Key, the trace id. */
export function createTicketingStep(options: TicketingOptions): Step {
  const { client, authorization, timeoutMs, clock, exchange = createPlainExchange(options) } = options;
  const url = new URL(options.url);
  const target = withoutQuery(url);
  return async (job) => {
    const payload = job.payload ?? parsed(job);
    const request = exchange.request(job, payload);
    if (!request.ok) return unsent(request.reason);
    const spanId = attemptSpanId("ticketing", job);
    const answer = await client.post({
      url,
      headers: {
        ...attemptHeaders(job, job.traceId, spanId),
        ...request.headers,
        ...(authorization === null ? {} : { authorization }),
      },
      body: request.body,
      deadlineMs: Math.max(1, timeoutMs - request.tookMs),
      maxBodyBytes: MAX_ANSWER_BYTES,
      wholeBody: true,
    });
    const { outcome, taken, error, note, finding, retryAfterMs } = exchange.read(answer, job);
    const { code, body, timings } = answer;
    return {
      outcome,
      record: {
        code,
        error,
        durationMs: Math.round(answer.durationMs),
        answer: error === "mapping" ? keptAnswer(body, UNREAD_ANSWER_BYTES) : keptAnswer(body),
        note,
      },
      retryAfterMs,
      finding,
      ticketed: taken && ticketedOrder(withTickets(job, payload.value as OrderInput, taken), clock.wallMs()),
      sent: { spanId, url: target, timings },
    };
  };
}

/** The mapping has no request for the order, and would have none the next time. */
function unsent(reason: string): Verdict {
  const finding = `nothing was sent, as the mapping's request failed: ${reason}`;
  return {
    outcome: "blocked",
    record: { code: null, error: "mapping", durationMs: 0, answer: null, note: finding },
    retryAfterMs: null,
    finding,
    ticketed: null,
  };
}

function parsed({ orderId, rawPayload }: ClaimedJob): ParsedJson {
  const payload = parseStrictJson(rawPayload);
  if (payload.ok) return payload;
  throw new Error(`order ${orderId} holds a payload that acceptance can't have let in`);
}

function withTickets(
  job: ClaimedJob,
  { items }: OrderInput,
  { reference, tickets }: NonNullable<Reading["taken"]>,
): OrderWithTickets {
  const { orderId: id, externalOrderId, traceId } = job;
  return { id, externalOrderId, traceId, items, reference, tickets };
}
