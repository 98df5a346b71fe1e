import type { LogEvent } from "./log.ts";

// Types, not interfaces: those have no index signature, and a log takes any field.

/** The order that a unit of work was done for. */
type OfOrder = {
  /** A UUID of version 7: the time in it is that of the order's acceptance. */
  readonly trace_id: string;
  readonly order_id: number;
  readonly partner_id: string;
};

/** A request was answered, or its client had gone. A request for a path that isn't there has the route `unknown`. */
type HttpAnswered = {
  readonly event: "http.answered";
  readonly method: string;
  /** As registered (`/orders/:id`), never as asked for. */
  readonly route: string;
  readonly status: number;
  readonly duration_ms: number;
  /** Of the order that it made, or made before. */
  readonly trace_id?: string;
  /** What the client sent of W3C Trace Context, if it is well-formed. */
  readonly traceparent?: string;
};

type OrderAccepted = OfOrder & {
  readonly event: "order.accepted";
  readonly external_order_id: string;
  /** From the order's checks to its commit. */
  readonly duration_ms: number;
};

type Attempted = OfOrder & {
  readonly event: "ticketing.attempted" | "callback.attempted";
  readonly attempt: number;
  readonly outcome: string;
  readonly code: number | null;
  readonly error: string | null;
  readonly duration_ms: number | null;
  /** What became of the claim. */
  readonly settled: string;
  readonly job: string;
  readonly due_in_ms?: number;
};

/** The process that made an attempt died. */
type AttemptLost = {
  readonly event: "attempt.lost";
  readonly leg: string;
  readonly order_id: number;
  readonly partner_id: string;
  readonly attempt: number;
  readonly job: string;
};

/**
 * The units of work that metrics and traces are made from: what is told of each is told once, and the log, the metrics and
 * the traces are three views of it.
 */
export type WorkEvent = HttpAnswered | OrderAccepted | Attempted | AttemptLost;

/** The events above by their names. */
export type WorkEventOf<Name extends WorkEvent["event"]> = Extract<WorkEvent, { readonly event: Name }>;

/** Takes what happens in this process. Must not throw, and not wait. */
export type Observer = (event: LogEvent) => void;
