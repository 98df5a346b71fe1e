import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../../support/databases.ts";
import { orderText } from "./bodies.ts";
import {
  CLOSE,
  head,
  HOST,
  type Hostile,
  JSON_TYPE,
  layIn,
  listed,
  PARTNER,
  POST,
  type Siege,
  TOKEN,
} from "./siege.ts";

const ORDER = orderText();
const LENGTH = `Content-Length: ${Buffer.byteLength(ORDER)}`;
const ID = "X-Partner-Id: demo";

/** A good order under these header lines, sent as Latin-1: a header is bytes. */
const under = (...lines: readonly string[]) =>
  Buffer.from(head(POST, HOST, CLOSE, LENGTH, ...lines) + ORDER, "latin1");
const each = (status: number, cases: Readonly<Record<string, readonly string[]>>): Hostile[] =>
  Object.entries(cases).map(([name, lines]) => ({ name, bytes: under(...lines), answers: [status] }));
const valuesOf = (header: string, values: readonly string[], ...others: readonly string[]) =>
  Object.fromEntries(values.map((value) => [value.slice(0, 60), [`${header}: ${value}`, ...others]]));

const TYPES = listed(`
  json | */* | text/plain | text/json | application/* | application/jsonp | application/json5 | application/x-json
  application/ld+json | application/problem+json | application/vnd.api+json | application/x-www-form-urlencoded
  multipart/form-data; boundary=x | application/octet-stream | application\\json | application/ json | application /json
  application/json, application/json | application/json; charset=latin1 | application/json; charset=utf-16
  application/json; charset=utf8 | application/json; charset=utf-8; charset=utf-8 | application/json; | application/json; q=1
  application/json; charset | application/json; charset= | application/json charset=utf-8 | application/json;;charset=utf-8
  "application/json" | application/json; boundary=x | application/json; charset='utf-8' | application/json; charset = utf-8
  application/json; charset="utf-8"; x=y | application/jsoN\u00fc
`).concat("", "application/json\u00a0", `application/json;${" ".repeat(4000)}x`);
const ENCODINGS = [
  "gzip",
  "br",
  "deflate",
  "compress",
  "zstd",
  "identity, gzip",
  "identity, identity",
  "x",
  "",
  "identity;q=1",
];

const WRONG_TYPES = each(415, {
  ...valuesOf("Content-Type", TYPES, ...PARTNER),
  none: PARTNER,
  two: [...PARTNER, JSON_TYPE, JSON_TYPE],
  "two, one wrong": [...PARTNER, JSON_TYPE, "content-type: text/plain"],
  "under another name": [...PARTNER, "Content_Type: application/json"],
  ...valuesOf("Content-Encoding", ENCODINGS, ...PARTNER, JSON_TYPE),
  "two encodings": [...PARTNER, JSON_TYPE, "Content-Encoding: identity", "Content-Encoding: gzip"],
});

const WRONG_CREDENTIALS = each(401, {
  "the same id twice": [ID, ID, TOKEN, JSON_TYPE],
  "two ids": [ID, "X-Partner-Id: other", TOKEN, JSON_TYPE],
  "two ids in two cases": [ID, "x-partner-ID: demo", TOKEN, JSON_TYPE],
  "the same token twice": [ID, TOKEN, TOKEN, JSON_TYPE],
  "two tokens": [ID, TOKEN, "X-PARTNER-TOKEN: other", JSON_TYPE],
  "two tokens, the right one last": [ID, "X-Partner-Token: other", TOKEN, JSON_TYPE],
  "both twice": [...PARTNER, ...PARTNER, JSON_TYPE],
  "ids joined": ["X-Partner-Id: demo, demo", TOKEN, JSON_TYPE],
  "tokens joined": [ID, "X-Partner-Token: demotoken, demotoken", JSON_TYPE],
  "a quoted id": ['X-Partner-Id: "demo"', TOKEN, JSON_TYPE],
  "another case": ["X-Partner-Id: DEMO", TOKEN, JSON_TYPE],
  underscores: ["X_Partner_Id: demo", "X_Partner_Token: demotoken", JSON_TYPE],
  "an empty id": ["X-Partner-Id:", TOKEN, JSON_TYPE],
  "an empty token": [ID, "X-Partner-Token:", JSON_TYPE],
  "no id": [TOKEN, JSON_TYPE],
  "no token": [ID, JSON_TYPE],
  nothing: [JSON_TYPE],
  "a no-break space": ["X-Partner-Id: demo\u00a0", TOKEN, JSON_TYPE],
  "no ASCII": ["X-Partner-Id: d\u00e9mo", "X-Partner-Token: \u00ff", JSON_TYPE],
  "a long id": [`X-Partner-Id: ${"d".repeat(8000)}`, TOKEN, JSON_TYPE],
  "a long token": [ID, `X-Partner-Token: ${"t".repeat(8000)}`, JSON_TYPE],
  "what SQL might take": ["X-Partner-Id: demo'--", "X-Partner-Token: ' or 1=1", JSON_TYPE],
  "what a pattern might take": ["X-Partner-Id: %", "X-Partner-Token: *", JSON_TYPE],
  "what an object has": ["X-Partner-Id: __proto__", "X-Partner-Token: constructor", JSON_TYPE],
  "a bearer token": ["Authorization: Bearer demotoken", JSON_TYPE],
  "in a cookie": ["Cookie: X-Partner-Id=demo; X-Partner-Token=demotoken", JSON_TYPE],
  "hundreds of other headers first": [...Array(300).fill("X-Other: 1"), ID, ID, TOKEN, JSON_TYPE],
});

const key = (value: string) => [...PARTNER, JSON_TYPE, `Idempotency-Key: ${value}`];
const WRONG_KEYS = each(400, {
  empty: key(""),
  "quotes around nothing": key('""'),
  "with a blank": key("a b"),
  "with a tab": key("a\tb"),
  "too long": key("k".repeat(256)),
  "too long in quotes": key(`"${"k".repeat(256)}"`),
  "no ASCII": key("k\u00e9"),
  "the same twice": [...key("twice"), "Idempotency-Key: twice"],
  two: [...key("one"), "idempotency-key: two"],
  "with NUL": key("a\0b"),
  "with a control character": key("a\u0001b"),
  "with DEL": key("a\u007fb"),
});

const TOO_LARGE = each(431, {
  "one header of 20 KB": [`X-Long: ${"x".repeat(20_000)}`],
  "a thousand headers": Array.from({ length: 1000 }, (_, n) => `X-${n}: ${n}`),
  "ten thousand headers": Array(10_000).fill("a:"),
  "a name of 20 KB": [`${"n".repeat(20_000)}: x`],
}).concat({
  name: "a target of 20 KB",
  bytes: head(`GET /${"x".repeat(20_000)} HTTP/1.1`, HOST),
  answers: [431],
});

/** X-Forwarded-For lines as a trusted proxy (this very client) passes them on. */
const unclear = (...lines: readonly string[]) => [
  ...PARTNER,
  JSON_TYPE,
  ...lines.map((line) => `X-Forwarded-For: ${line}`),
];
const UNCLEAR = listed(`
  , | unknown | UNKNOWN | _hidden | localhost | partner.example | 203.0.113 | 203.0.113.9.1 | 203.0.113.256 | 0xcb007109
  0xcb.0.113.9 | 0313.0.113.9 | 3405803785 | 203.0.113.9: | 203.0.113.9:99999 | 203.0.113.9:8o | 203.0.113.9:-1
  203.0.113.9:80:80 | 203.0.113.9 80 | 203.0.113.9/32 | [203.0.113.9] | [203.0.113.9]:80 | 2001:db8::9] | [2001:db8::9
  [2001:db8::9]x | [2001:db8::9]: | [2001:db8::9]:99999 | [[2001:db8::9]] | [] | []:80 | fe80::1%eth0 | [fe80::1%25eth0]:80
  "203.0.113.9" | "[2001:db8::9]:80" | for=203.0.113.9 | 203.0.113.9;proto=https | ::ffff:203.0.113 | ::ffff:203.0.113.256
  1::2::3 | 12345:: | ::: | 2001:db8::9:80:1:2:3:4:5 | 203.0.113.9\u00e9 | 203.0.113.9, | 203.0.113.9, unknown
`).concat("", " ", "\u00a0203.0.113.9", "1".repeat(5000));
const UNCLEAR_ADDRESSES = each(403, {
  ...Object.fromEntries(UNCLEAR.map((value) => [value.slice(0, 60), unclear(value)])),
  "unclear behind a proxy of ours": unclear("unknown, 127.0.0.1"),
  "unclear on the last of two lines": unclear("203.0.113.9", "unknown"),
  "an empty last line": unclear("203.0.113.9", ""),
  "no end of proxies": unclear(Array(40).fill("127.0.0.1").join()),
});

/** What stands where, and who the client is by that. */
const CLEAR: readonly (readonly [lines: readonly string[], address: string])[] = [
  [["203.0.113.9"], "203.0.113.9"],
  [["203.0.113.9:8080"], "203.0.113.9"],
  [["[2001:db8::9]"], "2001:db8::9"],
  [["[2001:DB8:0:0::9]:443"], "2001:db8::9"],
  [["2001:db8::9"], "2001:db8::9"],
  [["::ffff:203.0.113.9"], "203.0.113.9"],
  [["::ffff:cb00:7109"], "203.0.113.9"],
  [["[::ffff:203.0.113.9]:80"], "203.0.113.9"],
  [["unknown, 198.51.100.1, 203.0.113.9 , 127.0.0.1"], "203.0.113.9"],
  [["198.51.100.1", "203.0.113.9", "127.0.0.1,127.0.0.1:80,[::ffff:127.0.0.1]"], "203.0.113.9"],
  [["127.0.0.1"], "127.0.0.1"],
  [[], "127.0.0.1"],
];

onEachDatabase("hostile headers", (kind) => {
  let siege: Siege;
  before(async () => {
    siege = await layIn(kind, {
      PARTNERS_JSON: JSON.stringify([
        { id: "demo", name: "Demo", token: "demotoken", rate_limit: { capacity: 1e6, per_sec: 1e6 } },
        { id: "elsewhere", name: "Elsewhere", token: "demotoken", allowlist_cidrs: ["192.0.2.0/24"] },
      ]),
    });
  });
  after(() => siege?.stop());

  for (const [family, hostiles] of Object.entries({
    "wrong and decorated content types": WRONG_TYPES,
    "repeated and wrong X-* headers": WRONG_CREDENTIALS,
    "wrong and repeated keys": WRONG_KEYS,
    "too much of headers": TOO_LARGE,
    "unclear addresses": UNCLEAR_ADDRESSES,
  })) {
    test(family, (t) => siege.withstand(t, family, hostiles));
  }

  test("clear addresses", async (t) => {
    for (const [lines, address] of CLEAR) {
      const forwarded = lines.map((line) => `X-Forwarded-For: ${line}`);
      const [answer] = await siege.exchange(under("X-Partner-Id: elsewhere", TOKEN, JSON_TYPE, ...forwarded));
      const { detail } = JSON.parse(answer!.body) as { detail: string };
      assert.deepEqual(
        [answer!.status, detail],
        [403, `source IP not allowlisted: ${address}`],
        lines.join(" | "),
      );
    }
    t.diagnostic(`clear addresses: ${CLEAR.length} cases`);
  });

  test("nothing of all that is kept in memory", () => siege.assertLittleIsHeld());
});
