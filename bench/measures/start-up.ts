import { withSession } from "../load/session.ts";
import { bars, BOTH, type Column, type Measure } from "./measure.ts";

const COLUMNS: readonly Column[] = [
  { key: "first_start_ms", label: "first start, ms" },
  { key: "start_ms", label: "again, ms" },
];

export const START_UP: Measure = {
  name: "start-up",
  letters: "f",
  title: "Start-up",
  prose:
    "From the start of the process to the first 200 of GET /health: on an empty database, where the schema is made, and again.",
  databases: BOTH,
  columns: COLUMNS,
  charts: [bars(COLUMNS, "start_ms")],
  estimateSecs: () => 6,
  run: async ({ setup }) => ({
    values: await withSession(setup, async (session) => {
      const first = session.startMs();
      await session.restart(async () => {});
      return { first_start_ms: first, start_ms: session.startMs() };
    }),
  }),
};
