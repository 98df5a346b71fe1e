import { InvalidArgumentError } from "commander";

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_DURATION_MS = 365 * UNITS_MS.d;

/** Reads `30s`, `15m`, `24h`, `7d` as milliseconds, up to a year. @throws InvalidArgumentError */
export function parseDuration(text: string): number {
  return parseDurationUpTo(MAX_DURATION_MS, text);
}

/** The same, up to another limit. @throws InvalidArgumentError */
export function parseDurationUpTo(maxMs: number, text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const durationMs = Number(digits) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (digits === undefined || durationMs > maxMs) {
    throw new InvalidArgumentError(`Write it like 30s, 15m, 24h or 7d, at most ${maxMs / UNITS_MS.d}d.`);
  }
  return durationMs;
}

/** A span of time for people: `42 ms`, `2.81 s`, `5 min 3 s`, `4 d 2 h`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < UNITS_MS.m) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
  const two = (big: number, bigName: string, small: number, smallName: string): string => {
    const rest = Math.floor((ms % big) / small);
    return `${Math.floor(ms / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ""}`;
  };
  if (ms < UNITS_MS.h) return two(UNITS_MS.m, "min", UNITS_MS.s, "s");
  if (ms < UNITS_MS.d) return two(UNITS_MS.h, "h", UNITS_MS.m, "min");
  return two(UNITS_MS.d, "d", UNITS_MS.h, "h");
}

/** `5 min 3 s ago`, or `in 2.81 s`. */
export function relative(epochMs: number, nowMs: number): string {
  return epochMs > nowMs ? `in ${span(epochMs - nowMs)}` : `${span(nowMs - epochMs)} ago`;
}
