import { Gauge, Registry } from "./prom-client.ts";

/** How things stand over all processes, as the database has it. */
export interface Overall {
  readonly legs: Readonly<Record<string, LegStanding>>;
  /** Since when the oldest order waits for its tickets, in milliseconds, by where it waits; null: none does. */
  readonly notTicketedMs: Readonly<Record<string, number | null>>;
  /** Orders by a status in which they stand until somebody decides. */
  readonly standing: Readonly<Record<string, number>>;
  readonly circuits: readonly { readonly leg: string; readonly partnerId: string; readonly open: boolean }[];
  /** Nothing is worked until somebody releases it. */
  readonly isHeld: boolean;
  /** Where counting ends. */
  readonly countLimit: number;
}

export interface LegStanding {
  readonly due: number;
  readonly pastDue: number;
  readonly held: number;
  /** For how long the oldest of the due jobs has been due; null: none is. */
  readonly oldestDueMs: number | null;
}

/**
 * Metrics that are the same whichever process is asked.
 *
 * Scrapes share one look. When that fails or takes longer than `timeoutMs`, `wavegate_database_up` is 0 and the others have no
 * value: an old one would say that all is well.
 */
export function createOverallMetrics(look: () => Promise<Overall>, timeoutMs: number): () => Promise<string> {
  const registry = new Registry();
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge("wavegate_database_up", "1: the database answered this scrape in time.");
  const due = gauge("wavegate_jobs_due", "Jobs that are due, unclaimed, and not held by a circuit.", "leg");
  const pastDue = gauge(
    "wavegate_jobs_past_due",
    "Jobs that have been due, or claimed beyond their lease, for too long. Must be 0.",
    "leg",
  );
  const oldestDue = gauge(
    "wavegate_oldest_due_job_age_seconds",
    "For how long the oldest of the due jobs has been due.",
    "leg",
  );
  const held = gauge("wavegate_jobs_held", "Jobs that an open circuit holds.", "leg");
  const notTicketed = gauge(
    "wavegate_oldest_order_not_ticketed_age_seconds",
    "Since when the oldest order waits for its tickets.",
    "state",
  );
  const standing = gauge("wavegate_orders_standing", "Orders that stand until somebody decides.", "status");
  const circuit = gauge(
    "wavegate_circuit_open",
    "1: the target fails for everybody, its jobs wait.",
    "leg",
    "partner",
  );
  const isHeld = gauge("wavegate_held", "1: the gateway is held, orders are accepted and none is worked.");
  const countLimit = gauge("wavegate_count_limit", "Where counting ends: such a count says at least.");

  function show(overall: Overall): void {
    for (const [leg, counts] of Object.entries(overall.legs)) {
      due.set({ leg }, counts.due);
      pastDue.set({ leg }, counts.pastDue);
      held.set({ leg }, counts.held);
      oldestDue.set({ leg }, seconds(counts.oldestDueMs));
    }
    for (const [state, ms] of Object.entries(overall.notTicketedMs)) notTicketed.set({ state }, seconds(ms));
    for (const [status, count] of Object.entries(overall.standing)) standing.set({ status }, count);
    for (const { leg, partnerId, open } of overall.circuits)
      circuit.set({ leg, partner: partnerId }, open ? 1 : 0);
    isHeld.set(overall.isHeld ? 1 : 0);
    countLimit.set(overall.countLimit);
  }

  let looking: Promise<Overall> | null = null;
  async function lookInTime(): Promise<Overall | null> {
    looking ??= look().finally(() => {
      looking = null;
    });
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), timeoutMs);
    });
    const overall = await Promise.race([looking.catch(() => null), timeout]);
    clearTimeout(timer);
    return overall;
  }

  return async () => {
    const overall = await lookInTime();
    for (const each of [due, pastDue, oldestDue, held, notTicketed, standing, circuit]) each.reset();
    // A gauge without labels would be 0.
    for (const each of [isHeld, countLimit]) each.remove();
    if (overall !== null) show(overall);
    up.set(overall === null ? 0 : 1);
    return registry.metrics();
  };
}

function seconds(ms: number | null): number {
  return Math.max(0, ms ?? 0) / 1000;
}
