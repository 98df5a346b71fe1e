import { setTimeout as sleep } from "node:timers/promises";
import type { Orders } from "../load/ledger.ts";
import type { Pace } from "../load/sender.ts";
import type { Session, Window } from "../load/session.ts";
import { percentile } from "../report/statistics.ts";
import type { Column } from "./measure.ts";

type Values = Record<string, number>;

const CONNECTIONS = 128;
const MAX_IN_FLIGHT = 512;
const WARM_UP_SECS = 3;
const UNLOADED_PER_SEC = 20;
/** An unloaded contender gives few samples: it is looked at for longer. */
const UNLOADED_TIMES = 3;

export const ACCEPT_COLUMNS: readonly Column[] = [
  { key: "accepts_per_sec", label: "accepts/s" },
  { key: "accept_p50_ms", label: "p50 ms", decimals: 1 },
  { key: "accept_p99_ms", label: "p99 ms", decimals: 1 },
];
export const SUSTAINED_COLUMNS: readonly Column[] = [
  { key: "orders_per_sec", label: "orders/s" },
  { key: "orders_per_cpu_sec", label: "orders per CPU-second" },
  { key: "wal_bytes_per_order", label: "WAL bytes per order" },
];
export const UNLOADED_COLUMNS: readonly Column[] = [
  { key: "latency_p50_ms", label: "p50 ms", decimals: 1 },
  { key: "latency_p99_ms", label: "p99 ms", decimals: 1 },
];

/** Seconds that each takes, about, without what follows until all is delivered. */
export const fullSpeedSecs = (seconds: number): number => WARM_UP_SECS + seconds;
export const unloadedSecs = (seconds: number): number => WARM_UP_SECS + seconds * UNLOADED_TIMES;

/** (a): as many accepts as 128 connections get, the workers at work as in life. */
export async function measureAccepts(session: Session, seconds: number): Promise<Values> {
  const { window, orders } = await atPace(session, fullSpeed(Number.POSITIVE_INFINITY), seconds);
  const latencies = acceptLatencies(orders, window);
  return {
    accepts_per_sec: latencies.length / secsOf(window),
    accept_p50_ms: percentile(latencies, 0.5),
    accept_p99_ms: percentile(latencies, 0.99),
  };
}

/** (b) and (d): what arrives while as much is sent as can be delivered. */
export async function measureSustained(session: Session, seconds: number): Promise<Values> {
  const { window, orders } = await atPace(session, fullSpeed(), seconds);
  const delivered = countWithin(orders.deliveredAt, window);
  return {
    orders_per_sec: delivered / secsOf(window),
    orders_per_cpu_sec: delivered / window.cpuSecs,
    wal_bytes_per_order: window.walBytes / delivered,
  };
}

/** (c): from POST to callback while hardly anything else is on its way. */
export async function measureUnloaded(session: Session, seconds: number): Promise<Values> {
  const pace: Pace = { kind: "open", perSec: UNLOADED_PER_SEC };
  const { window, orders } = await atPace(session, pace, seconds * UNLOADED_TIMES);
  const latencies = deliveryLatencies(orders, window);
  return { latency_p50_ms: percentile(latencies, 0.5), latency_p99_ms: percentile(latencies, 0.99) };
}

/** A closed loop. @param maxInFlight orders between POST and callback */
export function fullSpeed(maxInFlight = MAX_IN_FLIGHT): Pace {
  return { kind: "closed", connections: CONNECTIONS, maxInFlight };
}

/** Sends at a pace, looks at a window after a warm-up, and waits until all has been delivered. */
export async function atPace(
  session: Session,
  pace: Pace,
  seconds: number,
): Promise<{ window: Window; orders: Orders }> {
  await session.load.start(pace);
  await sleep(WARM_UP_SECS * 1000);
  const window = await session.window(seconds);
  const { sent } = await session.settled();
  return { window, orders: sent };
}

export function secsOf({ fromMs, toMs }: Pick<Window, "fromMs" | "toMs">): number {
  return (toMs - fromMs) / 1000;
}

export function countWithin(times: Float64Array, { fromMs, toMs }: Pick<Window, "fromMs" | "toMs">): number {
  let count = 0;
  for (const time of times) if (time >= fromMs && time < toMs) count += 1;
  return count;
}

/** Of the orders answered within the window, ascending. */
export function acceptLatencies(orders: Orders, window: Window): Float64Array {
  return latencies(orders, orders.answeredAt, orders.answeredAt, window);
}

/** From POST to callback of the orders that were to be sent within the window, ascending. */
export function deliveryLatencies(orders: Orders, window: Pick<Window, "fromMs" | "toMs">): Float64Array {
  return latencies(orders, orders.scheduledAt, orders.deliveredAt, window);
}

function latencies(
  { count, scheduledAt }: Orders,
  counted: Float64Array,
  until: Float64Array,
  { fromMs, toMs }: Pick<Window, "fromMs" | "toMs">,
): Float64Array {
  const found: number[] = [];
  for (let n = 0; n < count; n += 1) {
    if (counted[n]! >= fromMs && counted[n]! < toMs) found.push(until[n]! - scheduledAt[n]!);
  }
  return Float64Array.from(found).sort();
}
