import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/**
 * Where something stored stands: under the newest key, under an older one (or made before there was a key), or `lost`,
 * under a key that is not configured any more.
 */
export type Standing = "newest" | "older" | "lost";

/**
 * Digests of tokens and seals of secrets, both under APP_HMAC_SECRET (SPEC section 2), which may hold several keys: the
 * newest makes them, any verifies and opens them. What is stored tells how it was made and names its key, so that keys
 * can be set, added and dropped without a day on which everything has to change.
 */
export interface Credentials {
  /** The form in which a token is stored: HMAC-SHA256 under the newest key, or SHA-256 without one. */
  digest(token: string): string;
  /** Every digest that the token may be stored under. */
  digests(token: string): string[];
  /** Compares in a time that doesn't depend on where they differ. */
  matches(token: string, digest: string): boolean;
  /** @throws Error without a key: a secret is never stored in the clear outside development */
  seal(secret: string): string;
  /** @throws Error when it was sealed under a key that is not configured, or changed */
  unseal(sealed: string): string;
  /** Of a stored digest or sealed secret, told by the name of its key. */
  standing(stored: string): Standing;
}

// What is stored: `sha256:<hex>`, `hmac-sha256:<key id>:<hex>`, `aes-256-gcm:<key id>:<base64>`, `clear:<secret>`.
const HMAC = "hmac-sha256";
const SHA = "sha256";
const SEALED = "aes-256-gcm";
const CLEAR = "clear";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID_BYTES = 6;

interface Key {
  /** Tells keys apart and nothing more: derived, so that it needs no place of its own. */
  readonly id: string;
  digest(token: string): string;
  readonly sealing: Buffer;
}

/** @param options.keys the newest first; none: digests are plain, and secrets can't be sealed */
export function createCredentials(options: { keys: readonly string[]; development: boolean }): Credentials {
  const { development } = options;
  const keys = options.keys.map(keyOf);
  const [newest] = keys;
  const named = (id: string | undefined): Key | undefined => keys.find((key) => key.id === id);
  const plainDigest = (token: string): string => `${SHA}:${createHash("sha256").update(token).digest("hex")}`;
  const digest = newest?.digest ?? plainDigest;

  return {
    digest,
    digests: (token) => [...keys.map((key) => key.digest(token)), plainDigest(token)],
    matches(token, stored) {
      const [form, id] = stored.split(":");
      const make = form === SHA ? plainDigest : (named(id)?.digest ?? digest);
      const expected = Buffer.from(make(token));
      const given = Buffer.from(stored);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
    seal(secret) {
      if (newest !== undefined) return `${SEALED}:${newest.id}:${encrypt(newest.sealing, secret)}`;
      if (development) return `${CLEAR}:${secret}`;
      throw new Error(
        "a signing secret can only be stored when APP_HMAC_SECRET is set: it is the key it is sealed with",
      );
    },
    unseal(stored) {
      const [form, id, sealed = ""] = stored.split(":");
      if (development && form === CLEAR) return stored.slice(CLEAR.length + 1);
      const key = named(id);
      if (form !== SEALED || key === undefined) {
        throw new Error("the signing secret is sealed under an APP_HMAC_SECRET that is not set");
      }
      return decrypt(key.sealing, sealed);
    },
    standing(stored) {
      const [form, id] = stored.split(":");
      if (form === SHA || form === CLEAR) return newest === undefined ? "newest" : "older";
      const key = named(id);
      return key === undefined ? "lost" : key === newest ? "newest" : "older";
    },
  };
}

function keyOf(secret: string): Key {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", secret, "", `wavegate ${purpose}`, bytes));
  const id = derive("key id", KEY_ID_BYTES).toString("hex");
  const key = createSecretKey(secret, "utf8");
  return {
    id,
    digest: (token) => `${HMAC}:${id}:${createHmac("sha256", key).update(token).digest("hex")}`,
    sealing: derive("signing secrets at rest", 32),
  };
}

function encrypt(key: Buffer, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
}

function decrypt(key: Buffer, sealed: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString(
    "utf8",
  );
}
