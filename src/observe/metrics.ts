import packageJson from "../../package.json" with { type: "json" };
import { createInstruments } from "./instruments.ts";
import { Registry } from "./prom-client.ts";
import type { Observer, WorkEvent, WorkEventOf } from "./work-events.ts";

/** What is read of a process when it is asked. */
export interface ProcessState {
  /** Of each leg: attempts that may be in flight, and that are. */
  slots(): Readonly<Record<string, { readonly total: number; readonly inUse: number }>>;
  /** Transactions that wait for a connection or for their turn. */
  waiting(): number;
  /** Lines of the log that nobody took in time, since the start. */
  droppedLines(): number;
}

export interface Metrics {
  /** Counts what the log is told. */
  readonly observe: Observer;
  /** A writing transaction has ended: milliseconds that it waited for its turn, and that it took in all. */
  transacted(waitedMs: number, tookMs: number): void;
  /** The metrics of this process, with its state as it is now. */
  read(state: ProcessState): Registry;
}

/** Each partner has some dozen series. */
const MAX_PARTNERS = 100;
const OTHERS = "other";

type Handlers = { readonly [Name in WorkEvent["event"]]: (event: WorkEventOf<Name>) => void };

/**
 * The metrics of this process, made from the same units of work as the log.
 * @param statuses an order can have: each is counted from 0, as the rate of what begins with 1 would miss that one
 */
export function createMetrics(statuses: readonly string[]): Metrics {
  const registry = new Registry();
  const into = createInstruments(registry);
  into.buildInfo.set({ version: packageJson.version }, 1);
  into.processes.set(1);
  for (const to of statuses) into.transitions.inc({ to }, 0);

  const partners = new Set<string>();
  function partnerLabel(id: string): string {
    if (partners.has(id)) return id;
    if (partners.size >= MAX_PARTNERS) return OTHERS;
    partners.add(id);
    return id;
  }

  function attempted(leg: string, event: WorkEventOf<"ticketing.attempted" | "callback.attempted">): void {
    const { partner_id, outcome, error, duration_ms, settled } = event;
    into.attempts.inc({ leg, partner: partnerLabel(partner_id), outcome, error: error ?? "" });
    if (duration_ms !== null) into.attemptSeconds.observe({ leg }, duration_ms / 1000);
    // Late: it was found lost before, and that has counted.
    if (settled !== "late") begun(leg, event);
  }

  /** A leg's first claim moves the order. */
  function begun(leg: string, event: { readonly attempt: number; readonly moves_order?: boolean }): void {
    const { attempt, moves_order: movesOrder = leg === "ticketing" } = event;
    if (attempt === 1 && movesOrder) into.transitions.inc({ to: BEGUN[leg] ?? leg });
  }

  const handlers = {
    "http.answered": ({ method, route, status, duration_ms }) => {
      into.requests.inc({ method, route, status });
      into.requestSeconds.observe({ method, route }, duration_ms / 1000);
    },
    "order.accepted": ({ partner_id, duration_ms }) => {
      into.accepted.inc({ partner: partnerLabel(partner_id) });
      into.acceptSeconds.observe(duration_ms / 1000);
    },
    "ticketing.attempted": (event) => attempted("ticketing", event),
    "callback.attempted": (event) => attempted("callback", event),
    "attempt.lost": (event) => {
      const { leg, partner_id } = event;
      into.attempts.inc({ leg, partner: partnerLabel(partner_id), outcome: "lost", error: "lost" });
      begun(leg, event);
    },
    "order.settled": ({ status, since_accepted_ms }) => {
      into.transitions.inc({ to: status });
      if (status === "ticketed") into.ticketedSeconds.observe(since_accepted_ms / 1000);
      if (status === "ota_callback_delivered") into.deliveredSeconds.observe(since_accepted_ms / 1000);
    },
    "circuit.holding": ({ leg, taken_back, expired }) => {
      if (taken_back > 0) into.transitions.inc({ to: "ticketing_processing" }, taken_back);
      if (expired > 0) into.transitions.inc({ to: EXHAUSTED[leg] ?? leg }, expired);
    },
    "auth.failed": ({ reason }) => into.authFailures.inc({ reason }),
    "auth.failed_again": ({ reason }) => into.authFailures.inc({ reason }),
    "operator.acted": ({ action }) => into.actions.inc({ action }),
    "operator.signed_in": () => into.actions.inc({ action: "POST /admin/session" }),
    "operator.signed_out": () => into.actions.inc({ action: "DELETE /admin/session" }),
  } satisfies Handlers;
  const handlerOf: Readonly<Record<string, ((event: never) => void) | undefined>> = handlers;

  return {
    observe(event) {
      handlerOf[event.event]?.(event as never);
    },
    transacted(waitedMs, tookMs) {
      into.waitSeconds.observe(waitedMs / 1000);
      into.transactionSeconds.observe(tookMs / 1000);
    },
    read(state) {
      for (const [leg, { total, inUse }] of Object.entries(state.slots())) {
        into.slots.set({ leg }, total);
        into.slotsInUse.set({ leg }, inUse);
      }
      into.waiting.set(state.waiting());
      into.droppedLines.reset();
      into.droppedLines.inc(state.droppedLines());
      return registry;
    },
  };
}

const BEGUN: Readonly<Record<string, string>> = {
  ticketing: "ticketing_processing",
  callback: "ota_callback_pending",
};
const EXHAUSTED: Readonly<Record<string, string>> = {
  ticketing: "ticketing_exhausted",
  callback: "ota_callback_exhausted",
};
