import { join } from "node:path";
import type { Config } from "../config.ts";
import { parseDatabaseUrl } from "../storage/target.ts";
import type { Operator } from "../storage/operators.ts";
import type { Partner } from "../storage/partners.ts";
import { invocation } from "./cli/invocation.ts";
import { type Check, ok, warn } from "./doctor-check.ts";
import { keysInUse } from "./doctor-keys.ts";
import { isInClear, MIN_SECRET_CHARS, openFiles, weakSecrets } from "./doctor-secrets.ts";

/** Stored digests and secrets that need another key of APP_HMAC_SECRET than the newest, or one that is gone. */
export function checkKeys(
  config: Config,
  partners: readonly Partner[],
  operators: readonly Operator[],
): Check[] {
  if (config.dev) return [];
  const { older, lost } = keysInUse(config, partners, operators);
  const reseal = `\`${invocation()} partner reseal\` for secrets, \`partner rotate <id>\` and \`operator rotate <name>\` for tokens; until then keep the older keys`;
  const restore = "they can't be used: add the key that they were made with, or give new tokens and secrets";
  return [
    ...(older === "" ? [] : [warn("keys", `not under the newest APP_HMAC_SECRET: ${older}`, reseal)]),
    ...(lost === "" ? [] : [warn("keys", `under no key of APP_HMAC_SECRET: ${lost}`, restore)]),
    ...(older + lost === "" ? [ok("keys", "digests and secrets are all under the newest")] : []),
  ];
}

/** What a thief of a copy, or another user of this machine, could make use of. */
function checkSecrets(config: Config): Check[] {
  const { file } = parseDatabaseUrl(config.databaseUrl);
  const ofDatabase = file === null ? [] : [file, `${file}-wal`, `${file}-shm`];
  const open = openFiles([join(process.cwd(), ".env"), ...ofDatabase]);
  const weak = weakSecrets(config);
  return [
    weak.length === 0
      ? ok("secrets", "none that is configured is short")
      : warn(
          "secrets",
          `shorter than ${MIN_SECRET_CHARS} characters: ${weak.join(", ")}`,
          "what is short can be found by trying; `openssl rand -base64 32` makes one that can't",
        ),
    ...(open.length === 0
      ? []
      : [
          warn(
            "files",
            `others on this machine may use ${open.join(", ")}`,
            "they hold secrets or buyers' data: `chmod 600` them",
          ),
        ]),
    ...(isInClear(config.databaseUrl)
      ? [
          warn(
            "database",
            "orders travel to it in the clear",
            "add `?sslmode=verify-full` to DATABASE_URL, unless the network between is yours alone",
          ),
        ]
      : []),
  ];
}

/** The settings that SECURITY.md asks for. */
export function checkSecurity(config: Config): Check[] {
  const { dev, appHmacSecrets, callback, trustedProxies, host } = config;
  if (dev) return [];
  return [
    ...checkSecrets(config),
    appHmacSecrets.length === 0
      ? warn(
          "tokens",
          "APP_HMAC_SECRET is not set: tokens are stored as plain SHA-256 digests",
          "set it before partners are added: it also lets partners have signing secrets of their own",
        )
      : ok("tokens", "digests are keyed by APP_HMAC_SECRET"),
    callback.requireHttps
      ? ok("callbacks", "https only")
      : warn("callbacks", "REQUIRE_HTTPS_CALLBACKS is off", "callbacks may travel in the clear: set it to 1"),
    ...(callback.allowedCidrs.length > 0
      ? [
          warn(
            "callbacks",
            `ALLOWED_CALLBACK_CIDRS lets them reach ${callback.allowedCidrs.join(", ")}`,
            "partners name the URLs: leave it empty unless these ranges are meant to be called",
          ),
        ]
      : []),
    // On loopback all the more: whoever comes from elsewhere comes through a proxy.
    ...(trustedProxies.length === 0
      ? [
          warn(
            "proxies",
            `TRUSTED_PROXIES is empty and HOST is ${host}`,
            "behind a reverse proxy every client would have the proxy's address: set TRUSTED_PROXIES to its CIDR",
          ),
        ]
      : []),
    ...(trustedProxies.some((cidr) => cidr.endsWith("/0"))
      ? [
          warn(
            "proxies",
            `TRUSTED_PROXIES=${trustedProxies.join(",")} believes everybody`,
            "whoever connects could name any source address: set it to your proxies' own",
          ),
        ]
      : []),
  ];
}
