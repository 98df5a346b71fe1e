import type { Leg } from "../src/orders/states.ts";
import { between, oneOf, randomOf } from "./random.ts";
import { DEADLINE_MS } from "./settings.ts";

/** What a target does with a request. No 4xx but 429: nothing may come to be blocked. */
const MISBEHAVIOURS = [
  "late",
  "reset",
  "500",
  "503",
  "429",
  "302",
  "garbage",
  "half",
  "half, then silence",
  "never",
] as const;
export type Behaviour = "ok" | "slow" | "no JSON" | (typeof MISBEHAVIOURS)[number];

export interface Conduct {
  readonly behaviour: Behaviour;
  readonly afterMs: number;
}

/** So that no order runs out of attempts: what its leg has been denied so often, it gets. */
const MAX_MISBEHAVIOURS = 6;
const MISBEHAVING = 0.4;

/** How a target treats the n-th request (from 0) of an order's leg: decided by the seed alone. */
export function conductOf(seed: number, leg: Leg, externalOrderId: string, nth: number): Conduct {
  const random = randomOf(seed, "target", leg, externalOrderId, nth);
  if (nth < MAX_MISBEHAVIOURS && random() < MISBEHAVING) {
    const behaviour = oneOf(random, MISBEHAVIOURS);
    return { behaviour, afterMs: behaviour === "late" ? DEADLINE_MS * 1.5 : between(random, 0, 50) };
  }
  const kind = random();
  if (kind < 0.05) return { behaviour: "no JSON", afterMs: 0 };
  if (kind < 0.4) return { behaviour: "slow", afterMs: between(random, 50, DEADLINE_MS * 0.6) };
  return { behaviour: "ok", afterMs: 0 };
}

export const WELL_BEHAVED: Conduct = { behaviour: "ok", afterMs: 0 };
