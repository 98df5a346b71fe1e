import type { LogEvent } from "./log.ts";

// Types, not interfaces: those have no index signature, and a log takes any field.

/** The order that a unit of work was done for. */
type OfOrder = {
  /** A UUID of version 7: the time in it is that of the order's acceptance. */
  readonly trace_id: string;
  readonly order_id: number;
  readonly partner_id: string;
};

/** A request was answered, or its client had gone. */
type HttpAnswered = {
  readonly event: "http.answered";
  /** `unknown`: one that the route hasn't. */
  readonly method: string;
  /** As registered (`/orders/:id`), never as asked for; `unknown`: there is none. */
  readonly route: string;
  readonly status: number;
  readonly duration_ms: number;
  /** Of the order that it made, or made before. */
  readonly trace_id?: string;
  /** The order had been made before, under the same Idempotency-Key. */
  readonly replayed?: boolean;
  /** What the client sent of W3C Trace Context, if it is well-formed. */
  readonly traceparent?: string;
};

type OrderAccepted = OfOrder & {
  readonly event: "order.accepted";
  readonly external_order_id: string;
  /** From the order's checks to its commit. */
  readonly duration_ms: number;
  /** Of that, the transaction that it shared, and the wait for it. */
  readonly commit_ms: number;
};

type Attempted = OfOrder & {
  readonly event: "ticketing.attempted" | "callback.attempted";
  readonly attempt: number;
  readonly outcome: string;
  readonly code: number | null;
  readonly error: string | null;
  readonly duration_ms: number | null;
  /** Of what it sent; null: nothing was. */
  readonly span_id: string | null;
  /** Where to, without the query. */
  readonly url: string | null;
  /** Where its time went; null: it had no such phase, as on a connection that was kept. */
  readonly waited_ms: number | null;
  readonly dns_ms: number | null;
  readonly connect_ms: number | null;
  readonly tls_ms: number | null;
  /** From the sending to the head of the answer; null: none came. */
  readonly first_byte_ms: number | null;
  /** From the attempt's end to the commit of what it came to. */
  readonly settle_ms: number;
  /** What became of the claim. */
  readonly settled: string;
  readonly job: string;
  readonly due_in_ms?: number;
  /** Of a callback: it tells of the order's tickets, so that what becomes of it moves the order. */
  readonly moves_order?: boolean;
};

/** The process that made an attempt died. */
type AttemptLost = OfOrder & {
  readonly event: "attempt.lost";
  readonly leg: string;
  readonly attempt: number;
  /** What it sent under, if it came to that. */
  readonly span_id: string;
  /** From its claim until it was found out. */
  readonly duration_ms: number;
  readonly job: string;
  /** As above. */
  readonly moves_order?: boolean;
};

/** A leg has come to its end, and the order with it: until a person, a circuit or the next leg goes on. */
type OrderSettled = OfOrder & {
  readonly event: "order.settled";
  readonly leg: string;
  /** The order's new status. */
  readonly status: string;
  /** Of the leg's job, over its life. */
  readonly attempts: number;
  readonly since_accepted_ms: number;
};

/** What an open circuit made of the jobs of its target: numbers of them. */
type CircuitHolding = {
  readonly event: "circuit.holding";
  readonly leg: string;
  readonly held: number;
  /** Orders whose failure was the target's: they are worked again. */
  readonly taken_back: number;
  /** Held for too long: exhausted. */
  readonly expired: number;
};

/**
 * A request was turned away at the door. `auth.failed_again`: with the same partner, reason and address as another in this
 * minute, or beyond what a minute may log.
 */
type AuthFailed = {
  readonly event: "auth.failed" | "auth.failed_again";
  /** As the request named it, or empty; `*` for the sum of what is beyond a minute's room. */
  readonly partner_id: string;
  readonly reason: string;
  readonly ip: string | null;
};

/** An operator did something over HTTP. On the command line the database alone has the record, as for both. */
type OperatorActed = {
  readonly event: "operator.acted";
  readonly operator: string;
  /** The method and the route, as registered. */
  readonly action: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly order_id?: number;
  readonly partner_id?: string;
  readonly bulk_id?: number;
};

/** An operator signed in with a browser, or out. */
type OperatorSigned = {
  readonly event: "operator.signed_in" | "operator.signed_out";
  readonly operator: string;
  readonly ip: string | null;
};

/**
 * The units of work that metrics and traces are made from: what is told of each is told once, and the log, the metrics and
 * the traces are three views of it.
 */
export type WorkEvent =
  | HttpAnswered
  | OrderAccepted
  | Attempted
  | AttemptLost
  | OrderSettled
  | CircuitHolding
  | AuthFailed
  | OperatorActed
  | OperatorSigned;

/** The events above by their names. */
export type WorkEventOf<Name extends WorkEvent["event"]> = WorkEvent & { readonly event: Name };

/** Takes what happens in this process. Must not throw, and not wait. */
export type Observer = (event: LogEvent) => void;
