import { withSession } from "../load/session.ts";
import { BOTH, type Measure } from "./measure.ts";

export const START_UP: Measure = {
  name: "start-up",
  letters: "f",
  title: "Start-up",
  prose:
    "From the start of the process to the first 200 of GET /health: on an empty database, where the schema is made, and again.",
  databases: BOTH,
  columns: [
    { key: "first_start_ms", label: "first start, ms" },
    { key: "start_ms", label: "again, ms" },
  ],
  charts: [{ kind: "bars", keys: ["start_ms"] }],
  estimateSecs: () => 6,
  run: async ({ setup }) => ({
    values: await withSession(setup, async (session) => {
      const first = session.startMs();
      await session.restart(async () => {});
      return { first_start_ms: first, start_ms: session.startMs() };
    }),
  }),
};
