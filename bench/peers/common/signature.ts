import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/** The key of a secret: the decoded bytes of `whsec_<base64>`, else its UTF-8 bytes. */
export function signingKey(secret: string): KeyObject {
  const bytes = secret.startsWith("whsec_")
    ? Buffer.from(secret.slice(6), "base64")
    : Buffer.from(secret, "utf8");
  return createSecretKey(bytes);
}

/** The headers that sign one attempt of a callback: ours, and those of Standard Webhooks. */
export function signatureHeaders(key: KeyObject, eventId: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const standard = createHmac("sha256", key).update(`${eventId}.${timestamp}.${body}`).digest("base64");
  return {
    "x-callback-signature": createHmac("sha256", key).update(body).digest("hex"),
    "webhook-id": eventId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${standard}`,
  };
}
