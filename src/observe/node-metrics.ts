import { collectDefaultMetrics, Registry } from "prom-client";

/** Gauges whose names end as a counter's do; how many of each kind there are is in `nodejs_active_resources`. */
const MISNAMED = [
  "nodejs_active_resources_total",
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
];

let registry: Registry | null = null;

/** Node's own metrics: a process has them once, however many gateways run in it. */
export function nodeMetrics(): Registry {
  if (registry === null) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  return registry;
}
