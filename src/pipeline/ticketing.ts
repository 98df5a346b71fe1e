import type { Clock } from "../lib/clock.ts";
import { spanId } from "../lib/ids.ts";
import { retryAfterMs } from "../lib/retry-after.ts";
import { type ParsedJson, parseStrictJson } from "../lib/strict-json.ts";
import type { OrderInput } from "../orders/order-input.ts";
import { classify } from "../orders/outcome.ts";
import { readTicketingAnswer, type TicketingAnswer } from "../orders/ticketing-answer.ts";
import { ticketingRequest } from "../orders/ticketing-request.ts";
import type { HttpClient } from "../outbound/http-client.ts";
import type { ClaimedJob } from "../storage/jobs.ts";
import { attemptHeaders, findingOf, keptAnswer, type Step } from "./attempt.ts";
import { type OrderWithTickets, ticketedOrder } from "./ticketed.ts";

/** A 2xx over this is blocked with `too_large` (SPEC section 4). */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface TicketingOptions {
  readonly client: HttpClient;
  readonly url: string;
  /** Value of the `Authorization` header, or null. */
  readonly authorization: string | null;
  readonly onUnknown: "retry" | "hold";
  /** One deadline over the whole exchange. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** The second step of the order's way: buys the tickets. Every attempt carries the same Idempotency-Key, the trace id. */
export function createTicketingStep(options: TicketingOptions): Step {
  const { client, authorization, onUnknown, timeoutMs, clock } = options;
  const url = new URL(options.url);
  return async (job) => {
    const payload = job.payload ?? parsed(job);
    const answer = await client.post({
      url,
      headers: {
        ...attemptHeaders(job, job.traceId, spanId()),
        ...(authorization === null ? {} : { authorization }),
      },
      body: ticketingRequest(job, payload.members),
      deadlineMs: timeoutMs,
      maxBodyBytes: MAX_ANSWER_BYTES,
      wholeBody: true,
    });
    const outcome = classify("ticketing", answer, onUnknown);
    const taken = outcome === "done" ? readTicketingAnswer(answer.body) : null;
    const { code, error, body } = answer;
    const tooLarge = outcome === "blocked" && error === "too_large";
    return {
      outcome,
      record: {
        code,
        error,
        durationMs: Math.round(answer.durationMs),
        answer: keptAnswer(body),
        note: taken?.note ?? (answer.detail || null),
      },
      retryAfterMs: code === 429 || code === 503 ? retryAfterMs(answer.retryAfter, clock.wallMs()) : null,
      finding: tooLarge ? "ticketed there, answer unreadable: over 4 MiB" : findingOf("ticketing", answer),
      ticketed: taken && ticketedOrder(withTickets(job, payload.value as OrderInput, taken), clock.wallMs()),
    };
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
  { reference, tickets }: TicketingAnswer,
): OrderWithTickets {
  const { orderId: id, externalOrderId, traceId } = job;
  return { id, externalOrderId, traceId, items, reference, tickets };
}
