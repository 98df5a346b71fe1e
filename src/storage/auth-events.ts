import type { Database } from "./database.ts";

/** Why a request was turned away at the door. */
export const AUTH_FAILURES = [
  "missing_credentials",
  "unknown_partner",
  "wrong_token",
  "disabled",
  "ip_not_allowed",
] as const;
export type AuthFailure = (typeof AUTH_FAILURES)[number];

/** Failures of one kind within one minute. */
export interface AuthEvent {
  readonly partnerId: string;
  readonly reason: AuthFailure;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** Epoch milliseconds of the minute's start. */
  readonly minute: number;
  readonly count: number;
  readonly lastAt: number;
}

export interface AuthEvents {
  /** Adds to the counts of their minutes. */
  write(events: readonly AuthEvent[]): Promise<void>;
  /** Deletes the oldest of those before a moment. @returns how many; fewer than the limit: it was the last of them */
  prune(before: number, limit: number): Promise<number>;
}

export function createAuthEvents({ transact, words }: Database): AuthEvents {
  const add = `insert into auth_events (partner_id, reason, ip, user_agent, minute, count, last_at)
    select partner_id, reason, ip, user_agent, minute, count, last_at from ${words.rows("$1", {
      partner_id: "text",
      reason: "text",
      ip: "text",
      user_agent: "text",
      minute: "integer",
      count: "integer",
      last_at: "integer",
    })} r where true
    on conflict (minute, partner_id, reason, coalesce(ip, '')) do update set
      count = auth_events.count + excluded.count, last_at = excluded.last_at`;
  const prune = `delete from auth_events where id ${words.amongFew(
    `select id from auth_events where minute < $1 order by minute limit $2 ${words.forUpdateSkipLocked}`,
  )} returning id`;
  return {
    async write(events) {
      // In one order everywhere, so that two processes never wait for each other.
      const sorted = events.toSorted((a, b) => compare(orderOf(a), orderOf(b)));
      const rows = sorted.map((event) => ({
        partner_id: event.partnerId,
        reason: event.reason,
        ip: event.ip,
        user_agent: event.userAgent,
        minute: event.minute,
        count: event.count,
        last_at: event.lastAt,
      }));
      await transact((tx) => tx(add, [JSON.stringify(rows)]), { durable: false });
    },
    prune: async (before, limit) => (await transact((tx) => tx(prune, [before, limit]))).length,
  };
}

function orderOf({ minute, partnerId, reason, ip }: AuthEvent): string {
  return JSON.stringify([minute, partnerId, reason, ip]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
