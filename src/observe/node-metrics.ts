import { Registry } from "./prom-client.ts";

/** Gauges whose names end as a counter's do; how many of each kind there are is in `nodejs_active_resources`. */
const MISNAMED = [
  "nodejs_active_resources_total",
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
];

let registry: Promise<Registry> | null = null;

/** Node's own metrics, from the first scrape on: a process has them once, however many gateways run in it. */
export function nodeMetrics(): Promise<Registry> {
  registry ??= collect();
  return registry;
}

async function collect(): Promise<Registry> {
  const { collectDefaultMetrics } = await import("prom-client");
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const name of MISNAMED) register.removeSingleMetric(name);
  return register;
}
