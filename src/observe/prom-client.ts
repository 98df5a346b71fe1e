import { createRequire } from "node:module";
import type * as promClient from "prom-client";

// What every process needs from its start. The package's own entrance loads six times as much, OpenTelemetry's API among it: that
// waits for the first scrape.
const load = createRequire(import.meta.url);

export type Registry = promClient.Registry;
export const Registry = load("prom-client/lib/registry.js") as typeof promClient.Registry;
export const Counter = load("prom-client/lib/counter.js") as typeof promClient.Counter;
export const Gauge = load("prom-client/lib/gauge.js") as typeof promClient.Gauge;
export const Histogram = load("prom-client/lib/histogram.js") as typeof promClient.Histogram;
