import type { Log } from "./log.ts";
import type { Observer } from "./work-events.ts";

/** The same log; what is told to it the observers hear as well, whatever its level. */
export function observedLog(log: Log, observers: readonly Observer[]): Log {
  if (observers.length === 0) return log;
  const telling =
    (level: keyof Log): Log[keyof Log] =>
    (event) => {
      log[level](event);
      for (const observe of observers) observe(event);
    };
  const told = { debug: telling("debug"), info: telling("info"), warn: telling("warn"), error: telling("error") };
  return { ...log, ...told };
}
