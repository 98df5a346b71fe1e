import { Counter, Gauge, Histogram, type Registry } from "./prom-client.ts";

/** Seconds: requests, transactions and attempts last from a few milliseconds to their deadlines. */
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** An order's way takes as long as its retries: five minutes by default. */
const LONG = [...SHORT, 60, 120, 300, 600];

/** What is counted and measured where it happens: docs/observability.md tells what each one means. */
export function createInstruments(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    ...labelNames: Label[]
  ) => new Histogram({ name, help, buckets, labelNames, registers });

  return {
    requests: counter(
      "wavegate_http_requests_total",
      "Requests answered; status 499: the client had gone.",
      "method",
      "route",
      "status",
    ),
    requestSeconds: histogram(
      "wavegate_http_request_duration_seconds",
      "From a request's headers to the end of its answer.",
      SHORT,
      "method",
      "route",
    ),
    accepted: counter("wavegate_orders_accepted_total", "Orders accepted.", "partner"),
    acceptSeconds: histogram(
      "wavegate_order_accept_duration_seconds",
      "From an order's checks to its commit.",
      SHORT,
    ),
    transitions: counter(
      "wavegate_order_transitions_total",
      "Orders that came into a status after their acceptance, by attempts and circuits.",
      "to",
    ),
    ticketedSeconds: histogram(
      "wavegate_order_to_ticketed_seconds",
      "From an order's acceptance to its tickets.",
      LONG,
    ),
    deliveredSeconds: histogram(
      "wavegate_order_to_delivered_seconds",
      "From an order's acceptance to its delivered callback.",
      LONG,
    ),
    attempts: counter(
      "wavegate_attempts_total",
      "Attempts; error: why there was no whole answer, or empty.",
      "leg",
      "partner",
      "outcome",
      "error",
    ),
    attemptSeconds: histogram(
      "wavegate_attempt_duration_seconds",
      "An attempt, from its beginning to the end of the answer.",
      SHORT,
      "leg",
    ),
    authFailures: counter("wavegate_auth_failures_total", "Requests turned away at the door.", "reason"),
    actions: counter("wavegate_operator_actions_total", "Acts of operators over HTTP.", "action"),
    transactionSeconds: histogram(
      "wavegate_database_transaction_duration_seconds",
      "Writing transactions, from the wait for a connection to the commit.",
      SHORT,
    ),
    waitSeconds: histogram(
      "wavegate_database_wait_seconds",
      "Waits of transactions for a connection or for their turn.",
      SHORT,
    ),
    buildInfo: new Gauge({
      name: "wavegate_build_info",
      help: "Always 1.",
      labelNames: ["version"],
      registers,
      aggregator: "first",
    }),
    processes: new Gauge({
      name: "wavegate_processes",
      help: "Processes that this scrape adds up.",
      registers,
    }),
    slots: new Gauge({
      name: "wavegate_slots",
      help: "Attempts that may be in flight.",
      labelNames: ["leg"],
      registers,
    }),
    slotsInUse: new Gauge({
      name: "wavegate_slots_in_use",
      help: "Attempts in flight.",
      labelNames: ["leg"],
      registers,
    }),
    waiting: new Gauge({
      name: "wavegate_database_waiting",
      help: "Transactions that wait for a connection or for their turn.",
      registers,
    }),
    droppedLines: counter("wavegate_log_lines_dropped_total", "Lines of the log that nobody took in time."),
  };
}
