import type { Log } from "../observe/log.ts";
import { scrubText } from "../observe/scrub.ts";
import type { Mapping } from "../orders/mapping.ts";
import {
  callRequest,
  callResponse,
  type MappedAnswer,
  type MappingCall,
  mappingOrder,
} from "../orders/mapping-calls.ts";
import type { Answer } from "../outbound/http-client.ts";
import { findingOf } from "./attempt.ts";
import {
  askedToWait,
  createPlainExchange,
  type Exchange,
  type ExchangedOrder,
  type ExchangeOptions,
  type Reading,
} from "./exchange.ts";

export interface MappedExchangeOptions extends ExchangeOptions {
  readonly mapping: Mapping;
  readonly log: Log;
}

/** A call that holds up the process for longer is worth a line in the log. */
const SLOW_MS = 50;
/** A request that takes longer isn't sent: its claim's lease may not cover the exchange any more. */
const MAX_REQUEST_MS = 1_000;

/**
 * The operator's mapping (`TICKETING_MAPPING`). Where it fails, the order is blocked with the reason. What an
 * answer that didn't come whole means is never asked of it.
 */
export function createMappedExchange(options: MappedExchangeOptions): Exchange {
  const { mapping, clock, log } = options;
  const plain = createPlainExchange(options);

  function timed<T>(call: "request" | "response", order: ExchangedOrder, run: () => T) {
    const begunAt = clock.monotonicMs();
    const result = run();
    const tookMs = Math.round(clock.monotonicMs() - begunAt);
    if (tookMs > SLOW_MS) {
      const { orderId, traceId: trace_id, partnerId: partner_id } = order;
      log.warn({ event: "mapping.slow", call, trace_id, order_id: orderId, partner_id, duration_ms: tookMs });
    }
    return { result, tookMs };
  }

  return {
    request(order, { value }) {
      const mapped = timed("request", order, () =>
        callRequest(mapping, mappingOrder(order, value as object)),
      );
      const { result, tookMs } = mapped;
      if (!result.ok) return { ok: false, reason: scrubText(result.reason) };
      if (tookMs > MAX_REQUEST_MS) {
        return {
          ok: false,
          reason: `it took ${tookMs} ms, and more than ${MAX_REQUEST_MS} are not waited for`,
        };
      }
      return { ok: true, ...result.value, tookMs };
    },
    read(answer, order) {
      const { code, error, body } = answer;
      const ask = mapping.response;
      if (ask === undefined || error !== null || code === null) return plain.read(answer, order);
      const { result } = timed("response", order, () => callResponse(ask, code, body));
      return readingOf(result, answer) ?? plain.read(answer, order);
    },
  };

  /** Null: the default rule decides. */
  function readingOf(result: MappingCall<MappedAnswer | null>, answer: Answer): Reading | null {
    if (!result.ok) return unreadable(answer, scrubText(result.reason));
    if (result.value === null) return null;
    const { outcome, tickets, reference, inexactNumbers, retryAfterMs } = result.value;
    // A mapping can put anything into its words.
    const reason = result.value.reason === null ? null : scrubText(result.value.reason);
    const because = reason === null ? "" : `: ${reason}`;
    const common = {
      already: false,
      error: null,
      finding: findingOf("ticketing", answer),
      retryAfterMs: null,
    };
    switch (outcome) {
      case "done":
      case "already_done": {
        const missing = tickets.length === 0 ? ", and its answer carries no tickets" : "";
        const notes = [
          outcome === "done" ? reason : `ticketed by an earlier attempt${missing}${because}`,
          inexactNumbers
            ? "a number in ticketing's answer has more digits than JSON numbers carry safely"
            : null,
        ].filter((note) => note !== null);
        const already = outcome === "already_done";
        return {
          ...common,
          outcome: "done",
          already,
          taken: { tickets, reference },
          note: notes.join("; ") || null,
        };
      }
      case "retry":
      case "blocked":
        return {
          ...common,
          outcome,
          taken: null,
          note: `${outcome} by the mapping${because}`,
          finding: `${common.finding}, by the mapping ${outcome}${because}`,
          retryAfterMs: outcome === "retry" ? (retryAfterMs ?? askedToWait(answer, clock)) : null,
        };
    }
  }
}

/** After a 2xx there may be tickets: nobody may take the order for one that can simply be sent again. */
function unreadable(answer: Answer, reason: string): Reading {
  const isSuccess = answer.code !== null && answer.code >= 200 && answer.code < 300;
  const what = isSuccess
    ? "ticketed there, answer unreadable by the mapping"
    : "answer unreadable by the mapping";
  return {
    outcome: "blocked",
    already: false,
    taken: null,
    error: "mapping",
    note: `the mapping's response failed: ${reason}`,
    finding: isSuccess ? `${what}: ${reason}` : `${findingOf("ticketing", answer)}; ${what}: ${reason}`,
    retryAfterMs: null,
  };
}
