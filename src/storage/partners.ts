import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { PartnersTable } from "./tables.ts";

export interface Partner {
  readonly id: string;
  readonly name: string;
  readonly tokenDigest: string;
  readonly previousTokenDigest: string | null;
  /** Epoch milliseconds. */
  readonly previousTokenUntil: number | null;
  /** Null: from anywhere. */
  readonly allowlistCidrs: readonly string[] | null;
  /** Null: the configuration's. */
  readonly rateCapacity: number | null;
  readonly ratePerSec: number | null;
  /** Sealed; null: the configuration's. */
  readonly signingSecret: string | null;
  /** Sealed; signs beside the present one for a while. */
  readonly previousSigningSecret: string | null;
  /** Epoch milliseconds. */
  readonly previousSigningSecretUntil: number | null;
  /** Null: no restriction beyond the configuration's. */
  readonly callbackHosts: readonly string[] | null;
  readonly rejectRepeats: boolean;
  /** Made by `--dev` or `demo`: does not exist outside them. */
  readonly development: boolean;
  /** Epoch milliseconds, or null while enabled. */
  readonly disabledAt: number | null;
  readonly createdAt: number;
}

/** What is told of a partner that is made or adopted. */
export type NewPartner = Omit<
  Partner,
  | "previousTokenDigest"
  | "previousTokenUntil"
  | "previousSigningSecret"
  | "previousSigningSecretUntil"
  | "disabledAt"
  | "createdAt"
>;

/** A partner's sealed secrets: those that sign now and for a while longer. */
export type SealedSecrets = Pick<Partner, "signingSecret" | "previousSigningSecret">;

export interface Partners {
  /** Partners by id, as they are now: read for each request, so that a change holds at once in every process. */
  findMany(ids: readonly string[]): Promise<ReadonlyMap<string, Partner>>;
  list(): Promise<Partner[]>;
  /** @returns false when the id is taken */
  add(partner: NewPartner, nowMs: number): Promise<boolean>;
  /** Makes a development partner a real one, with the given values. */
  adopt(partner: NewPartner, nowMs: number): Promise<void>;
  /** Sets a new token; the present one holds until `previousUntil` (epoch milliseconds). @returns false if unknown */
  rotateToken(id: string, digest: string, previousUntil: number, nowMs: number): Promise<boolean>;
  /**
   * Sets a new signing secret, sealed, or with null takes the partner's own away. The present one signs too until
   * `previousUntil` (epoch milliseconds; null: it ends now); one that was replaced earlier ends.
   * @param inherited sealed: what has signed for a partner without a secret of its own
   * @returns false if unknown
   */
  rotateSigningSecret(
    id: string,
    secret: string | null,
    previous: { readonly inherited: string | null; readonly until: number | null },
    nowMs: number,
  ): Promise<boolean>;
  /** Puts the same secrets, sealed anew, in place of the old. @returns false if they have changed meanwhile */
  reseal(id: string, old: SealedSecrets, anew: SealedSecrets, nowMs: number): Promise<boolean>;
  /** New requests are refused; accepted orders run to their end. @returns false if unknown */
  setDisabled(id: string, disabled: boolean, nowMs: number): Promise<boolean>;
}

export function createPartners({ run, queries, words }: Database): Partners {
  const byIds = `select p.* from ${words.rows("$1", { partner_id: "text" })} r
    join partners p on p.partner_id = r.partner_id`;
  return {
    async findMany(ids) {
      const rows = await run<Selectable<PartnersTable>>(byIds, [
        JSON.stringify(ids.map((id) => ({ partner_id: id }))),
      ]);
      return new Map(rows.map((row) => [row.partner_id, partnerOf(row)]));
    },
    async list() {
      return (await queries.selectFrom("partners").selectAll().orderBy("partner_id").execute()).map(
        partnerOf,
      );
    },
    async add(partner, nowMs) {
      const added = await queries
        .insertInto("partners")
        .values({ ...columnsOf(partner), created_at: nowMs, updated_at: nowMs })
        .onConflict((conflict) => conflict.column("partner_id").doNothing())
        .executeTakeFirst();
      return added.numInsertedOrUpdatedRows === 1n;
    },
    async adopt(partner, nowMs) {
      await queries
        .updateTable("partners")
        .set({ ...columnsOf(partner), updated_at: nowMs, disabled_at: null })
        .where("partner_id", "=", partner.id)
        .where("development", "=", 1)
        .execute();
    },
    async rotateToken(id, digest, previousUntil, nowMs) {
      const { numUpdatedRows } = await queries
        .updateTable("partners")
        .set((eb) => ({
          previous_token_digest: eb.ref("token_digest"),
          previous_token_until: previousUntil,
          token_digest: digest,
          updated_at: nowMs,
        }))
        .where("partner_id", "=", id)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async rotateSigningSecret(id, secret, { inherited, until }, nowMs) {
      const { numUpdatedRows } = await queries
        .updateTable("partners")
        .set((eb) => ({
          previous_signing_secret:
            until === null ? null : eb.fn.coalesce("signing_secret", eb.val(inherited)),
          previous_signing_secret_until: until,
          signing_secret: secret,
          updated_at: nowMs,
        }))
        .where("partner_id", "=", id)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async reseal(id, old, anew, nowMs) {
      const { numUpdatedRows } = await queries
        .updateTable("partners")
        .set({
          signing_secret: anew.signingSecret,
          previous_signing_secret: anew.previousSigningSecret,
          updated_at: nowMs,
        })
        .where("partner_id", "=", id)
        .where("signing_secret", "is not distinct from", old.signingSecret)
        .where("previous_signing_secret", "is not distinct from", old.previousSigningSecret)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async setDisabled(id, disabled, nowMs) {
      const { numUpdatedRows } = await queries
        .updateTable("partners")
        .set({ disabled_at: disabled ? nowMs : null, updated_at: nowMs })
        .where("partner_id", "=", id)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}

function columnsOf(partner: NewPartner) {
  return {
    partner_id: partner.id,
    name: partner.name,
    token_digest: partner.tokenDigest,
    previous_token_digest: null,
    previous_token_until: null,
    allowlist_cidrs: partner.allowlistCidrs === null ? null : JSON.stringify(partner.allowlistCidrs),
    rate_capacity: partner.rateCapacity,
    rate_per_sec: partner.ratePerSec,
    signing_secret: partner.signingSecret,
    previous_signing_secret: null,
    previous_signing_secret_until: null,
    callback_hosts: partner.callbackHosts === null ? null : JSON.stringify(partner.callbackHosts),
    reject_repeats: partner.rejectRepeats ? 1 : 0,
    development: partner.development ? 1 : 0,
    disabled_at: null,
  };
}

function partnerOf(row: Selectable<PartnersTable>): Partner {
  return {
    id: row.partner_id,
    name: row.name,
    tokenDigest: row.token_digest,
    previousTokenDigest: row.previous_token_digest,
    previousTokenUntil: row.previous_token_until,
    allowlistCidrs: row.allowlist_cidrs === null ? null : (JSON.parse(row.allowlist_cidrs) as string[]),
    rateCapacity: row.rate_capacity,
    ratePerSec: row.rate_per_sec,
    signingSecret: row.signing_secret,
    previousSigningSecret: row.previous_signing_secret,
    previousSigningSecretUntil: row.previous_signing_secret_until,
    callbackHosts: row.callback_hosts === null ? null : (JSON.parse(row.callback_hosts) as string[]),
    rejectRepeats: row.reject_repeats === 1,
    development: row.development === 1,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
  };
}
