import { clockIn, dayIn } from "./time.ts";

/** `2026-08-25T14:30`: what a field for a date and a time shows, by the clocks of the zone. */
export function wallIn(epochMs: number, timeZone: string): string {
  return wallWithSeconds(epochMs, timeZone).slice(0, "2026-08-25T14:30".length);
}

const wallWithSeconds = (epochMs: number, timeZone: string): string =>
  `${dayIn(epochMs, timeZone)}T${clockIn(epochMs, timeZone, epochMs).slice(0, "14:30:05".length)}`;

/**
 * Epoch milliseconds when the clocks of the zone show this.
 *
 * @param wall `2026-08-25T14:30`, or a day, which begins at its midnight
 */
export function epochOf(wall: string, timeZone: string): number {
  const asUtc = Date.parse(wall.includes("T") ? `${wall}Z` : wall);
  const aheadMs = (ms: number): number => Date.parse(`${wallWithSeconds(ms, timeZone)}Z`) - ms;
  // Once more: the first may fall on the other side of a change of the clocks.
  const near = asUtc - aheadMs(asUtc);
  return asUtc - aheadMs(near);
}

/** The calendar day after this one. @param day `2026-08-25` */
export function dayAfter(day: string): string {
  return new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, day.length);
}

/** From one calendar day to another, in days. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}
