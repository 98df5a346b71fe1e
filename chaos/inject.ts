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
        await sleep(forMs, undefined, { signal });
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
    await sleep(forMs, undefined, { signal });
    await gateways.start(gateway);
  }

  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  try {
    for (const fault of faults) {
      await sleep(Math.max(0, fault.atMs - (performance.now() - startedAt)), undefined, { signal: until });
      const target = GATEWAY_FAULTS.has(fault.kind) ? `gateway ${fault.gateway}` : "database";
      const before = turns.get(target) ?? Promise.resolve();
      const turn = before.then(() => inject(fault));
      turn.catch(() => failed.abort());
      turns.set(target, turn);
    }
  } catch (error) {
    if (!until.aborted) throw error;
  }
  // Also when the run is stopped: nothing may be started behind the back of whoever cleans up.
  await Promise.allSettled(turns.values());
  await Promise.all(turns.values());
  signal.throwIfAborted();
}
