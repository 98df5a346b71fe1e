import { statSync } from "node:fs";
import type { Config } from "../config.ts";

/** 128 bits, written in base64. */
export const MIN_SECRET_CHARS = 22;
/** Read, write or enter, for the group or for all others. */
const OTHERS_MAY = 0o077;

/** Names the configured secrets that are too short to be beyond guessing, without telling any of them. */
export function weakSecrets({ appHmacSecrets, callback, partners, operators }: Config): string[] {
  const isWeak = (secret: string | null) =>
    secret !== null && secret.replace(/^whsec_/, "").length < MIN_SECRET_CHARS;
  const named = (secret: string | null, name: string) => (isWeak(secret) ? [name] : []);
  return [
    ...(appHmacSecrets.some(isWeak) ? ["APP_HMAC_SECRET"] : []),
    ...named(callback.signingSecret, "CALLBACK_SIGNING_SECRET"),
    ...partners.flatMap(({ id, token, signingSecret }) => [
      ...named(token, `the token of ${id}`),
      ...named(signingSecret, `the signing secret of ${id}`),
    ]),
    ...operators.flatMap(({ name, token }) => named(token, `the token of ${name}`)),
  ];
}

/** Those of the files that others on this machine may read or change; a file that isn't there is no such file. */
export function openFiles(paths: readonly string[]): string[] {
  // There modes say nothing.
  if (process.platform === "win32") return [];
  return paths.filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS_MAY) !== 0);
}

const LOCAL = /^(?:|localhost|127\..*|\[::1\]|%2f.*)$/i;
const OFF = /^(?:disable|false|0|)$/;

/** Whether a database elsewhere is spoken to in the clear: `pg` encrypts only where DATABASE_URL or PGSSLMODE says so. */
export function isInClear(databaseUrl: string, sslMode = process.env["PGSSLMODE"] ?? ""): boolean {
  const url = URL.parse(databaseUrl);
  if (!url?.protocol.startsWith("postgres") || LOCAL.test(url.hostname)) return false;
  const { searchParams: given } = url;
  return !given.has("sslrootcert") && OFF.test(given.get("sslmode") ?? given.get("ssl") ?? sslMode);
}
