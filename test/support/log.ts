import type { Log, LogEvent } from "../../src/observe/log.ts";

/** Hears nothing. */
export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A log whose events, of whatever level, all go to one place. */
export function heardBy(hear: (event: LogEvent) => void): Log {
  return { debug: hear, info: hear, warn: hear, error: hear };
}
