import { withSession } from "../load/session.ts";
import { bars, type Measure } from "./measure.ts";
import { fullSpeedSecs, measureSustained, SUSTAINED_COLUMNS } from "./paces.ts";

const WORKERS = new Map([
  ["1 process", 1],
  ["2 processes", 2],
  ["4 processes", 4],
]);

export const PROCESSES: Measure = {
  name: "processes",
  letters: "h",
  title: "Several processes on one PostgreSQL",
  prose:
    "`wavegate serve --workers <n>`, measured as the throughput above. All share the machine with PostgreSQL and the load.",
  databases: ["postgres"],
  contenders: ["wavegate"],
  conditions: [...WORKERS.keys()],
  columns: SUSTAINED_COLUMNS,
  charts: [bars(SUSTAINED_COLUMNS, "orders_per_sec", "orders_per_cpu_sec")],
  estimateSecs: ({ seconds }) => 8 + fullSpeedSecs(seconds),
  run: async ({ setup, options, condition }) => ({
    values: await withSession({ ...setup, workers: WORKERS.get(condition)! }, (session) =>
      measureSustained(session, options.seconds),
    ),
  }),
};
