import type { Run, Scalar, SqlWords } from "./database.ts";

/** Who did it and why: kept for as long as what it was done to. */
export interface Act {
  readonly actor: string;
  readonly reason: string;
  /** What else is to be told, as plain data, and nothing secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
  /** An Idempotency-Key: the same order, action and key are acted on once. */
  readonly requestKey?: string;
}

/** What was acted upon: an order, a partner, or (the empty partner) the gateway as a whole. */
export interface Subject {
  readonly partnerId: string;
  readonly orderId: number | null;
}

/** Writes an act into `operator_actions`, in the transaction that does it. */
export type RecordAct = (
  tx: Run,
  subject: Subject,
  action: string,
  act: Act,
  now: number | null,
) => Promise<void>;

export function createRecordAct(words: SqlWords): RecordAct {
  const text = `insert into operator_actions (partner_id, order_id, actor, action, reason, detail, request_key, at)
    values ($1, $2, $3, $4, $5, $6, $7, ${words.now("$8")})`;
  return async (tx, { partnerId, orderId }, action, { actor, reason, detail, requestKey }, now) => {
    const told: Scalar = detail === undefined ? null : JSON.stringify(detail);
    await tx(text, [partnerId, orderId, actor, action, reason, told, requestKey ?? null, now]);
  };
}
