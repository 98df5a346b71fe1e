/** How times are told: at the venue, in UTC, or from now. */
export const TIME_MODES = ["venue", "utc", "relative"] as const;
export type TimeMode = (typeof TIME_MODES)[number];

const formats = new Map<string, Intl.DateTimeFormat>();

function partsIn(epochMs: number, timeZone: string): Record<string, string> {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(timeZone, format);
  }
  return Object.fromEntries(format.formatToParts(epochMs).map(({ type, value }) => [type, value]));
}

/** `2026-08-25`, as the calendar of the zone has it. */
export function dayIn(epochMs: number, timeZone: string): string {
  const { year, month, day } = partsIn(epochMs, timeZone);
  return `${year}-${month}-${day}`;
}

/** `14:32:05`, with the day before it where that is not `now`'s; UTC is named. */
export function clockIn(epochMs: number, timeZone: string, nowMs: number, withMs = false): string {
  const { hour, minute, second } = partsIn(epochMs, timeZone);
  const day = dayIn(epochMs, timeZone);
  const ms = withMs ? `.${String(Math.floor(epochMs % 1000)).padStart(3, "0")}` : "";
  const zone = timeZone === "UTC" ? " UTC" : "";
  return `${day === dayIn(nowMs, timeZone) ? "" : `${day} `}${hour}:${minute}:${second}${ms}${zone}`;
}

const dayFormat = (weekday: "long" | "short", more: Intl.DateTimeFormatOptions = {}): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday, ...more });
const WEEKDAY = dayFormat("short");
const DAY = dayFormat("long", { day: "numeric", month: "short" });

/** `14:00`, or `Sun 14:00` on another day than `now`'s: for the hours of some days, no more than a week back. UTC is named. */
export function hourIn(epochMs: number, timeZone: string, nowMs: number): string {
  const clock = clockIn(epochMs, timeZone, epochMs).replace(/:\d\d(?= UTC$|$)/, "");
  const day = dayIn(epochMs, timeZone);
  return day === dayIn(nowMs, timeZone) ? clock : `${WEEKDAY.format(Date.parse(day))} ${clock}`;
}

/** `Tuesday 25 Aug`, of a date as `YYYY-MM-DD`. */
export function dayWords(date: string): string {
  return DAY.format(Date.parse(date)).replace(",", "");
}

/** `2026-08-25 14:32:05.123 Asia/Bangkok`: all that there is to say. */
export function exactIn(epochMs: number, timeZone: string): string {
  const { hour, minute, second } = partsIn(epochMs, timeZone);
  const ms = String(Math.floor(epochMs % 1000)).padStart(3, "0");
  return `${dayIn(epochMs, timeZone)} ${hour}:${minute}:${second}.${ms} ${timeZone}`;
}

const STEPS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
] as const;

/** `3 s`, `12 min`, `2 h 5 min`, `4 d 3 h`: the two largest units, the second only where it matters. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const index = STEPS.findIndex(([size]) => whole >= size);
  if (index === -1) return "0 s";
  const [size, unit] = STEPS[index]!;
  const first = Math.floor(whole / size);
  const next = STEPS[index + 1];
  const second = next && next[0] >= 60 ? Math.floor((whole % size) / next[0]) : 0;
  return second > 0 && next ? `${first} ${unit} ${second} ${next[1]}` : `${first} ${unit}`;
}

/** `3 s ago`, `in 12 min`, `just now`. */
export function fromNow(epochMs: number, nowMs: number): string {
  const seconds = (nowMs - epochMs) / 1000;
  if (Math.abs(seconds) < 1) return "just now";
  return seconds > 0 ? `${span(seconds)} ago` : `in ${span(Math.ceil(-seconds))}`;
}

/** `212 ms`, `3.4 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
