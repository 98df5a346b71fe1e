let lastMs = 0;
let lastText = new Date(0).toISOString();

/** Epoch milliseconds as every outward text writes them: RFC 3339, UTC, milliseconds. */
export function isoTime(epochMs: number): string {
  // Under load much is of one millisecond.
  if (epochMs !== lastMs) {
    lastText = new Date(epochMs).toISOString();
    lastMs = epochMs;
  }
  return lastText;
}

export function isoTimeOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : isoTime(epochMs);
}

const TIME = /^(\d{4}-\d{2}-\d{2})([Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2}))?$/;

/** Epoch milliseconds of a time or date. In a query string a plus that nobody has escaped arrives as a space. */
export function readTime(given: string): number | undefined {
  const text = given.replace(/ (?=\d{2}:\d{2}$)/, "+");
  const day = TIME.exec(text)?.[1];
  if (day === undefined || !isDate(day)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** True of a date that exists, as `YYYY-MM-DD`. */
export function isDate(given: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(given)) return false;
  const epochMs = Date.parse(`${given}T00:00:00Z`);
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString().startsWith(given);
}
