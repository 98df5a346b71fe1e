import type { Selectable } from "kysely";
import type { Database, Scalar } from "./database.ts";
import { type Act, createRecordAct } from "./operator-record.ts";
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
  /** How long an outage may hold its orders, in seconds; null: the configuration's. */
  readonly holdLimitSecs: number | null;
  /** It is told of orders that come to stand without tickets. */
  readonly failureEvents: boolean;
  /** Made by `--dev` or `demo`: does not exist outside them. */
  readonly development: boolean;
  /** Epoch milliseconds, or null while enabled. */
  readonly disabledAt: number | null;
  readonly createdAt: number;
}

/** What is told of a partner that is made or adopted. */
export type NewPartner = Omit<
  Partner,
  | "holdLimitSecs"
  | "failureEvents"
  | "previousTokenDigest"
  | "previousTokenUntil"
  | "previousSigningSecret"
  | "previousSigningSecretUntil"
  | "disabledAt"
  | "createdAt"
> &
  Partial<Pick<Partner, "holdLimitSecs" | "failureEvents">>;

/** What generated partner tokens begin with. */
export const TOKEN_PREFIX = "wgp_";

/** A partner's sealed secrets: those that sign now and for a while longer. */
export type SealedSecrets = Pick<Partner, "signingSecret" | "previousSigningSecret">;

/** What can be set of a partner. */
export type PartnerSettings = Pick<
  Partner,
  | "name"
  | "allowlistCidrs"
  | "rateCapacity"
  | "ratePerSec"
  | "callbackHosts"
  | "rejectRepeats"
  | "holdLimitSecs"
  | "failureEvents"
>;

/** The partners. With an act a change is recorded, in the same transaction. */
export interface Partners {
  /** Partners by id, as they are now: read for each request, so that a change holds at once in every process. */
  findMany(ids: readonly string[]): Promise<ReadonlyMap<string, Partner>>;
  find(id: string): Promise<Partner | null>;
  /** By their ids, those after one. */
  page(afterId: string, limit: number): Promise<Partner[]>;
  list(): Promise<Partner[]>;
  /** @returns false when the id is taken */
  add(partner: NewPartner, nowMs: number, act?: Act): Promise<boolean>;
  /** Makes a development partner a real one, with the given values. */
  adopt(partner: NewPartner, nowMs: number, act?: Act): Promise<void>;
  /** @returns the names of what has changed, or null if unknown */
  set(id: string, settings: Partial<PartnerSettings>, nowMs: number, act: Act): Promise<string[] | null>;
  /** Sets a new token; the present one holds until `previousUntil` (epoch milliseconds). @returns false if unknown */
  rotateToken(id: string, digest: string, previousUntil: number, nowMs: number, act?: Act): Promise<boolean>;
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
    act?: Act,
  ): Promise<boolean>;
  /** Puts the same secrets, sealed anew, in place of the old. @returns false if they have changed meanwhile */
  reseal(id: string, old: SealedSecrets, anew: SealedSecrets, nowMs: number): Promise<boolean>;
  /** New requests are refused; accepted orders run to their end. @returns false if unknown */
  setDisabled(id: string, disabled: boolean, nowMs: number, act?: Act): Promise<boolean>;
  /** Records what was done for a partner and changes nothing of it. */
  record(id: string, action: string, nowMs: number, act: Act): Promise<void>;
}

type Row = Selectable<PartnersTable>;

/** What a change writes. */
const COLUMNS = [
  "name",
  "token_digest",
  "previous_token_digest",
  "previous_token_until",
  "allowlist_cidrs",
  "rate_capacity",
  "rate_per_sec",
  "signing_secret",
  "previous_signing_secret",
  "previous_signing_secret_until",
  "callback_hosts",
  "reject_repeats",
  "hold_limit_secs",
  "failure_events",
  "development",
  "disabled_at",
  "updated_at",
] as const satisfies readonly (keyof Row)[];
type Columns = Pick<Row, (typeof COLUMNS)[number]>;

export function createPartners({ run, queries, transact, words }: Database): Partners {
  const recordAct = createRecordAct(words);
  const byIds = `select p.* from ${words.rows("$1", { partner_id: "text" })} r
    join partners p on p.partner_id = r.partner_id`;
  const lockOne = `select * from partners where partner_id = $1 ${words.forUpdate}`;
  const places = COLUMNS.map((_, index) => `$${index + 3}`).join(", ");
  const insert = `insert into partners (partner_id, created_at, ${COLUMNS.join(", ")})
    values ($1, $2, ${places}) on conflict (partner_id) do nothing returning partner_id`;
  const update = `update partners set ${COLUMNS.map((name, index) => `${name} = $${index + 2}`).join(", ")}
    where partner_id = $1`;
  const valuesOf = (columns: Columns): Scalar[] => COLUMNS.map((name) => columns[name]);

  /** Changes what a partner is, as it stands under its lock. @returns the change, or null if there is none such */
  async function change(
    id: string,
    nowMs: number,
    work: (row: Row) => Partial<Columns> | null,
    record: {
      readonly action: string;
      readonly act: Act | undefined;
      detail?(row: Row, to: Partial<Columns>): object;
    },
  ): Promise<Partial<Columns> | null> {
    return transact(async (tx) => {
      const [row] = await tx<Row>(lockOne, [id]);
      const to = row ? work(row) : null;
      if (!row || to === null) return null;
      await tx(update, [id, ...valuesOf({ ...row, ...to, updated_at: nowMs })]);
      const { action, act, detail } = record;
      const told = { ...act?.detail, ...detail?.(row, to) };
      if (act) await recordAct(tx, { partnerId: id, orderId: null }, action, { ...act, detail: told }, nowMs);
      return to;
    });
  }

  return {
    async findMany(ids) {
      const rows = await run<Row>(byIds, [JSON.stringify(ids.map((id) => ({ partner_id: id })))]);
      return new Map(rows.map((row) => [row.partner_id, partnerOf(row)]));
    },
    async find(id) {
      const row = await queries
        .selectFrom("partners")
        .selectAll()
        .where("partner_id", "=", id)
        .executeTakeFirst();
      return row === undefined ? null : partnerOf(row);
    },
    async page(afterId, limit) {
      const query = queries.selectFrom("partners").selectAll().where("partner_id", ">", afterId);
      return (await query.orderBy("partner_id").limit(limit).execute()).map(partnerOf);
    },
    async list() {
      return (await queries.selectFrom("partners").selectAll().orderBy("partner_id").execute()).map(
        partnerOf,
      );
    },
    add: (partner, nowMs, act) =>
      transact(async (tx) => {
        const values = valuesOf({ ...columnsOf(partner), updated_at: nowMs });
        const added = await tx(insert, [partner.id, nowMs, ...values]);
        if (added.length === 0) return false;
        const { id: partnerId, name } = partner;
        if (act) {
          const subject = { partnerId, orderId: null };
          await recordAct(tx, subject, "partner add", { ...act, detail: { name } }, nowMs);
        }
        return true;
      }),
    async adopt(partner, nowMs, act) {
      const record = { action: "partner add", act, detail: () => ({ name: partner.name }) };
      await change(partner.id, nowMs, (row) => (row.development === 1 ? columnsOf(partner) : null), record);
    },
    async set(id, settings, nowMs, act) {
      const changes = (row: Row) =>
        Object.fromEntries(
          Object.entries(settingColumns({ ...partnerOf(row), ...settings })).filter(
            ([name, value]) => row[name as keyof Row] !== value,
          ),
        ) as Partial<Columns>;
      const detail = (row: Row, to: Partial<Columns>) => ({
        from: Object.fromEntries(Object.keys(to).map((name) => [name, row[name as keyof Row]])),
        to,
      });
      const to = await change(id, nowMs, changes, { action: "partner set", act, detail });
      return to === null ? null : Object.keys(to);
    },
    async rotateToken(id, digest, previousUntil, nowMs, act) {
      const work = (row: Row) => ({
        previous_token_digest: row.token_digest,
        previous_token_until: previousUntil,
        token_digest: digest,
      });
      const detail = () => ({ previous_until: previousUntil });
      return (await change(id, nowMs, work, { action: "partner rotate token", act, detail })) !== null;
    },
    async rotateSigningSecret(id, secret, { inherited, until }, nowMs, act) {
      const work = (row: Row) => ({
        previous_signing_secret: until === null ? null : (row.signing_secret ?? inherited),
        previous_signing_secret_until: until,
        signing_secret: secret,
      });
      const detail = () => ({ own_secret: secret !== null, previous_until: until });
      return (await change(id, nowMs, work, { action: "partner rotate secret", act, detail })) !== null;
    },
    async reseal(id, old, anew, nowMs) {
      const work = (row: Row) =>
        row.signing_secret === old.signingSecret && row.previous_signing_secret === old.previousSigningSecret
          ? { signing_secret: anew.signingSecret, previous_signing_secret: anew.previousSigningSecret }
          : null;
      return (await change(id, nowMs, work, { action: "partner reseal", act: undefined })) !== null;
    },
    async setDisabled(id, disabled, nowMs, act) {
      const work = (row: Row) => ({ disabled_at: disabled ? (row.disabled_at ?? nowMs) : null });
      const action = disabled ? "partner disable" : "partner enable";
      return (await change(id, nowMs, work, { action, act })) !== null;
    },
    async record(id, action, nowMs, act) {
      await transact((tx) => recordAct(tx, { partnerId: id, orderId: null }, action, act, nowMs));
    },
  };
}

const listOrNull = (list: readonly string[] | null): string | null =>
  list === null ? null : JSON.stringify(list);

function settingColumns(settings: PartnerSettings) {
  return {
    name: settings.name,
    allowlist_cidrs: listOrNull(settings.allowlistCidrs),
    rate_capacity: settings.rateCapacity,
    rate_per_sec: settings.ratePerSec,
    callback_hosts: listOrNull(settings.callbackHosts),
    reject_repeats: settings.rejectRepeats ? 1 : 0,
    hold_limit_secs: settings.holdLimitSecs,
    failure_events: settings.failureEvents ? 1 : 0,
  };
}

function columnsOf(partner: NewPartner) {
  const { holdLimitSecs = null, failureEvents = false } = partner;
  return {
    ...settingColumns({ ...partner, holdLimitSecs, failureEvents }),
    token_digest: partner.tokenDigest,
    previous_token_digest: null,
    previous_token_until: null,
    signing_secret: partner.signingSecret,
    previous_signing_secret: null,
    previous_signing_secret_until: null,
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
    holdLimitSecs: row.hold_limit_secs,
    failureEvents: row.failure_events === 1,
    development: row.development === 1,
    disabledAt: row.disabled_at,
    createdAt: row.created_at,
  };
}
