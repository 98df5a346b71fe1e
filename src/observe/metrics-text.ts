import cluster from "node:cluster";
import { tellSupervisor } from "./cluster-metrics.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { createOverallMetrics, type Overall } from "./overall-metrics.ts";
import { Registry } from "./prom-client.ts";

/** A scrape's answer may wait so long for the database. */
const LOOK_MS = 1_500;

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/**
 * What `GET /metrics` answers: what this process did and holds, or all that share its port together, then how things stand over all.
 * Who asks at the same moment gets the same answer.
 */
export function createMetricsText(read: () => Registry, look: () => Promise<Overall>): () => Promise<string> {
  const own = async (): Promise<Registry[]> => [read(), await nodeMetrics()];
  const ownText = async (): Promise<string> =>
    (await Promise.all((await own()).map((each) => each.metrics()))).join("\n");
  const processes = cluster.isWorker ? tellSupervisor(own) : ownText;
  const overall = createOverallMetrics(look, LOOK_MS);
  let making: Promise<string> | null = null;

  return () => {
    making ??= Promise.all([processes(), overall()])
      .then((texts) => texts.join("\n"))
      .finally(() => {
        making = null;
      });
    return making;
  };
}
