import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { AuthEvent, AuthEvents, AuthFailure } from "../storage/auth-events.ts";

interface AuthFailureSeen {
  /** As the request named it, or empty. */
  readonly partnerId: string;
  readonly reason: AuthFailure;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** The record of requests that were turned away at the door (the seed's `auth_events`). */
export interface AuthFailures {
  /** Never throws, never waits. */
  record(seen: AuthFailureSeen): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const FLUSH_MS = 1000;
/** Rows that one minute may open, so that a flood of strangers can't fill the table. */
const MAX_ROWS_PER_MINUTE = 1000;
/** Stands for all partners in the rows that sum up what goes beyond. */
const OTHERS = { partnerId: "*", ip: null, userAgent: null };
const MAX_PARTNER_ID_CHARS = 64;
const MAX_USER_AGENT_CHARS = 200;

/**
 * Counts failures in memory by minute, partner, reason and address, and writes the counts about once a second. A failing
 * database costs the count, never a request.
 */
export function createAuthFailures(options: {
  authEvents: AuthEvents;
  clock: Clock;
  log: Log;
}): AuthFailures {
  const { authEvents, clock, log } = options;
  let waiting = new Map<string, AuthEvent>();
  let currentMinute = 0;
  let rowsOfMinute = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing = Promise.resolve();

  async function flush(): Promise<void> {
    timer = null;
    const rows = [...waiting.values()];
    waiting = new Map();
    if (rows.length === 0) return;
    try {
      await authEvents.write(rows);
    } catch (error) {
      log.warn({ event: "auth_events.lost", rows: rows.length, err: error });
    }
  }

  function count(row: Omit<AuthEvent, "count">): void {
    const key = JSON.stringify([row.minute, row.partnerId, row.reason, row.ip]);
    const known = waiting.get(key);
    if (!known && row.partnerId !== OTHERS.partnerId) {
      if (rowsOfMinute >= MAX_ROWS_PER_MINUTE) {
        count({ ...row, ...OTHERS });
        return;
      }
      rowsOfMinute += 1;
    }
    if (!known) {
      log.warn({ event: "auth.failed", partner_id: row.partnerId, reason: row.reason, ip: row.ip });
    }
    waiting.set(key, { ...row, count: (known?.count ?? 0) + 1 });
  }

  return {
    record({ partnerId, reason, ip, userAgent }) {
      const now = clock.wallMs();
      const minute = now - (now % MINUTE_MS);
      if (minute !== currentMinute) {
        currentMinute = minute;
        rowsOfMinute = 0;
      }
      count({
        partnerId: printable(partnerId, MAX_PARTNER_ID_CHARS),
        reason,
        ip,
        userAgent: userAgent === null ? null : printable(userAgent, MAX_USER_AGENT_CHARS),
        minute,
        lastAt: now,
      });
      timer ??= setTimeout(() => void (writing = writing.then(flush)), FLUSH_MS).unref();
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await writing;
      await flush();
    },
  };
}

/** What a stranger wrote, in a form that every database and terminal takes. */
function printable(text: string, maxChars: number): string {
  return text.slice(0, maxChars).replace(/[^\x20-\x7e\xa0-\xff]/g, "?");
}
