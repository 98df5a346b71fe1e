const DAY_MS = 86_400_000;

/** True of an IANA time zone that this machine knows. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** The date of a moment in a time zone, as `YYYY-MM-DD`. */
export function dayOf(epochMs: number, timeZone: string): string {
  return formatOf(timeZone).format(epochMs);
}

/** The first moment of a date in a time zone, in epoch milliseconds: midnight, or where the clock was put on past it. */
export function startOfDay(day: string, timeZone: string): number {
  // No zone is more than a day away from UTC, and none changes its clock by less than a minute.
  let [before, from] = [Date.parse(`${day}T00:00:00Z`) - DAY_MS, Date.parse(`${day}T00:00:00Z`) + DAY_MS];
  while (from - before > 1000) {
    const between = Math.floor((before + from) / 2000) * 1000;
    if (dayOf(between, timeZone) < day) before = between;
    else from = between;
  }
  return from;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  formats.set(timeZone, format);
  return format;
}
