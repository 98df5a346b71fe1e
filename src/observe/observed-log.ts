import type { Log } from "./log.ts";
import type { Observer } from "./work-events.ts";

type Level = "debug" | "info" | "warn" | "error";

/** The same log; what is told to it the observers hear as well, whatever its level. */
export function observedLog(log: Log, observers: readonly Observer[]): Log {
  if (observers.length === 0) return log;
  const telling =
    (level: Level): Log[Level] =>
    (event) => {
      log[level](event);
      for (const observe of observers) observe(event);
    };
  return {
    ...log,
    debug: telling("debug"),
    info: telling("info"),
    warn: telling("warn"),
    error: telling("error"),
  };
}
