import type { Config } from "../config.ts";
import { createCredentials, type Standing } from "../lib/credentials.ts";
import type { Operator } from "../storage/operators.ts";
import type { Partner } from "../storage/partners.ts";

type What = "token" | "signing secret";
interface Stored {
  readonly of: string;
  readonly what: What;
  readonly text: string;
}

const MAX_NAMES = 5;

/**
 * Says, as `2 token(s) of ota-one, ota-two; 1 signing secret(s) of ota-one`, which digests and secrets hang on keys of
 * APP_HMAC_SECRET that are not the newest, and which on keys that are gone; empty: none. What has ended doesn't count.
 */
export function keysInUse(
  { appHmacSecrets: keys }: Pick<Config, "appHmacSecrets">,
  partners: readonly Partner[],
  operators: readonly Operator[],
): { readonly older: string; readonly lost: string } {
  const { standing } = createCredentials({ keys, development: false });
  const nowMs = Date.now();
  const stored = [
    ...partners.filter(({ development }) => !development).flatMap((partner) => storedOf(partner, nowMs)),
    ...operators
      .filter(({ development }) => !development)
      .flatMap((operator) => tokensOf(operator.name, operator, nowMs)),
  ];
  const tell = (which: Standing): string => {
    const found = stored.filter(({ text }) => standing(text) === which);
    return (["token", "signing secret"] as const).flatMap((what) => tellOf(what, found)).join("; ");
  };
  return { older: tell("older"), lost: tell("lost") };
}

type Tokens = Pick<Partner, "tokenDigest" | "previousTokenDigest" | "previousTokenUntil">;

const named = (of: string, what: What, text: string | null): Stored[] =>
  text === null ? [] : [{ of, what, text }];
const whileValid = (text: string | null, until: number | null, nowMs: number) =>
  (until ?? 0) > nowMs ? text : null;

function tokensOf(
  of: string,
  { tokenDigest, previousTokenDigest, previousTokenUntil }: Tokens,
  nowMs: number,
): Stored[] {
  return [
    ...named(of, "token", tokenDigest),
    ...named(of, "token", whileValid(previousTokenDigest, previousTokenUntil, nowMs)),
  ];
}

function storedOf(partner: Partner, nowMs: number): Stored[] {
  const { id, signingSecret, previousSigningSecret, previousSigningSecretUntil } = partner;
  return [
    ...tokensOf(id, partner, nowMs),
    ...named(id, "signing secret", signingSecret),
    ...named(id, "signing secret", whileValid(previousSigningSecret, previousSigningSecretUntil, nowMs)),
  ];
}

function tellOf(what: What, stored: readonly Stored[]): string[] {
  const found = stored.filter((one) => one.what === what);
  if (found.length === 0) return [];
  const names = [...new Set(found.map(({ of }) => of))];
  const shown = names.slice(0, MAX_NAMES).join(", ");
  return [`${found.length} ${what}(s) of ${shown}${names.length > MAX_NAMES ? ", …" : ""}`];
}
