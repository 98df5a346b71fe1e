import { readFileSync } from "node:fs";
import { join } from "node:path";
import { callbackHeaders, signingKey } from "../../src/outbound/signature.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/verify-a-callback.md");

/** The one block of the document in this language, as it stands there. */
export function exampleIn(language: "typescript" | "python" | "bash"): string {
  const text = readFileSync(DOCUMENT, "utf8");
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language);
  if (blocks.length !== 1) throw new Error(`${blocks.length} blocks of ${language} instead of one`);
  return blocks[0]![2]!;
}

/** A request as a partner receives it, with lower-case header names. */
export interface CallbackCase {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly secret: string;
  readonly nowSecs: number;
  readonly genuine: boolean;
}

const [NEW, OLD, PLAIN] = [
  "whsec_d2F2ZWdhdGUgZXhhbXBsZSBzaWduaW5nIHNlY3JldCE=",
  "whsec_dGhlIHNlY3JldCBiZWZvcmUgdGhhdCBvbmU=",
  "a secret in plain words: ñ ราชบุรี",
];
const NOW = 1_800_000_000;
const BODY = `{"event":"order.ticketed","order":{"buyer":"สมหญิง \\u0000 $HOME \`x\` %s 'y'"}}`;

/** What the gateway's own code sends, whole or changed on its way. */
export function callbackCases(): CallbackCase[] {
  const sent = (body: string, ...secrets: string[]) => {
    const keys = secrets.map(signingKey);
    const headers = callbackHeaders({ body, eventId: "evt_1", timestampSecs: NOW, keys });
    return { headers: lowerCase(headers), body: Buffer.from(body), secret: secrets[0]!, nowSecs: NOW };
  };
  const one = sent(BODY, NEW);
  const two = sent(BODY, NEW, OLD);
  const [first] = one.headers["webhook-signature"]!.split(" ");
  const withHeader = (name: string, value: string) => ({ headers: { ...one.headers, [name]: value } });
  const genuine = [
    { name: "as sent", ...one },
    { name: "two signatures, the new secret", ...two },
    { name: "two signatures, the old secret", ...two, secret: OLD },
    { name: "a secret in plain words", ...sent(BODY, PLAIN) },
    { name: "a line end in the body", ...sent(`${BODY}\n\n`, NEW) },
    { name: "an empty body", ...sent("", NEW) },
    {
      name: "beside a signature of another kind",
      ...one,
      ...withHeader("webhook-signature", `v1a,x ${first}`),
    },
    { name: "five minutes old", ...one, nowSecs: NOW + 300 },
    { name: "five minutes ahead", ...one, nowSecs: NOW - 300 },
    { name: "the document's own", ...documentsOwn() },
  ];
  const forged = [
    { name: "another body", ...one, body: Buffer.from(`${BODY} `) },
    { name: "a body without its line end", ...sent(`${BODY}\n`, NEW), body: Buffer.from(BODY) },
    { name: "another secret", ...one, secret: OLD },
    { name: "another id", ...one, ...withHeader("webhook-id", "evt_2") },
    { name: "another time", ...one, ...withHeader("webhook-timestamp", String(NOW + 1)) },
    { name: "too old", ...one, nowSecs: NOW + 301 },
    { name: "too far ahead", ...one, nowSecs: NOW - 301 },
    { name: "a time that is none", ...one, ...withHeader("webhook-timestamp", `${NOW}.0`) },
    { name: "no signature", ...one, ...withHeader("webhook-signature", "") },
    { name: "an empty signature", ...one, ...withHeader("webhook-signature", "v1,") },
    { name: "a star", ...one, ...withHeader("webhook-signature", "*") },
    { name: "half a signature", ...one, ...withHeader("webhook-signature", first!.slice(0, 20)) },
    {
      name: "a signature of another version",
      ...one,
      ...withHeader("webhook-signature", `v2${first!.slice(2)}`),
    },
    { name: "no headers", ...one, headers: {} },
  ];
  return [
    ...genuine.map((each) => ({ ...each, genuine: true })),
    ...forged.map((each) => ({ ...each, genuine: false })),
  ];
}

function documentsOwn() {
  const text = readFileSync(DOCUMENT, "utf8");
  const field = (name: string): string => new RegExp(`^${name} +(.+)$`, "m").exec(text)![1]!;
  const [timestamp, signature] = [field("webhook-timestamp"), field("signature")];
  return {
    headers: {
      "webhook-id": field("webhook-id"),
      "webhook-timestamp": timestamp,
      "webhook-signature": signature,
    },
    body: Buffer.from(field("body")),
    secret: field("secret"),
    nowSecs: Number(timestamp),
  };
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
