/** A `Date` header tells whole seconds, and is on its way for a moment: less is no difference. */
const TOLERATED_MS = 3_000;

/** By how much the gateway's clock is ahead of this machine's, as its last answers tell. */
let aheadMs = 0;

/**
 * Epoch milliseconds by the gateway's clock: what it does next, it does by that, and this machine's may be an hour wrong.
 *
 * @param localMs by this machine's; left out: now
 */
export function gatewayTime(localMs = Date.now()): number {
  return localMs + aheadMs;
}

/** Hears what time it was at the gateway. @param date of an answer that has just begun to come */
export function hearTime(date: string | null): void {
  const differenceMs = Date.parse(date ?? "") - Date.now();
  if (Math.abs(differenceMs - aheadMs) > TOLERATED_MS) {
    aheadMs = Math.abs(differenceMs) > TOLERATED_MS ? differenceMs : 0;
  }
}
