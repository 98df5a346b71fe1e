import type { Leg } from "../src/orders/states.ts";
import type { Behaviour } from "./behaviour.ts";

/** A request as its target saw it. Times in epoch milliseconds of the one clock that all processes here share. */
export interface RecordedRequest {
  /** From 1, over all targets, in the order of arrival; every answer names it. */
  readonly no: number;
  readonly leg: Leg;
  /** The path: of ticketing, the gateway process that asks (`/<gateway>.<incarnation>`). */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly traceId: string;
  body: string;
  readonly behaviour: Behaviour;
  readonly startedAt: number;
  /** The status that was answered, and when the answer was given to the connection. */
  status: number | null;
  answeredAt: number | null;
  /** The whole answer left before the connection ended. */
  whole: boolean;
  closedAt: number | null;
}

export interface TargetUrls {
  readonly ticketing: string;
  readonly partners: Readonly<Record<string, string>>;
}

/** What the runner says to the targets' process. */
export type ToTargets =
  | { readonly say: "start"; readonly seed: number; readonly faults: boolean }
  | {
      readonly say: "heal" | "tell";
    };

/** What it answers. */
export type FromTargets =
  | { readonly say: "listening"; readonly urls: TargetUrls }
  | { readonly say: "requests"; readonly requests: readonly RecordedRequest[]; readonly last: boolean };

/** The request that an answer names, as an attempt row kept it. */
export function requestNamedIn(answer: string | null): number | null {
  const found = /request-(\d+)\b/.exec(answer ?? "");
  return found ? Number(found[1]) : null;
}
