import { traceparent } from "../lib/trace-context.ts";
import type { Leg } from "../orders/states.ts";
import type { Outcome } from "../orders/outcome.ts";
import type { Answer } from "../outbound/http-client.ts";
import { NO_TIMINGS, type Timings } from "../outbound/timings.ts";
import type { AttemptRecord, ClaimedJob } from "../storage/jobs.ts";
import type { Ticketed } from "../storage/tickets.ts";

/** What a step says of its attempt; settle.ts acts on it. */
export interface Verdict {
  readonly outcome: Outcome;
  readonly record: AttemptRecord;
  /** What a 429 or 503 asked for. */
  readonly retryAfterMs: number | null;
  /** One clause: what the other side did. */
  readonly finding: string;
  readonly ticketed: Ticketed | null;
  /** The exchange behind it; left out where nothing was sent. */
  readonly sent?: Sent;
}

/** A request of an attempt, for those who watch. */
export interface Sent {
  readonly spanId: string;
  /** Without the query, which may hold keys. */
  readonly url: string;
  readonly timings: Timings;
}

/** The same in the words of the log. */
export function sentFields(sent: Sent | undefined) {
  const { waitedMs, dnsMs, connectMs, tlsMs, firstByteMs } = sent?.timings ?? NO_TIMINGS;
  return {
    span_id: sent?.spanId ?? null,
    url: sent?.url ?? null,
    waited_ms: tenths(waitedMs),
    dns_ms: tenths(dnsMs),
    connect_ms: tenths(connectMs),
    tls_ms: tenths(tlsMs),
    first_byte_ms: tenths(firstByteMs),
  };
}

/** What is near takes less than a millisecond. */
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}

export function withoutQuery({ origin, pathname }: URL): string {
  return origin + pathname;
}

/** One attempt of one leg, over the network. Never rejects for anything that the other side does. */
export type Step = (job: ClaimedJob) => Promise<Verdict>;

/** Bytes of an answer that an attempt row keeps (SPEC section 4). */
const KEPT_ANSWER_BYTES = 4096;

/** The beginning of an answer as text that any database takes: decoded leniently, without U+0000. */
export function keptAnswer(body: Buffer, maxBytes: number = KEPT_ANSWER_BYTES): string | null {
  if (body.length === 0) return null;
  return body.subarray(0, maxBytes).toString("utf8").replaceAll("\u0000", "\uFFFD");
}

/** The headers that every attempt carries (seed, and W3C Trace Context). */
export function attemptHeaders(
  job: Pick<ClaimedJob, "traceId" | "partnerId" | "externalOrderId">,
  idempotencyKey: string,
  spanId: string,
): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": "WaveGate",
    "x-trace-id": job.traceId,
    "x-origin-partner-id": job.partnerId,
    "x-external-order-id": job.externalOrderId,
    "idempotency-key": idempotencyKey,
    traceparent: traceparent(job.traceId, spanId),
  };
}

const SUBJECT: Record<Leg, string> = { ticketing: "ticketing", callback: "the partner" };

/** Says in one clause what came back. */
export function findingOf(leg: Leg, { code, error, detail }: Answer): string {
  const subject = SUBJECT[leg];
  const answered = code === null ? null : `${subject} answered ${code}`;
  if (error === null) return answered ?? `${subject} did not answer`;
  const failure = detail === "" ? error : `${error}: ${detail}`;
  return answered === null
    ? `the request failed (${failure})`
    : `${answered}, but not to its end (${failure})`;
}
