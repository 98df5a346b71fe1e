import type { OperatorSeed, PartnerSeed } from "./config.ts";
import type { Credentials } from "./lib/credentials.ts";
import type { Log } from "./observe/log.ts";
import type { Storage } from "./storage/open.ts";
import type { NewPartner, Partner } from "./storage/partners.ts";

export interface ProvisionOptions {
  readonly storage: Pick<Storage, "partners" | "operators">;
  readonly credentials: Credentials;
  /** What is made belongs to `--dev` or `demo`, and does not exist outside them. */
  readonly development: boolean;
  readonly log: Log;
  readonly nowMs: number;
}

/** What is stored of a partner as it was configured or added. */
export function newPartner(seed: PartnerSeed, credentials: Credentials, development: boolean): NewPartner {
  return {
    id: seed.id,
    name: seed.name,
    tokenDigest: credentials.digest(seed.token),
    allowlistCidrs: seed.allowlistCidrs,
    rateCapacity: seed.rateLimit?.capacity ?? null,
    ratePerSec: seed.rateLimit?.perSec ?? null,
    signingSecret: seed.signingSecret === null ? null : credentials.seal(seed.signingSecret),
    callbackHosts: seed.callbackHosts,
    rejectRepeats: seed.rejectRepeats,
    development,
  };
}

/**
 * Makes the configured partners and operators that the database lacks, and changes none that it has: a difference
 * is a warning (SPEC section 2). A development partner that a configuration names becomes a real one.
 */
export async function provision(
  options: ProvisionOptions,
  partners: readonly PartnerSeed[],
  operators: readonly OperatorSeed[],
): Promise<void> {
  const { storage, credentials, development, log, nowMs } = options;
  const existing = await storage.partners.findMany(partners.map((seed) => seed.id));
  for (const seed of partners) {
    const stored = existing.get(seed.id);
    const fresh = newPartner(seed, credentials, development);
    if (!stored) await storage.partners.add(fresh, nowMs);
    else if (stored.development && !development) await storage.partners.adopt(fresh, nowMs);
    else warnOfDifferences(stored, seed, credentials, log);
  }
  for (const { name, role, token } of operators) {
    const tokenDigest = credentials.digest(token);
    const added = await storage.operators.add({ name, role, tokenDigest, development }, nowMs);
    if (added) continue;
    const [same] = await storage.operators.findByDigests(credentials.digests(token));
    if (same?.name !== name || same.role !== role) {
      log.warn({
        event: "operator.differs",
        operator: name,
        advice:
          "OPERATORS_JSON only creates: this operator exists with another token or role, which stays valid; change a token with `wavegate operator rotate`",
      });
    }
  }
}

function warnOfDifferences(stored: Partner, seed: PartnerSeed, credentials: Credentials, log: Log): void {
  const differing = Object.entries({
    name: stored.name === seed.name,
    token: isTokenOf(stored, seed.token, credentials),
    allowlist_cidrs: same(stored.allowlistCidrs, seed.allowlistCidrs),
    rate_limit:
      stored.rateCapacity === (seed.rateLimit?.capacity ?? null) &&
      stored.ratePerSec === (seed.rateLimit?.perSec ?? null),
    signing_secret: (stored.signingSecret === null) === (seed.signingSecret === null),
    callback_hosts: same(stored.callbackHosts, seed.callbackHosts),
    reject_repeats: stored.rejectRepeats === seed.rejectRepeats,
  }).flatMap(([field, equal]) => (equal ? [] : [field]));
  if (differing.length === 0) return;
  log.warn({
    event: "partner.differs",
    partner_id: stored.id,
    fields: differing,
    advice: `PARTNERS_JSON only creates: what is stored stays valid; change a token with \`wavegate partner rotate ${stored.id}\`, a signing secret with \`wavegate partner secret ${stored.id}\``,
  });
}

function isTokenOf(stored: Partner, token: string, credentials: Credentials): boolean {
  return [stored.tokenDigest, stored.previousTokenDigest].some(
    (digest) => digest !== null && credentials.matches(token, digest),
  );
}

function same(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
