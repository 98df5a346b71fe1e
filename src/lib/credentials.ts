import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

/**
 * Digests of tokens and seals of secrets, both under APP_HMAC_SECRET (SPEC section 2). What is stored tells how
 * it was made, so that setting the key later leaves earlier digests valid.
 */
export interface Credentials {
  /** The form in which a token is stored: HMAC-SHA256 under the key, or SHA-256 without one. */
  digest(token: string): string;
  /** Every digest that the token may be stored under. */
  digests(token: string): string[];
  /** Compares in a time that doesn't depend on where they differ. */
  matches(token: string, digest: string): boolean;
  /** @throws Error without a key: a secret is never stored in the clear outside development */
  seal(secret: string): string;
  /** @throws Error when it was sealed under another key or changed */
  unseal(sealed: string): string;
}

const HMAC = "hmac-sha256:";
const SHA = "sha256:";
const SEALED = "aes-256-gcm:";
const CLEAR = "clear:";
const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createCredentials(options: { key: string | null; development: boolean }): Credentials {
  const { key, development } = options;
  const sealingKey =
    key === null ? null : Buffer.from(hkdfSync("sha256", key, "", "wavegate signing secrets at rest", 32));
  const plainDigest = (token: string): string => SHA + createHash("sha256").update(token).digest("hex");
  const keyedDigest = (token: string): string =>
    key === null ? plainDigest(token) : HMAC + createHmac("sha256", key).update(token).digest("hex");

  return {
    digest: keyedDigest,
    digests: (token) => [...new Set([keyedDigest(token), plainDigest(token)])],
    matches(token, digest) {
      const expected = Buffer.from(digest.startsWith(SHA) ? plainDigest(token) : keyedDigest(token));
      const given = Buffer.from(digest);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
    seal(secret) {
      if (sealingKey === null) {
        if (development) return CLEAR + secret;
        throw new Error(
          "a signing secret can only be stored when APP_HMAC_SECRET is set: it is the key it is sealed with",
        );
      }
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", sealingKey, iv);
      const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
      return SEALED + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString("base64");
    },
    unseal(sealed) {
      if (development && sealed.startsWith(CLEAR)) return sealed.slice(CLEAR.length);
      if (sealingKey === null || !sealed.startsWith(SEALED)) {
        throw new Error("the signing secret is sealed under an APP_HMAC_SECRET that is not set");
      }
      const bytes = Buffer.from(sealed.slice(SEALED.length), "base64");
      const decipher = createDecipheriv("aes-256-gcm", sealingKey, bytes.subarray(0, IV_BYTES));
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const secret = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      return secret.toString("utf8");
    },
  };
}
