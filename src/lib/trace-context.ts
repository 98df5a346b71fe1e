import { hash } from "node:crypto";

// W3C Trace Context. Span ids are derived, so that every process, also one that starts days later, knows an order's spans
// without having stored them.

/** Of a span somewhere, in lower case hex: 32 digits, and 16. */
export interface SpanName {
  readonly traceId: string;
  readonly spanId: string;
  /** The last field of a `traceparent`; bit 0: sampled. */
  readonly flags: number;
}

/** The trace id of an order: its `trace_id` without the dashes. */
export function traceIdOf(uuid: string): string {
  return uuid.replaceAll("-", "");
}

/**
 * The span id of the request that brought the order: the last 16 digits of the trace id. They are never all zero, as those
 * of a UUID begin with its variant.
 */
export function rootSpanId(uuid: string): string {
  return traceIdOf(uuid).slice(16);
}

/**
 * The span id of one attempt: the first 16 digits of the SHA-256 of `<trace_id>/<leg>/<job id>/<attempt>`. It is sent in the
 * attempt's `traceparent`, and whoever finds the attempt lost comes to the same.
 */
export function attemptSpanId(
  leg: string,
  { traceId, jobId, no }: { readonly traceId: string; readonly jobId: number; readonly no: number },
): string {
  return hash("sha256", `${traceId}/${leg}/${jobId}/${no}`, "hex").slice(0, 16);
}

/** The header that makes the receiver's spans children of this one. */
export function traceparent(uuid: string, spanId: string): string {
  return `00-${traceIdOf(uuid)}-${spanId}-01`;
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const MAX_CHARS = 512;

/** Reads what a client sent; null where it is not well-formed. Later versions may say more than the four fields. */
export function readTraceparent(header: string): SpanName | null {
  if (header.length > MAX_CHARS) return null;
  const [, version, traceId, spanId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined || (version === "00" && more !== undefined)) return null;
  return { traceId, spanId, flags: Number.parseInt(flags!, 16) };
}
