import { type ErrorKind, errorKindOf, type Failure, fingerprintOf } from "./error-group.ts";

/** What a failure is of: an order that stands still, one that waits for its next attempt, or an attempt by itself. */
export type FailureState = "standing" | "waiting" | "attempt";

export interface CountedFailure extends Failure {
  readonly orderId: number;
  readonly partnerId: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What one kind of failure amounts to. */
export interface ErrorGroup extends ErrorKind {
  readonly fingerprint: string;
  /** Orders that stand still by it, and that wait for their next attempt: ids. */
  readonly standing: ReadonlySet<number>;
  readonly waiting: ReadonlySet<number>;
  readonly attempts: number;
  /** Ids, those of the most first, at most 10. */
  readonly partners: readonly string[];
  /** Epoch milliseconds, of attempts. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The newest order. */
  readonly exampleOrderId: number;
}

export interface ErrorTally {
  add(state: FailureState, failure: CountedFailure): void;
  /** Those with the most orders first. */
  groups(): ErrorGroup[];
}

const MAX_PARTNERS = 10;

interface Count {
  readonly kind: ErrorKind;
  readonly orders: Record<FailureState, Set<number>>;
  readonly partners: Map<string, number>;
  attempts: number;
  firstSeen: number;
  lastSeen: number;
  newest: number;
}

/** Counts failures by their kind. A text that was said before isn't taken apart again. */
export function createErrorTally(): ErrorTally {
  const keys = new Map<string, string>();
  const counts = new Map<string, Count>();

  function countOf(failure: CountedFailure): Count {
    const { leg, code, error, note, answer, callbackUrl } = failure;
    const raw = `${leg} ${code} ${error} ${callbackUrl} ${note === null ? answer : `: ${note}`}`;
    const known = counts.get(keys.get(raw) ?? "");
    if (known) return known;
    const kind = errorKindOf(failure);
    const key = JSON.stringify(kind);
    keys.set(raw, key);
    const count = counts.get(key) ?? {
      kind,
      orders: { standing: new Set(), waiting: new Set(), attempt: new Set() },
      partners: new Map(),
      attempts: 0,
      firstSeen: Number.POSITIVE_INFINITY,
      lastSeen: 0,
      newest: 0,
    };
    counts.set(key, count);
    return count;
  }

  return {
    add(state, failure) {
      const { orderId, partnerId, at } = failure;
      const count = countOf(failure);
      count.orders[state].add(orderId);
      count.partners.set(partnerId, (count.partners.get(partnerId) ?? 0) + 1);
      if (state === "attempt") count.attempts += 1;
      count.firstSeen = Math.min(count.firstSeen, at);
      count.lastSeen = Math.max(count.lastSeen, at);
      count.newest = Math.max(count.newest, orderId);
    },
    groups: () => [...counts.values()].map(groupOf).toSorted(byWeight),
  };
}

function groupOf({ kind, orders, partners, attempts, firstSeen, lastSeen, newest }: Count): ErrorGroup {
  const byCount = [...partners].toSorted(([, one], [, other]) => other - one).map(([id]) => id);
  return {
    ...kind,
    fingerprint: fingerprintOf(kind),
    standing: orders.standing,
    waiting: orders.waiting,
    attempts,
    partners: byCount.slice(0, MAX_PARTNERS),
    firstSeen,
    lastSeen,
    exampleOrderId: newest,
  };
}

function byWeight(one: ErrorGroup, other: ErrorGroup): number {
  const orders = ({ standing, waiting }: ErrorGroup): number => standing.size + waiting.size;
  return orders(other) - orders(one) || other.attempts - one.attempts || other.lastSeen - one.lastSeen;
}
