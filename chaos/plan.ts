import { between, oneOf, randomOf, shuffled } from "./random.ts";
import { BUYER, LEASE_MS, PARTNERS, type ChaosPartner } from "./settings.ts";

export type DatabaseKind = "sqlite" | "postgres";

/** What befalls processes and the database. */
const FAULT_KINDS = {
  sqlite: ["kill", "stop", "restart", "write lock"],
  postgres: [
    "kill",
    "stop",
    "restart",
    "connection cut",
    "connections cut",
    "database stopped",
    "database crashed",
    "commit lost",
    "commit answer lost",
  ],
} as const;
export type FaultKind = (typeof FAULT_KINDS)[DatabaseKind][number];

export function faultKinds(database: DatabaseKind): readonly FaultKind[] {
  return FAULT_KINDS[database];
}

/** One fault, in milliseconds from the start of the run. */
export interface PlannedFault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly gateway: number;
  /** How long it lasts, or how long a gateway stays away. */
  readonly forMs: number;
}

export interface PlannedOrder {
  readonly no: number;
  readonly atMs: number;
  readonly partner: ChaosPartner;
  readonly externalOrderId: string;
  readonly key: string;
  readonly items: readonly { sku: string; qty: number; unit_price_minor: number; currency: string }[];
  readonly buyer: string;
  /** Requests with the same key that begin at the same moment. */
  readonly sends: number;
}

export interface Plan {
  readonly orders: readonly PlannedOrder[];
  readonly faults: readonly PlannedFault[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly database: DatabaseKind;
  readonly gateways: number;
  readonly durationMs: number;
  readonly orders: number;
  readonly faults: "none" | "all";
}

/** Pause between two faults: where all is one process, from the end of one to the next. */
const PAUSES_MS: Record<DatabaseKind, readonly [number, number]> = {
  sqlite: [1_000, 3_000],
  postgres: [500, 1_900],
};
const DURATIONS_MS: Record<FaultKind, readonly [number, number]> = {
  kill: [100, 1_200],
  stop: [LEASE_MS + 300, LEASE_MS + 2_500],
  restart: [0, 300],
  "write lock": [300, LEASE_MS + 1_500],
  "connection cut": [0, 0],
  "connections cut": [0, 0],
  "database stopped": [200, LEASE_MS + 1_000],
  "database crashed": [0, 1_500],
  "commit lost": [0, 0],
  "commit answer lost": [0, 0],
};

/** All that the seed decides: the same seed and options give the same plan. What happens then depends on timing. */
export function makePlan(options: PlanOptions): Plan {
  return { orders: planOrders(options), faults: options.faults === "none" ? [] : planFaults(options) };
}

function planOrders({ seed, orders, durationMs }: PlanOptions): PlannedOrder[] {
  return Array.from({ length: orders }, (_, no) => {
    const random = randomOf(seed, "order", no);
    return {
      no,
      atMs: Math.round((no * durationMs) / orders),
      partner: oneOf(random, PARTNERS),
      externalOrderId: `CHAOS-${no}`,
      key: `chaos-${seed}-${no}`,
      items: Array.from({ length: between(random, 1, 3) }, (_item, index) => ({
        sku: `SKU-${index}`,
        qty: between(random, 1, 9),
        unit_price_minor: between(random, 0, 2 ** 40),
        currency: oneOf(random, ["THB", "JPY", "EUR"]),
      })),
      buyer: `${BUYER} ${no} สมชาย`,
      sends: random() < 0.15 ? between(random, 2, 4) : 1,
    };
  });
}

/** Every kind in turn, each round in an order of its own. */
function planFaults({ seed, database, gateways, durationMs }: PlanOptions): PlannedFault[] {
  const random = randomOf(seed, "faults", database);
  const faults: PlannedFault[] = [];
  let round: FaultKind[] = [];
  let atMs = 500;
  while (atMs < durationMs) {
    if (round.length === 0) round = shuffled(random, faultKinds(database));
    const kind = round.pop()!;
    const forMs = between(random, ...DURATIONS_MS[kind]);
    faults.push({ atMs, kind, gateway: between(random, 0, gateways - 1), forMs });
    atMs += between(random, ...PAUSES_MS[database]) + (database === "sqlite" ? forMs : 0);
  }
  return faults;
}
