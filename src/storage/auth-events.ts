import type { Database } from "./database.ts";

/** Why a request was turned away at the door. */
export type AuthFailure =
  | "missing_credentials"
  | "unknown_partner"
  | "wrong_token"
  | "disabled"
  | "ip_not_allowed";

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
  write(events: readonly AuthEvent[]): Promise<void>;
}

export function createAuthEvents({ transact, words }: Database): AuthEvents {
  const text = `insert into auth_events (partner_id, reason, ip, user_agent, minute, count, last_at)
    select partner_id, reason, ip, user_agent, minute, count, last_at from ${words.rows("$1", {
      partner_id: "text",
      reason: "text",
      ip: "text",
      user_agent: "text",
      minute: "integer",
      count: "integer",
      last_at: "integer",
    })} r`;
  return {
    async write(events) {
      const rows = events.map((event) => ({
        partner_id: event.partnerId,
        reason: event.reason,
        ip: event.ip,
        user_agent: event.userAgent,
        minute: event.minute,
        count: event.count,
        last_at: event.lastAt,
      }));
      await transact((tx) => tx(text, [JSON.stringify(rows)]), { durable: false });
    },
  };
}
