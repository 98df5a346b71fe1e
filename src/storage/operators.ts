import type { Database } from "./database.ts";

export interface Operator {
  readonly name: string;
  readonly role: "viewer" | "operator";
  readonly tokenDigest: string;
  /** Made by `--dev` or `demo`: does not exist outside them. */
  readonly development: boolean;
}

export interface Operators {
  /** Enabled operators whose token has one of these digests. */
  findByDigests(digests: readonly string[]): Promise<Operator[]>;
  list(): Promise<Operator[]>;
  /** @returns false when the name is taken by an operator who is no development one */
  add(operator: Operator, nowMs: number): Promise<boolean>;
}

export function createOperators({ queries }: Database): Operators {
  const enabled = queries
    .selectFrom("operators")
    .select(["name", "role", "token_digest as tokenDigest", "development"])
    .where("disabled_at", "is", null);
  return {
    async findByDigests(digests) {
      const rows = await enabled.where("token_digest", "in", digests).execute();
      return rows.map((row) => ({ ...row, development: row.development === 1 }));
    },
    async list() {
      const rows = await enabled.orderBy("name").execute();
      return rows.map((row) => ({ ...row, development: row.development === 1 }));
    },
    async add({ name, role, tokenDigest, development }, nowMs) {
      const columns = { role, token_digest: tokenDigest, development: development ? 1 : 0 };
      const added = await queries
        .insertInto("operators")
        .values({ ...columns, name, created_at: nowMs })
        .onConflict((conflict) =>
          conflict.column("name").doUpdateSet(columns).where("operators.development", "=", 1),
        )
        .executeTakeFirst();
      return added.numInsertedOrUpdatedRows === 1n;
    },
  };
}
