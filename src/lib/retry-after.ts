/**
 * The wait a `Retry-After` header asks for, in milliseconds (RFC 9110 section 10.2.3: seconds or a date), or
 * null when there is none that can be read.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  // All three date forms of RFC 9110 begin with the name of a day; Date.parse alone would take nearly anything.
  const at = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
