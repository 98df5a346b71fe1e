import { LEGS } from "../../src/orders/states.ts";
import type { Evidence, LegEvidence, OrderEvidence } from "../evidence.ts";

export interface Violation {
  /** Null when it concerns no order of the database. */
  readonly order: OrderEvidence | null;
  readonly detail: string;
}

export interface Invariant {
  readonly name: string;
  /** How often it could have been broken. */
  readonly cases: number;
  readonly violations: readonly Violation[];
}

/** Counts a case for each call, and a violation for each detail. */
type Tell = (order: OrderEvidence | null, detail: string | false | null) => void;

export function invariant(name: string, check: (tell: Tell) => void): Invariant {
  const violations: Violation[] = [];
  let cases = 0;
  check((order, detail) => {
    cases += 1;
    if (typeof detail === "string") violations.push({ order, detail });
  });
  return { name, cases, violations };
}

export function eachOrder(
  name: string,
  { orders }: Evidence,
  check: (order: OrderEvidence) => string | false | null,
) {
  return invariant(name, (tell) => {
    for (const order of orders) tell(order, check(order));
  });
}

export function eachLeg(
  name: string,
  { orders }: Evidence,
  check: (leg: LegEvidence, tell: (detail: string | false | null) => void, order: OrderEvidence) => void,
): Invariant {
  return invariant(name, (tell) => {
    for (const order of orders) {
      for (const leg of LEGS) check(order.legs[leg], (detail) => tell(order, detail), order);
    }
  });
}
