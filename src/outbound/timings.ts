/**
 * Where the time of an exchange went, in milliseconds. Null: it had no such phase, as on a connection that was kept. A phase
 * in which the exchange ended counts until then.
 */
export interface Timings {
  /** In line for a connection. */
  readonly waitedMs: number | null;
  readonly dnsMs: number | null;
  readonly connectMs: number | null;
  readonly tlsMs: number | null;
  /** From the sending to the head of the answer; null: none came. */
  readonly firstByteMs: number | null;
}

export const NO_TIMINGS: Timings = {
  waitedMs: null,
  dnsMs: null,
  connectMs: null,
  tlsMs: null,
  firstByteMs: null,
};

type Stage = "dns" | "connect" | "tls";

const NO_STAGES: Readonly<Record<Stage, number | null>> = { dns: null, connect: null, tls: null };

/** The opening of a connection, stage by stage. */
export interface Opening {
  /** By `performance.now()`. */
  readonly begunAtMs: number;
  /** How long each stage took that has ended. */
  readonly tookMs: Readonly<Record<Stage, number | null>>;
  /** Ends the stage that is under way and begins another; null: there is none to follow. */
  enter(next: Stage | null): void;
}

export function createOpening(): Opening {
  const begunAtMs = performance.now();
  const tookMs: Record<Stage, number | null> = { ...NO_STAGES };
  let stage: Stage | null = null;
  let enteredAtMs = begunAtMs;
  return {
    begunAtMs,
    tookMs,
    enter(next) {
      const nowMs = performance.now();
      if (stage !== null) tookMs[stage] = nowMs - enteredAtMs;
      stage = next;
      enteredAtMs = nowMs;
    },
  };
}

/** Measures one exchange. */
export interface Stopwatch {
  /** It has come so far: in line for a connection, given one, sent, its answer's head is here. */
  mark(point: "queued" | "acquired" | "sent" | "answered"): void;
  /** @param opening the latest of its connection, which may have been another's */
  stop(opening: Opening | null): { durationMs: number; timings: Timings };
}

export function createStopwatch(): Stopwatch {
  const begunAtMs = performance.now();
  const at = { queued: -1, acquired: -1, sent: -1, answered: -1 };
  return {
    mark(point) {
      at[point] = performance.now();
    },
    stop(opening) {
      const endedAtMs = performance.now();
      const acquiredAtMs = at.acquired < 0 ? endedAtMs : at.acquired;
      const isOwn = opening !== null && opening.begunAtMs >= acquiredAtMs;
      // The stage that fails has no other end.
      if (isOwn) opening.enter(null);
      const { dns, connect, tls } = isOwn ? opening.tookMs : NO_STAGES;
      return {
        durationMs: Math.round(endedAtMs - begunAtMs),
        timings: {
          waitedMs: at.queued < 0 ? null : acquiredAtMs - begunAtMs,
          dnsMs: dns,
          connectMs: connect,
          tlsMs: tls,
          firstByteMs: at.answered < 0 ? null : at.answered - at.sent,
        },
      };
    },
  };
}
