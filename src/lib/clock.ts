/**
 * The three times the gateway asks for. Production reads the machine's; tests hand in their own.
 */
export interface Clock {
  /**
   * Epoch milliseconds to pass to a statement as `now`, or null: the database's own clock decides (SPEC section 5).
   * Null in production, so that hosts with different clocks agree on leases and due times.
   */
  statementNow(): number | null;
  /** Wall time in epoch milliseconds, for headers and logs; never for leases. */
  wallMs(): number;
  /** Monotonic milliseconds, for durations and for what a lease has left. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  statementNow: () => null,
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
