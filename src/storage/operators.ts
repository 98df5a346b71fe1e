import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { OperatorsTable } from "./tables.ts";

export interface Operator {
  readonly name: string;
  readonly role: "viewer" | "operator";
  readonly tokenDigest: string;
  readonly previousTokenDigest: string | null;
  /** Epoch milliseconds. */
  readonly previousTokenUntil: number | null;
  /** Made by `--dev` or `demo`: does not exist outside them. */
  readonly development: boolean;
  /** Epoch milliseconds, or null while enabled. */
  readonly disabledAt: number | null;
  readonly createdAt: number;
}

/** What is told of an operator that is made. */
export type NewOperator = Pick<Operator, "name" | "role" | "tokenDigest" | "development">;

export interface Operators {
  /** Enabled operators whose token, the present or the previous one, has one of these digests. */
  findByDigests(digests: readonly string[]): Promise<Operator[]>;
  list(): Promise<Operator[]>;
  /** @returns false when the name is taken by an operator who is no development one */
  add(operator: NewOperator, nowMs: number): Promise<boolean>;
  /** Sets a new token; the present one holds until `previousUntil` (epoch milliseconds). @returns false if unknown */
  rotateToken(name: string, digest: string, previousUntil: number): Promise<boolean>;
  /** Disabling ends the operator's sessions too. @returns false if unknown */
  setDisabled(name: string, disabled: boolean, nowMs: number): Promise<boolean>;
}

export function createOperators({ queries }: Database): Operators {
  return {
    async findByDigests(digests) {
      const rows = await queries
        .selectFrom("operators")
        .selectAll()
        .where("disabled_at", "is", null)
        .where((eb) => eb.or([eb("token_digest", "in", digests), eb("previous_token_digest", "in", digests)]))
        .execute();
      return rows.map(operatorOf);
    },
    async list() {
      return (await queries.selectFrom("operators").selectAll().orderBy("name").execute()).map(operatorOf);
    },
    async add({ name, role, tokenDigest, development }, nowMs) {
      const columns = {
        role,
        token_digest: tokenDigest,
        previous_token_digest: null,
        previous_token_until: null,
        development: development ? 1 : 0,
        disabled_at: null,
      };
      const added = await queries
        .insertInto("operators")
        .values({ ...columns, name, created_at: nowMs })
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet(columns).where("operators.development", "=", 1),
        )
        .executeTakeFirst();
      return added.numInsertedOrUpdatedRows === 1n;
    },
    async rotateToken(name, digest, previousUntil) {
      const { numUpdatedRows } = await queries
        .updateTable("operators")
        .set((eb) => ({
          previous_token_digest: eb.ref("token_digest"),
          previous_token_until: previousUntil,
          token_digest: digest,
        }))
        .where("name", "=", name)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async setDisabled(name, disabled, nowMs) {
      const { numUpdatedRows } = await queries
        .updateTable("operators")
        .set({ disabled_at: disabled ? nowMs : null })
        .where("name", "=", name)
        .executeTakeFirst();
      // Whoever is let in again signs in again.
      if (disabled) await queries.deleteFrom("operator_sessions").where("operator", "=", name).execute();
      return numUpdatedRows === 1n;
    },
  };
}

export function operatorOf(row: Selectable<OperatorsTable>): Operator {
  return {
    name: row.name,
    role: row.role,
    tokenDigest: row.token_digest,
    previousTokenDigest: row.previous_token_digest,
    previousTokenUntil: row.previous_token_until,
    development: row.development === 1,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
  };
}
