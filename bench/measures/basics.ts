import { withSession } from "../load/session.ts";
import { bars, BOTH, type Measure } from "./measure.ts";
import {
  ACCEPT_COLUMNS,
  fullSpeedSecs,
  measureAccepts,
  measureSustained,
  measureUnloaded,
  SUSTAINED_COLUMNS,
  UNLOADED_COLUMNS,
  unloadedSecs,
} from "./paces.ts";

/** Starting, delivering what is left, stopping. */
const AROUND_SECS = 6;

export const ACCEPTS: Measure = {
  name: "accepts",
  letters: "a",
  title: "Accepts per second",
  prose:
    "128 connections send as fast as the answers come, while the workers work as in life. A 201 is sent after the " +
    "commit has been synced.",
  databases: BOTH,
  columns: ACCEPT_COLUMNS,
  charts: [bars(ACCEPT_COLUMNS, "accepts_per_sec")],
  // What was accepted ahead of the workers is delivered afterwards.
  estimateSecs: ({ seconds }) => AROUND_SECS + 3 * fullSpeedSecs(seconds),
  run: async ({ setup, options }) => ({
    values: await withSession(setup, (session) => measureAccepts(session, options.seconds)),
  }),
};

export const THROUGHPUT: Measure = {
  name: "throughput",
  letters: "bd",
  title: "Orders per second, from POST to delivered callback",
  prose:
    "128 connections send as much as is delivered, with at most 512 orders between POST and callback. CPU time is that " +
    "of the contender, its database server and its Redis. WAL is PostgreSQL's and Redis's own; on SQLite it is all " +
    "that the contender's process wrote to storage (/proc/<pid>/io, write_bytes) but its log.",
  databases: BOTH,
  columns: SUSTAINED_COLUMNS,
  charts: [{ kind: "bars", panels: SUSTAINED_COLUMNS }],
  estimateSecs: ({ seconds }) => AROUND_SECS + fullSpeedSecs(seconds),
  run: async ({ setup, options }) => ({
    values: await withSession(setup, (session) => measureSustained(session, options.seconds)),
  }),
};

export const LATENCY: Measure = {
  name: "latency",
  letters: "c",
  title: "Unloaded: from POST to the received callback",
  prose: "20 orders a second at uneven distances; ticketing answers at once.",
  databases: BOTH,
  columns: UNLOADED_COLUMNS,
  charts: [{ kind: "bars", panels: UNLOADED_COLUMNS }],
  estimateSecs: ({ seconds }) => AROUND_SECS + unloadedSecs(seconds),
  run: async ({ setup, options }) => ({
    values: await withSession(setup, (session) => measureUnloaded(session, options.seconds)),
  }),
};
