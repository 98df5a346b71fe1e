import type { Clock } from "../lib/clock.ts";
import { retryAfterMs } from "../lib/retry-after.ts";
import type { ParsedJson } from "../lib/strict-json.ts";
import { type AttemptError, classify, type Outcome } from "../orders/outcome.ts";
import { readTicketingAnswer, type TicketingAnswer } from "../orders/ticketing-answer.ts";
import { ticketingRequest } from "../orders/ticketing-request.ts";
import type { Answer } from "../outbound/http-client.ts";
import type { ClaimedJob } from "../storage/jobs.ts";
import { findingOf } from "./attempt.ts";

/** The order that is put to ticketing. */
export type ExchangedOrder = Pick<ClaimedJob, "orderId" | "traceId" | "partnerId">;

/** What is sent for an order, or why nothing can be. */
export type ExchangeRequest =
  | {
      readonly ok: true;
      readonly body: string;
      readonly headers: Readonly<Record<string, string>>;
      /** What making it has taken of the attempt's time. */
      readonly tookMs: number;
    }
  | { readonly ok: false; readonly reason: string };

/** What ticketing's answer comes to. */
export interface Reading {
  readonly outcome: Outcome;
  /** Ticketing says that an earlier attempt has done it. */
  readonly already: boolean;
  /** Of a done order. */
  readonly taken: Pick<TicketingAnswer, "reference" | "tickets"> | null;
  readonly error: AttemptError | null;
  readonly note: string | null;
  /** One clause: what ticketing did. */
  readonly finding: string;
  readonly retryAfterMs: number | null;
}

/** How orders are put to a ticketing system, and its answers understood. Neither ever throws for what the other side does. */
export interface Exchange {
  request(order: ExchangedOrder, payload: ParsedJson): ExchangeRequest;
  read(answer: Answer, order: ExchangedOrder): Reading;
}

export interface ExchangeOptions {
  readonly onUnknown: "retry" | "hold";
  readonly clock: Clock;
}

const NO_HEADERS = {};

/** SPEC section 4's rule: the partner's words as they came, and the status decides. */
export function createPlainExchange({ onUnknown, clock }: ExchangeOptions): Exchange {
  return {
    request: (order, { members }) => ({
      ok: true,
      body: ticketingRequest(order, members),
      headers: NO_HEADERS,
      tookMs: 0,
    }),
    read(answer) {
      const { error, detail } = answer;
      const outcome = classify("ticketing", answer, onUnknown);
      const taken = outcome === "done" ? readTicketingAnswer(answer.body) : null;
      const tooLarge = outcome === "blocked" && error === "too_large";
      return {
        outcome,
        already: false,
        taken,
        error,
        note: taken?.note ?? (detail || null),
        finding: tooLarge ? "ticketed there, answer unreadable: over 4 MiB" : findingOf("ticketing", answer),
        retryAfterMs: askedToWait(answer, clock),
      };
    },
  };
}

/** What a 429 or 503 asks for. */
export function askedToWait({ code, retryAfter }: Answer, clock: Clock): number | null {
  return code === 429 || code === 503 ? retryAfterMs(retryAfter, clock.wallMs()) : null;
}
