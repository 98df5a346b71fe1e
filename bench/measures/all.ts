import { ACCEPTS, LATENCY, THROUGHPUT } from "./basics.ts";
import type { Measure } from "./measure.ts";
import { START_UP } from "./start-up.ts";

/** In the order of the page. */
export const MEASURES: readonly Measure[] = [ACCEPTS, THROUGHPUT, LATENCY, START_UP];
