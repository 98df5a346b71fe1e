import { parseAddress } from "../lib/cidr.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
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
  /**
   * Never throws, never waits.
   * @returns true when its address (IPv6: the /64) has used up what a minute allows: the next try is worth a new connection
   */
  record(seen: AuthFailureSeen): boolean;
  /** Writes what is left. */
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const FLUSH_MS = 1000;
/** Rows and log lines that one minute may open, so that a flood of strangers can't fill table and log. */
const MAX_ROWS_PER_MINUTE = 1000;
/** Those of one address, so that it can't fill the minute and hide the others' failures. */
const MAX_ROWS_PER_NETWORK = 20;
/** Failures of one address and minute that a mistake explains: a script with an old token, a rotation half done. */
const MAX_FAILURES_PER_NETWORK = 20;
/** Stands for all partners in the rows that sum up what goes beyond. */
const OTHERS = "*";
const MAX_PARTNER_ID_CHARS = 64;
const MAX_USER_AGENT_CHARS = 200;

/**
 * Counts failures in memory by minute, partner, reason and address, and writes the counts about once a second. A failing
 * database costs the count, never a request.
 *
 * The counts throttle by address what failures cost: rows, log lines, and connections, as whoever is told of it closes
 * the connection with the answer. They never stand before the check. A right token can only be told from a wrong one by
 * the very lookup that a refusal would save, so whoever shares an address with an attacker would be locked out; and the
 * lookup, shared by the requests of its moment, costs next to nothing (SECURITY.md has the figures).
 */
export function createAuthFailures(options: {
  authEvents: Pick<AuthEvents, "write">;
  clock: Clock;
  log: Log;
}): AuthFailures {
  const { authEvents, clock, log } = options;
  let waiting = new Map<string, AuthEvent>();
  let currentMinute = 0;
  /** The rows that the minute has opened, and the networks that opened them: as many at most. */
  let opened = new Set<string>();
  let networks = new Map<string | null, Network>();
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

  /** The failure's own row, while there is room for it; else the sum of its address, or the sum of all. */
  function rowFor(seen: Row, network: string | null): Row {
    if (opened.has(keyOf(seen))) return seen;
    const { rows, failures } = networks.get(network) ?? { rows: 0, failures: 0 };
    const sum = { ...seen, partnerId: OTHERS, userAgent: null };
    if (rows >= MAX_ROWS_PER_NETWORK) return { ...sum, ip: network };
    if (opened.size >= MAX_ROWS_PER_MINUTE) return { ...sum, ip: null };
    networks.set(network, { rows: rows + 1, failures });
    return seen;
  }

  /** A network for which the minute had no row left is not counted: its first failure is one too many. */
  function isSpent(network: string | null): boolean {
    const seen = networks.get(network);
    if (seen === undefined) return true;
    seen.failures += 1;
    return seen.failures > MAX_FAILURES_PER_NETWORK;
  }

  function count(seen: Row, network: string | null): void {
    const row = rowFor(seen, network);
    const key = keyOf(row);
    const { partnerId: partner_id, reason, ip } = row;
    const isFirst = !opened.has(key);
    opened.add(key);
    const event: WorkEvent = { event: isFirst ? "auth.failed" : "auth.failed_again", partner_id, reason, ip };
    if (isFirst) log.warn(event);
    else log.debug(event);
    waiting.set(key, { ...row, count: (waiting.get(key)?.count ?? 0) + 1 });
  }

  return {
    record({ partnerId, reason, ip, userAgent }) {
      const now = clock.wallMs();
      const minute = now - (now % MINUTE_MS);
      if (minute !== currentMinute) {
        currentMinute = minute;
        opened = new Set();
        networks = new Map();
      }
      const network = networkOf(ip);
      const row = {
        partnerId: printable(partnerId, MAX_PARTNER_ID_CHARS),
        reason,
        ip,
        userAgent: userAgent === null ? null : printable(userAgent, MAX_USER_AGENT_CHARS),
        minute,
        lastAt: now,
      };
      count(row, network);
      timer ??= setTimeout(() => void (writing = writing.then(flush)), FLUSH_MS).unref();
      return isSpent(network);
    },
    async close() {
      if (timer !== null) clearTimeout(timer);
      await writing;
      await flush();
    },
  };
}

type Row = Omit<AuthEvent, "count">;

interface Network {
  readonly rows: number;
  failures: number;
}

function keyOf({ minute, partnerId, reason, ip }: Row): string {
  return JSON.stringify([minute, partnerId, reason, ip]);
}

/** Whose an address is: a client of IPv6 commonly has a whole /64. */
export function networkOf(ip: string | null): string | null {
  const address = ip === null ? null : parseAddress(ip);
  if (address === null || !("parts" in address)) return ip;
  return `${address.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

/** Tokens that WaveGate gives out: whoever mistakes one header for the other must not leave his on record. */
const TOKEN = /\b(wg[po]_)[\w-]{16,}/g;

/** What a stranger wrote, in a form that every database and terminal takes. */
export function printable(text: string, maxChars: number): string {
  return text
    .slice(0, maxChars)
    .replace(TOKEN, "$1***")
    .replace(/[^\x20-\x7e\xa0-\xff]/g, "?");
}
