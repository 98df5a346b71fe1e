import { spanId } from "../lib/ids.ts";
import { readTraceparent, rootSpanId, type SpanName, traceIdOf } from "../lib/trace-context.ts";
import type { WorkEvent, WorkEventOf } from "./work-events.ts";

/** A span as it is made from a unit of work that has ended. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Null: the root. */
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  /** Epoch milliseconds, also parts of them. */
  readonly startMs: number;
  readonly endMs: number;
  /** What is null is left out. */
  readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
  readonly failed: boolean;
  /** A span of somebody else that led to this one. */
  readonly link: SpanName | null;
  readonly moments: readonly { readonly name: string; readonly atMs: number }[];
}

interface Seen {
  /** The order's `trace_id`. */
  readonly trace: string;
  /** When the event was told: when the unit of work ended. */
  readonly endMs: number;
  /** As `db.system.name` says it. */
  readonly database: string;
}

type Makers = {
  readonly [Name in WorkEvent["event"]]?: (event: WorkEventOf<Name>, seen: Seen) => Span[];
};

const MAKERS: Makers = {
  "http.answered": requestSpans,
  "order.accepted": acceptSpans,
  "ticketing.attempted": attemptSpans,
  "callback.attempted": attemptSpans,
  "attempt.lost": lostSpans,
  "operator.acted": actSpans,
};

/** The units of work that spans are made from. */
export const TRACED: ReadonlySet<string> = new Set(Object.keys(MAKERS));

/**
 * The spans of a unit of work that was done for an order. Names and attributes follow OpenTelemetry's semantic
 * conventions (HTTP, databases); what is ours begins with `wavegate.`
 */
export function spansOf(event: WorkEvent, seen: Seen): Span[] {
  const make = MAKERS[event.event] as ((event: WorkEvent, seen: Seen) => Span[]) | undefined;
  return make?.(event, seen) ?? [];
}

type Given = Pick<Span, "name" | "startMs" | "endMs"> & Partial<Span>;

/** An inner span below the root, unless it is said otherwise. */
function span(trace: string, given: Given): Span {
  return {
    traceId: traceIdOf(trace),
    spanId: spanId(),
    parentId: rootSpanId(trace),
    kind: "internal",
    attributes: {},
    failed: false,
    link: null,
    moments: [],
    ...given,
  };
}

/** The root, or below it a repeat of the request, which got the same answer. */
function requestSpans(event: WorkEventOf<"http.answered">, { trace, endMs }: Seen): Span[] {
  const { method, route, status, duration_ms, traceparent, replayed = false } = event;
  if (method !== "POST" || route !== "/orders") return [];
  return [
    span(trace, {
      ...(replayed ? {} : { spanId: rootSpanId(trace), parentId: null }),
      name: `${method} ${route}`,
      kind: "server",
      startMs: endMs - duration_ms,
      endMs,
      attributes: {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
        "wavegate.replayed": replayed || null,
      },
      failed: status >= 500,
      link: traceparent === undefined ? null : readTraceparent(traceparent),
    }),
  ];
}

function acceptSpans(event: WorkEventOf<"order.accepted">, { trace, endMs, database }: Seen): Span[] {
  const accept = span(trace, {
    name: "accept",
    startMs: endMs - event.duration_ms,
    endMs,
    attributes: { ...ofOrder(event), "wavegate.external_order_id": event.external_order_id },
  });
  const startMs = endMs - event.commit_ms;
  return [accept, commit(trace, "commit", { parentId: accept.spanId, startMs, endMs }, database)];
}

/** A transaction that several share, and the wait for it. */
function commit(
  trace: string,
  name: string,
  given: Omit<Given, "name">,
  database: string,
  attributes: Span["attributes"] = {},
): Span {
  const ofDatabase = { "db.system.name": database, "db.operation.name": "COMMIT" };
  return span(trace, { ...given, name, kind: "client", attributes: { ...ofDatabase, ...attributes } });
}

type Attempted = WorkEventOf<"ticketing.attempted"> | WorkEventOf<"callback.attempted">;

const PHASES = ["waited", "dns", "connect", "tls"] as const;
const PHASE_NAMES = { waited: "wait for a connection", dns: "dns", connect: "connect", tls: "tls" };

function attemptSpans(event: Attempted, { trace, endMs, database }: Seen): Span[] {
  const endedMs = endMs - event.settle_ms;
  const attempt = attemptSpan(event, trace, endedMs);
  const place = { parentId: attempt.spanId, startMs: endedMs, endMs };
  const settle = commit(trace, "settle", place, database, {
    "wavegate.settled": event.settled,
    "wavegate.job": event.job,
    "wavegate.due_in_ms": event.due_in_ms ?? null,
  });
  return [attempt, ...phaseSpans(event, trace, attempt), settle];
}

function attemptSpan(event: Attempted, trace: string, endMs: number): Span {
  const { outcome, code, span_id: sentAs, first_byte_ms: firstByteMs } = event;
  const leg = event.event === "ticketing.attempted" ? "ticketing" : "callback";
  const phasesMs = PHASES.reduce((sum, phase) => sum + (event[`${phase}_ms`] ?? 0), 0);
  // The whole is told in whole milliseconds, its parts in tenths.
  const startMs = endMs - Math.max(event.duration_ms ?? 0, phasesMs + (firstByteMs ?? 0));
  const failed = outcome !== "done";
  const isHttpError = code !== null && code >= 400;
  return span(trace, {
    ...(sentAs === null
      ? { name: leg }
      : {
          name: `POST ${leg}`,
          kind: "client",
          // The span that was sent is that of the attempt found lost; a late result came to light below it.
          ...(event.settled === "late" ? { parentId: sentAs } : { spanId: sentAs }),
        }),
    startMs,
    endMs,
    attributes: {
      ...(event.url === null ? {} : ofExchange(event.url)),
      ...ofAttempt(leg, event),
      "http.response.status_code": code,
      "error.type": failed ? (event.error ?? (isHttpError ? String(code) : outcome)) : null,
      "wavegate.outcome": outcome,
    },
    failed,
    moments: firstByteMs === null ? [] : [{ name: "first byte", atMs: startMs + phasesMs + firstByteMs }],
  });
}

/** One after another, from the attempt's beginning. */
function phaseSpans(event: Attempted, trace: string, { spanId: parentId, startMs: begunMs }: Span): Span[] {
  let endMs = begunMs;
  return PHASES.flatMap((phase) => {
    const tookMs = event[`${phase}_ms`];
    if (tookMs === null) return [];
    const startMs = endMs;
    endMs += tookMs;
    return [span(trace, { parentId, name: PHASE_NAMES[phase], startMs, endMs })];
  });
}

/** Under the id that its request went out with, if it came to that: the receiver's spans hang below it. */
function lostSpans(event: WorkEventOf<"attempt.lost">, { trace, endMs }: Seen): Span[] {
  return [
    span(trace, {
      spanId: event.span_id,
      name: `POST ${event.leg}`,
      kind: "client",
      startMs: endMs - event.duration_ms,
      endMs,
      attributes: {
        "http.request.method": "POST",
        ...ofAttempt(event.leg, event),
        "error.type": "lost",
        "wavegate.outcome": "lost",
        "wavegate.job": event.job,
      },
      failed: true,
    }),
  ];
}

/** What an operator did to an order, however long after. */
function actSpans(event: WorkEventOf<"operator.acted">, { trace, endMs }: Seen): Span[] {
  return [
    span(trace, {
      name: event.action,
      kind: "server",
      startMs: endMs - event.duration_ms,
      endMs,
      attributes: {
        "http.response.status_code": event.status,
        "wavegate.operator": event.operator,
        "wavegate.order.id": event.order_id ?? null,
      },
      failed: event.status >= 500,
    }),
  ];
}

function ofOrder(event: { readonly order_id: number; readonly partner_id: string }): Span["attributes"] {
  return { "wavegate.order.id": event.order_id, "wavegate.partner.id": event.partner_id };
}

function ofAttempt(
  leg: string,
  event: { readonly order_id: number; readonly partner_id: string; readonly attempt: number },
): Span["attributes"] {
  return {
    ...ofOrder(event),
    "wavegate.leg": leg,
    "wavegate.attempt": event.attempt,
    // The conventions count from the first repeat.
    "http.request.resend_count": event.attempt > 1 ? event.attempt - 1 : null,
  };
}

function ofExchange(url: string): Span["attributes"] {
  const { protocol, hostname, port, pathname } = new URL(url);
  return {
    "http.request.method": "POST",
    "server.address": hostname.replace(/^\[(.*)\]$/, "$1"),
    "server.port": Number(port) || (protocol === "https:" ? 443 : 80),
    "url.scheme": protocol.slice(0, -1),
    "url.path": pathname,
  };
}
