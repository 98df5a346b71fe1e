import { type Database, rowSet } from "./database.ts";

/** Requests with orders that were refused alike. */
export interface Rejection {
  /** The partner named in the request, known or not; `*`: several. */
  readonly partnerId: string;
  readonly status: number;
  /** The problem's name. */
  readonly problem: string;
  readonly reason: string;
  /** Null: it could not be read, or there are several. */
  readonly externalOrderId: string | null;
  readonly ip: string | null;
  readonly count: number;
  /** Epoch milliseconds of the last. */
  readonly at: number;
}

/** What `POST /orders` refused: "the partner says he sent it, we have nothing". */
export interface Rejections {
  write(rejections: readonly Rejection[]): Promise<void>;
  /** Deletes the oldest of those before a moment. @returns how many; fewer than the limit: it was the last of them */
  prune(before: number, limit: number): Promise<number>;
}

const FIELDS = {
  partner_id: "text",
  status: "integer",
  problem: "text",
  reason: "text",
  external_order_id: "text",
  ip: "text",
  count: "integer",
  at: "integer",
} as const;

export function createRejections({ transact, words }: Database): Rejections {
  const values = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, `r.${name}`]));
  const insert = words.insertRows("rejected_requests", values, FIELDS);
  const prune = `delete from rejected_requests where id ${words.amongFew(
    `select id from rejected_requests where at < $1 order by at limit $2 ${words.forUpdateSkipLocked}`,
  )} returning id`;
  return {
    async write(rejections) {
      const rows = rejections.map(({ partnerId, externalOrderId, ...row }) => ({
        ...row,
        partner_id: partnerId,
        external_order_id: externalOrderId,
      }));
      await transact((tx) => tx(insert, [rowSet(FIELDS, rows)]), { durable: false });
    },
    prune: async (before, limit) => (await transact((tx) => tx(prune, [before, limit]))).length,
  };
}
