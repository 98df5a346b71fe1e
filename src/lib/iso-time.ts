/** Epoch milliseconds as every outward text writes them: RFC 3339, UTC, milliseconds. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
