import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import { type Operator, operatorOf } from "./operators.ts";
import type { OperatorSessionsTable, OperatorsTable } from "./tables.ts";

/**
 * A browser in which an operator has signed in. Its cookie has two parts: an id that stays, and a secret that is replaced
 * from time to time. Of both, digests alone are stored.
 */
export interface OperatorSession {
  /** Digest of the id. */
  readonly id: string;
  /** Digest of the secret that was given out last. */
  readonly digest: string;
  /** Digest of the secret before it. It holds until the new one has come back, and a little longer. */
  readonly previousDigest: string | null;
  /** Epoch milliseconds; null: the new one has not come back yet. */
  readonly previousUntil: number | null;
  /** Of the operator's token that it began with: it ends when that does. */
  readonly tokenDigest: string;
  /** Epoch milliseconds, as all times here. */
  readonly createdAt: number;
  /** When its operator last did something; written down about once a minute. */
  readonly seenAt: number;
  readonly rotatedAt: number;
}

export type NewSession = Pick<OperatorSession, "id" | "digest" | "tokenDigest"> & {
  /** The operator's name. */
  readonly operator: string;
};

export interface FoundSession {
  readonly session: OperatorSession;
  /** As it is now: it may be disabled. */
  readonly operator: Operator;
  /** The database's time. */
  readonly now: number;
}

export interface OperatorSessions {
  /** Those with one of these ids, whatever has become of them and of their operators. */
  find(ids: readonly string[], now: number | null): Promise<FoundSession[]>;
  /**
   * Begins one; those of others that have been idle for `idleMs` are forgotten, and the operator's oldest beyond
   * {@link MAX_SESSIONS}.
   * @param replaced ids of the one that the browser had before
   * @returns when it began, or null when the operator is disabled or gone
   */
  begin(
    session: NewSession,
    replaced: readonly string[],
    idleMs: number,
    now: number | null,
  ): Promise<number | null>;
  /**
   * Gives out a new secret.
   * @param found as it was read, and `presented` the digest by which its browser came, which holds beside the new one
   * @returns false when another request has done so meanwhile
   */
  rotate(
    found: Pick<OperatorSession, "id" | "digest">,
    presented: string,
    digest: string,
    now: number | null,
  ): Promise<boolean>;
  /**
   * Its browser has come.
   * @param digest of the secret that it came with: the one before is let go after `overlapMs`, if this is the newest
   * @param active its operator has done something
   */
  seen(id: string, digest: string, overlapMs: number, active: boolean, now: number | null): Promise<void>;
  /** @returns the names of the operators whose sessions they were */
  end(ids: readonly string[]): Promise<string[]>;
}

/** Of one operator: many browsers, and no flood. */
export const MAX_SESSIONS = 20;
/** Rows of one delete. */
const BATCH = 1000;

type Row = Selectable<OperatorsTable> &
  Pick<
    Selectable<OperatorSessionsTable>,
    "id" | "digest" | "previous_digest" | "previous_until" | "seen_at" | "rotated_at"
  > & { readonly began_with: string; readonly began_at: number; readonly now: number };

export function createOperatorSessions({ look, transact, words }: Database): OperatorSessions {
  const ids = words.rows("$1", { digest: "text" });
  const clock = (parameter: string): string => `with clock as (select ${words.now(parameter)} as now)`;
  const find = `${clock("$2")}
    select (select now from clock) as now, s.id, s.digest, s.previous_digest, s.previous_until, s.seen_at, s.rotated_at,
      s.token_digest as began_with, s.created_at as began_at, o.*
    from ${ids} r join operator_sessions s on s.id = r.digest join operators o on o.name = s.operator`;
  // Whoever begins one at the same moment waits here, and counts this one too.
  const lockOperator = `select name from operators where name = $1 and disabled_at is null ${words.forUpdate}`;
  const remove = (which: string): string =>
    `delete from operator_sessions where id ${words.amongFew(`${which} ${words.forUpdateSkipLocked}`)}`;
  // Whatever is over in another way is idle soon.
  const forgetIdle = `${clock("$2")} ${remove(`select id from operator_sessions
    where seen_at < (select now from clock) - $1 order by seen_at limit ${BATCH}`)}`;
  const forgetOldest = remove(`select id from operator_sessions where operator = $1
    order by created_at desc, id limit ${BATCH} offset ${MAX_SESSIONS - 1}`);
  const insert = `${clock("$5")}
    insert into operator_sessions (id, digest, operator, token_digest, created_at, seen_at, rotated_at)
    select $1, $2, $3, $4, now, now, now from clock where true returning created_at`;
  const rotate = `${clock("$5")}
    update operator_sessions set previous_digest = $3, previous_until = null, digest = $4,
      rotated_at = (select now from clock)
    where id = $1 and digest = $2 and (digest = $3 or previous_until is null) returning id`;
  const seen = `${clock("$5")}
    update operator_sessions set
      seen_at = case when $4 = 1 then ${words.greatest}(seen_at, (select now from clock)) else seen_at end,
      previous_until = case when digest = $2 and previous_digest is not null and previous_until is null
        then (select now from clock) + $3 else previous_until end
    where id = $1`;
  const end = `delete from operator_sessions where id in (select digest from ${ids} r) returning operator`;
  const asRows = (digests: readonly string[]): string =>
    JSON.stringify(digests.map((digest) => ({ digest })));

  return {
    async find(digests, now) {
      const rows = await look((run) => run<Row>(find, [asRows(digests), now]));
      return rows.map(foundOf);
    },
    begin: ({ id, digest, operator, tokenDigest }, replaced, idleMs, now) =>
      transact(async (tx) => {
        if ((await tx(lockOperator, [operator])).length === 0) return null;
        await tx(forgetIdle, [idleMs, now]);
        await tx(end, [asRows(replaced)]);
        await tx(forgetOldest, [operator]);
        const given = [id, digest, operator, tokenDigest, now];
        const [begun] = await tx<{ created_at: number }>(insert, given);
        return begun!.created_at;
      }),
    rotate: ({ id, digest: held }, presented, digest, now) =>
      transact(async (tx) => (await tx(rotate, [id, held, presented, digest, now])).length > 0),
    async seen(id, digest, overlapMs, active, now) {
      const given = [id, digest, overlapMs, active ? 1 : 0, now];
      await transact((tx) => tx(seen, given), { durable: false });
    },
    async end(digests) {
      const rows = await transact((tx) => tx<{ operator: string }>(end, [asRows(digests)]));
      return rows.map(({ operator }) => operator);
    },
  };
}

function foundOf(row: Row): FoundSession {
  const session = {
    id: row.id,
    digest: row.digest,
    previousDigest: row.previous_digest,
    previousUntil: row.previous_until,
    tokenDigest: row.began_with,
    createdAt: row.began_at,
    seenAt: row.seen_at,
    rotatedAt: row.rotated_at,
  };
  return { session, operator: operatorOf(row), now: row.now };
}
