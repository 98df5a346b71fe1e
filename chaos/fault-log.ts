import type { FaultKind } from "./plan.ts";

/** What a fault can excuse. */
type FaultClass = "kill" | "stop" | "database";

/** A fault as it happened. Epoch milliseconds. */
export interface InjectedFault {
  readonly kind: FaultKind;
  readonly class: FaultClass | null;
  /** The process it befell, as ticketing knows it; null: the database, and so all of them. */
  readonly path: string | null;
  readonly from: number;
  /** Infinity while it lasts. */
  to: number;
}

export interface FaultLog {
  readonly faults: readonly InjectedFault[];
  begin(kind: FaultKind, path: string | null): InjectedFault;
  /** A fault of one of these classes between these times; of this process, if it is one of a process. */
  during(from: number, to: number, classes: readonly FaultClass[], path?: string | null): boolean;
}

const CLASSES: Record<FaultKind, FaultClass | null> = {
  kill: "kill",
  stop: "stop",
  // A graceful end excuses nothing.
  restart: null,
  "write lock": "database",
  "connection cut": "database",
  "connections cut": "database",
  "database stopped": "database",
  "database crashed": "database",
  "commit lost": "database",
  "commit answer lost": "database",
};

export function createFaultLog(): FaultLog {
  const faults: InjectedFault[] = [];
  return {
    faults,
    begin(kind, path) {
      const fault = { kind, class: CLASSES[kind], path, from: Date.now(), to: Number.POSITIVE_INFINITY };
      faults.push(fault);
      return fault;
    },
    during: (from, to, classes, path = null) =>
      faults.some(
        (fault) =>
          fault.class !== null &&
          classes.includes(fault.class) &&
          (path === null || fault.path === null || fault.path === path) &&
          fault.from <= to &&
          fault.to >= from,
      ),
  };
}
