import { Counter, Gauge, Histogram, Registry } from "prom-client";
import packageJson from "../../package.json" with { type: "json" };
import type { Observer, WorkEvent, WorkEventOf } from "./work-events.ts";

/** What is read of a process when it is asked. */
export interface ProcessState {
  /** Of each leg: attempts that may be in flight, and that are. */
  slots(): Readonly<Record<string, { readonly total: number; readonly inUse: number }>>;
  /** Transactions that wait for a connection or for their turn. */
  waiting(): number;
}

export interface Metrics {
  readonly registry: Registry;
  /** Counts what the log is told. */
  readonly observe: Observer;
  /** A writing transaction has ended: milliseconds that it waited for its turn, and that it took in all. */
  transacted(waitedMs: number, tookMs: number): void;
  /** From now on the process is asked for this too. */
  watch(state: ProcessState): void;
}

/** Seconds: requests, transactions and attempts last from a few milliseconds to their deadlines. */
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** An order's way takes as long as its retries: five minutes by default. */
const LONG = [...SHORT, 60, 120, 300, 600];
/** Each partner has some dozen series. */
const MAX_PARTNERS = 100;
const OTHERS = "other";

type Handlers = { readonly [Name in WorkEvent["event"]]: (event: WorkEventOf<Name>) => void };

/**
 * The metrics of this process (docs/observability.md has them all), made from the same units of work as the log. They are the
 * only ones who know that there is Prometheus.
 * @param droppedLines lines of the log that nobody took in time, since the start
 */
export function createMetrics(droppedLines: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    ...labelNames: Label[]
  ) => new Histogram({ name, help, buckets: [...buckets], labelNames, registers });

  const requests = counter(
    "wavegate_http_requests_total",
    "Requests answered; status 499: the client had gone.",
    "method",
    "route",
    "status",
  );
  const requestSeconds = histogram(
    "wavegate_http_request_duration_seconds",
    "From a request's headers to the end of its answer.",
    SHORT,
    "method",
    "route",
  );
  const accepted = counter("wavegate_orders_accepted_total", "Orders accepted.", "partner");
  const acceptSeconds = histogram(
    "wavegate_order_accept_duration_seconds",
    "From an order's checks to its commit.",
    SHORT,
  );
  const transitions = counter(
    "wavegate_order_transitions_total",
    "Orders that came into a status after their acceptance, by attempts and circuits.",
    "to",
  );
  const ticketedSeconds = histogram(
    "wavegate_order_to_ticketed_seconds",
    "From an order's acceptance to its tickets.",
    LONG,
  );
  const deliveredSeconds = histogram(
    "wavegate_order_to_delivered_seconds",
    "From an order's acceptance to its delivered callback.",
    LONG,
  );
  const attempts = counter(
    "wavegate_attempts_total",
    "Attempts; error: why there was no whole answer, or empty.",
    "leg",
    "partner",
    "outcome",
    "error",
  );
  const attemptSeconds = histogram(
    "wavegate_attempt_duration_seconds",
    "An attempt, from its beginning to the end of the answer.",
    SHORT,
    "leg",
  );
  const authFailures = counter("wavegate_auth_failures_total", "Requests turned away at the door.", "reason");
  const actions = counter("wavegate_operator_actions_total", "Acts of operators over HTTP.", "action");
  const transactionSeconds = histogram(
    "wavegate_database_transaction_duration_seconds",
    "Writing transactions, from the wait for a connection to the commit.",
    SHORT,
  );
  const waitSeconds = histogram(
    "wavegate_database_wait_seconds",
    "Waits of transactions for a connection or for their turn.",
    SHORT,
  );
  const partners = new Set<string>();
  function partnerLabel(id: string): string {
    if (partners.has(id)) return id;
    if (partners.size >= MAX_PARTNERS) return OTHERS;
    partners.add(id);
    return id;
  }

  function attempted(
    leg: string,
    firstMovesTo: string | null,
    event: WorkEventOf<"ticketing.attempted" | "callback.attempted">,
  ): void {
    const { partner_id, outcome, error, duration_ms, attempt } = event;
    attempts.inc({ leg, partner: partnerLabel(partner_id), outcome, error: error ?? "" });
    if (duration_ms !== null) attemptSeconds.observe({ leg }, duration_ms / 1000);
    if (attempt === 1 && firstMovesTo !== null) transitions.inc({ to: firstMovesTo });
  }

  const handlers = {
    "http.answered": ({ method, route, status, duration_ms }) => {
      requests.inc({ method, route, status });
      requestSeconds.observe({ method, route }, duration_ms / 1000);
    },
    "order.accepted": ({ partner_id, duration_ms }) => {
      accepted.inc({ partner: partnerLabel(partner_id) });
      acceptSeconds.observe(duration_ms / 1000);
    },
    "ticketing.attempted": (event) => attempted("ticketing", "ticketing_processing", event),
    "callback.attempted": (event) =>
      attempted("callback", event.moves_order === true ? "ota_callback_pending" : null, event),
    "attempt.lost": ({ leg, partner_id }) =>
      attempts.inc({ leg, partner: partnerLabel(partner_id), outcome: "lost", error: "lost" }),
    "order.settled": ({ status, since_accepted_ms }) => {
      transitions.inc({ to: status });
      if (status === "ticketed") ticketedSeconds.observe(since_accepted_ms / 1000);
      if (status === "ota_callback_delivered") deliveredSeconds.observe(since_accepted_ms / 1000);
    },
    "circuit.holding": ({ leg, taken_back, expired }) => {
      if (taken_back > 0) transitions.inc({ to: "ticketing_processing" }, taken_back);
      if (expired > 0) transitions.inc({ to: EXHAUSTED[leg] ?? leg }, expired);
    },
    "auth.failed": ({ reason }) => authFailures.inc({ reason }),
    "auth.failed_again": ({ reason }) => authFailures.inc({ reason }),
    "operator.acted": ({ action }) => actions.inc({ action }),
  } satisfies Handlers;
  const handlerOf: Readonly<Record<string, ((event: never) => void) | undefined>> = handlers;

  new Gauge({
    name: "wavegate_build_info",
    help: "1.",
    labelNames: ["version"],
    registers,
    aggregator: "first",
  }).set({ version: packageJson.version }, 1);
  new Gauge({ name: "wavegate_processes", help: "Processes that this scrape adds up.", registers }).set(1);

  new Counter({
    name: "wavegate_log_lines_dropped_total",
    help: "Lines of the log that nobody took in time.",
    registers,
    collect() {
      this.reset();
      this.inc(droppedLines());
    },
  });

  return {
    registry,
    observe(event) {
      handlerOf[event.event]?.(event as never);
    },
    transacted(waitedMs, tookMs) {
      waitSeconds.observe(waitedMs / 1000);
      transactionSeconds.observe(tookMs / 1000);
    },
    watch: (state) => watch(registry, state),
  };
}

const EXHAUSTED: Readonly<Record<string, string>> = {
  ticketing: "ticketing_exhausted",
  callback: "ota_callback_exhausted",
};

/** What is read when somebody asks. */
function watch(registry: Registry, state: ProcessState): void {
  const registers = [registry];
  new Gauge({
    name: "wavegate_slots",
    help: "Attempts that may be in flight.",
    labelNames: ["leg"],
    registers,
    collect() {
      for (const [leg, { total }] of Object.entries(state.slots())) this.set({ leg }, total);
    },
  });
  new Gauge({
    name: "wavegate_slots_in_use",
    help: "Attempts in flight.",
    labelNames: ["leg"],
    registers,
    collect() {
      for (const [leg, { inUse }] of Object.entries(state.slots())) this.set({ leg }, inUse);
    },
  });
  new Gauge({
    name: "wavegate_database_waiting",
    help: "Transactions that wait for a connection or for their turn.",
    registers,
    collect() {
      this.set(state.waiting());
    },
  });
}
