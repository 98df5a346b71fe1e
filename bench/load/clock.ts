// Every process of the bench reads the same clock: the machine's monotonic one.
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds since some moment that is the same for all processes of this machine. */
export function nowMs(): number {
  return OFFSET_MS + performance.now();
}
