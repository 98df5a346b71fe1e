import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosDatabase } from "./databases.ts";
import type { FaultLog } from "./fault-log.ts";
import type { Gateways } from "./gateways.ts";
import type { PlannedFault } from "./plan.ts";

const GATEWAY_FAULTS = new Set(["kill", "stop", "restart"]);

export interface InjectOptions {
  readonly faults: readonly PlannedFault[];
  readonly gateways: Gateways;
  readonly database: ChaosDatabase;
  readonly faultLog: FaultLog;
  readonly signal: AbortSignal;
}

/** Injects the planned faults. One target has one fault at a time: the next waits for its turn. */
export async function injectFaults(options: InjectOptions): Promise<void> {
  const { faults, gateways, database, faultLog, signal } = options;
  const startedAt = performance.now();
  const turns = new Map<string, Promise<void>>();

  async function inject({ kind, gateway, forMs }: PlannedFault): Promise<void> {
    if (signal.aborted) return;
    const path = GATEWAY_FAULTS.has(kind)
      ? (gateways.incarnations.findLast((each) => each.gateway === gateway)?.path ?? null)
      : null;
    const fault = faultLog.begin(kind, path);
    try {
      if (kind === "kill") {
        await gateways.kill(gateway);
      } else if (kind === "stop") {
        gateways.pause(gateway);
        await sleep(forMs);
        gateways.resume(gateway);
      } else if (kind === "restart") {
        await gateways.end(gateway);
      } else {
        await database.inject(kind, forMs);
      }
    } finally {
      fault.to = Date.now();
    }
    if (kind !== "kill" && kind !== "restart") return;
    await sleep(forMs);
    await gateways.start(gateway);
  }

  for (const fault of faults) {
    await sleep(Math.max(0, fault.atMs - (performance.now() - startedAt)), undefined, { signal });
    const target = GATEWAY_FAULTS.has(fault.kind) ? `gateway ${fault.gateway}` : "database";
    const before = turns.get(target) ?? Promise.resolve();
    const turn = before.then(() => inject(fault));
    // Heard at the end; a failing turn must not be unheard until then.
    turn.catch(() => {});
    turns.set(target, turn);
  }
  await Promise.all(turns.values());
}
