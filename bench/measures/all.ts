import { BACKLOG_DRAINED } from "./backlog.ts";
import { ACCEPTS, LATENCY, THROUGHPUT } from "./basics.ts";
import { GROWTH, SNAPSHOT } from "./growth.ts";
import { LIFE } from "./life.ts";
import type { Measure } from "./measure.ts";
import { PROCESSES } from "./processes.ts";
import { SLOW_SYNC } from "./slow-sync.ts";
import { START_UP } from "./start-up.ts";

/** In the order of the page. */
export const MEASURES: readonly Measure[] = [
  ACCEPTS,
  THROUGHPUT,
  LATENCY,
  START_UP,
  LIFE,
  GROWTH,
  SNAPSHOT,
  PROCESSES,
  BACKLOG_DRAINED,
  SLOW_SYNC,
];
