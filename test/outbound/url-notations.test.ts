import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type CallbackPolicy, checkCallbackUrl } from "../../src/outbound/callback-url.ts";
import { IPV4_IN_IPV6, IPV6_NOTATIONS, bytesOf, dotted, edges4, edges6 } from "./address-table.ts";

/** Whatever a URL can hold, a family at a time. The policy is open where the family is not about it. */
const policy: CallbackPolicy = {
  requireHttps: true,
  allowedHosts: [],
  allowedPorts: "any",
  allowedCidrs: [],
  refuseUnknownNames: true,
};

function check(text: string, changed: Partial<CallbackPolicy> = {}): string | null {
  const result = checkCallbackUrl(text, { ...policy, ...changed }, null);
  return result.ok ? null : result.reason;
}

/** Each text with the reason that refuses it; null: it passes; undefined: any reason will do. */
type Case = readonly [text: string, reason?: string | null];

function judge(
  t: TestContext,
  family: string,
  cases: readonly Case[],
  changed: Partial<CallbackPolicy> = {},
) {
  for (const [text, expected] of cases) {
    const reason = check(text, changed);
    const shown = JSON.stringify(text);
    if (expected === undefined) assert.notEqual(reason, null, shown);
    else assert.equal(reason, expected, shown);
  }
  t.diagnostic(`${family}: ${cases.length} cases`);
}

const NOT_PUBLIC = "the address is not public";
const NOT_DOTTED = "an IPv4 address is written as four decimal octets";
const NO_HOST = "the host is not valid";
const NO_IPV6 = "the IPv6 address is not valid";
const NO_CONTROLS = "whitespace and control characters are not allowed";
const NO_USER = "user information is not allowed";
const NO_PORT = "the port is not valid";

const hex = (number: number) => `0x${number.toString(16)}`;
const octal = (number: number) => `0${number.toString(8)}`;
const inFullWidth = (text: string) =>
  text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
const circled = (digit: string) => (digit === "0" ? "⓪" : String.fromCharCode(0x245f + Number(digit)));
const escaped = (text: string) => text.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`);
const words = (text: string) => text.split(/\s+/);

/** What a URL parser reads as the IPv4 address all the same. */
const LEGACY_IPV4: Record<string, (value: bigint) => string> = {
  "one number": (value) => String(value),
  "one number in hex": (value) => `0x${value.toString(16)}`,
  "one number in capital hex": (value) => `0X${value.toString(16).toUpperCase()}`,
  "one number in octal": (value) => `0${value.toString(8)}`,
  "octets in hex": (value) => bytesOf(value).map(hex).join("."),
  "octets in octal": (value) => bytesOf(value).map(octal).join("."),
  "three parts": (value) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(value);
    return `${a}.${b}.${c * 256 + d}`;
  },
  "two parts": (value) => `${value >> 24n}.${value & 0xff_ffffn}`,
  "parts of each kind": (value) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(value);
    return `${hex(a)}.${octal(b)}.${c * 256 + d}`;
  },
  "a leading zero": (value) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(value);
    return `${a}.${b}.${c}.${octal(d)}`;
  },
  "a trailing dot": (value) => `${dotted(value)}.`,
  "full-width digits": (value) => inFullWidth(dotted(value)),
  "circled digits": (value) => dotted(value).replace(/\d/g, circled),
  "ideographic full stops": (value) => dotted(value).replaceAll(".", "。"),
  "full-width full stops": (value) => dotted(value).replaceAll(".", "．"),
  "half-width full stops": (value) => dotted(value).replaceAll(".", "｡"),
  "percent escapes": (value) => escaped(dotted(value)),
  "an escaped dot": (value) => dotted(value).replace(".", "%2e"),
  "a soft hyphen": (value) => dotted(value).replace(".", ".\u00ad"),
};

/** What no parser takes for that address. */
const BROKEN_IPV4: Record<string, (value: bigint) => string> = {
  "in brackets": (value) => `[${dotted(value)}]`,
  "five parts": (value) => `${dotted(value)}.0`,
  "two trailing dots": (value) => `${dotted(value)}..`,
  "an empty octet": (value) => dotted(value).replace(".", ".."),
  "an octet over 255": (value) => dotted(value).replace(/\d+$/, (octet) => String(Number(octet) + 256)),
  "a sign": (value) => `+${dotted(value)}`,
  "a prefix length": (value) => `${dotted(value)}%2f32`,
};

test("IPv4 edges, in plain decimal", (t) => {
  const cases = edges4.map(({ value, isPublic }): Case => [
    `https://${dotted(value)}/`,
    isPublic ? null : NOT_PUBLIC,
  ]);
  judge(t, "IPv4 in plain decimal", cases);
});

for (const [name, write] of Object.entries(LEGACY_IPV4)) {
  test(`IPv4 edges, ${name}: refused, though a URL parser reads them`, (t) => {
    for (const { value } of edges4) {
      assert.equal(new URL(`https://${write(value)}/`).hostname, dotted(value), write(value));
    }
    judge(
      t,
      `IPv4 with ${name}`,
      edges4.map(({ value }) => [`https://${write(value)}/`]),
    );
  });
}

for (const [name, write] of Object.entries(BROKEN_IPV4)) {
  test(`IPv4 edges, ${name}: refused`, (t) => {
    judge(
      t,
      `IPv4 with ${name}`,
      edges4.map(({ value }) => [`https://${write(value)}/`]),
    );
  });
}

for (const [name, write] of Object.entries(IPV6_NOTATIONS)) {
  test(`IPv6 edges, ${name}`, (t) => {
    const cases = edges6.map(({ value, isPublic }): Case => [
      `https://[${write(value)}]:8443/`,
      isPublic ? null : NOT_PUBLIC,
    ]);
    judge(t, `IPv6, ${name}`, cases);
  });
}

for (const [form, embed] of Object.entries(IPV4_IN_IPV6)) {
  test(`IPv4 in IPv6, ${form}`, (t) => {
    const cases = edges4.flatMap(({ value }) =>
      Object.values(IPV6_NOTATIONS).map((write): Case => [`https://[${write(embed(value))}]/`, NOT_PUBLIC]),
    );
    judge(t, `IPv4 in IPv6, ${form}`, cases);
  });
}

test("IPv6 written otherwise", (t) => {
  const cases = edges6.flatMap(({ value }): Case[] => {
    const text = IPV6_NOTATIONS["compressed"]!(value);
    return [
      [`https://${text}/`],
      [`https://[${text}/`, NO_HOST],
      [`https://${text}]/`],
      [`https://[[${text}]]/`, NO_HOST],
      [`https://[${text}]x/`, NO_HOST],
      [`https://x[${text}]/`, NO_HOST],
      [`https://[${text}]./`, NO_HOST],
      [`https://[${text}:1:2:3:4:5:6:7:8]/`, NO_IPV6],
      [`https://[${text}.1]/`, NO_IPV6],
      [`https://[${text}/64]/`, NO_HOST],
      [`https://%5b${escaped(text)}%5d/`, NO_HOST],
      [`https://[v1.${text}]/`, NO_IPV6],
      [`https://${text.replaceAll(":", "-").replaceAll("--", "-0-")}.ipv6-literal.net.0/`, NOT_DOTTED],
    ];
  });
  judge(t, "IPv6 otherwise", cases);
});

test("zone ids", (t) => {
  const zones = ["%25eth0", "%eth0", "%251", "%1", "%25", "%", "%25lo", "%00"];
  const cases = edges6.flatMap(({ value }) =>
    zones.map((zone): Case => [`https://[${IPV6_NOTATIONS["compressed"]!(value)}${zone}]/`, NO_IPV6]),
  );
  judge(t, "zone ids", cases);
});

test("trailing dots", (t) => {
  const cases: Case[] = ["partner.example.com", "localhost", "xn--bcher-kva.example"].flatMap(
    (host): Case[] => [
      [`https://${host}./`, NO_HOST],
      [`https://${host}../`, NO_HOST],
      [`https://${host}.:8443/`, NO_HOST],
      [`https://${host}%2e/`, NO_HOST],
      [`https://${host}%2E`, NO_HOST],
      [`https://${host}。/`, NO_HOST],
      [`https://${host}．/`, NO_HOST],
      [`https://${host}｡/`, NO_HOST],
      [`https://.${host}/`, NO_HOST],
      [`https://.${host}./`, NO_HOST],
    ],
  );
  judge(t, "trailing dots", [
    ...cases,
    ["https://8.8.8.8./", NO_HOST],
    ["https://[2a00::1]./", NO_HOST],
    ["https://./", NO_HOST],
    ["https://../", NO_HOST],
  ]);
});

test("IDN: A-labels alone", (t) => {
  const unicode = [
    ...words(`bücher.example BÜCHER.example münchen.example.com пример.example 例え.example مثال.example
      नमूना.example ไทย.example faß.example ΒΌΛΟΣ.example ☃.example 😀.example a。example ｐartner.example
      pаrtner.example ﬁ.example ①.example ℡.example a.ｃom ſ.example ı.example İ.example a.ex℀mple localhoſt
      ⓛocalhost a.ｌocalhost a．b.example 1２7.example ٣.example`),
    "part\u00adner.example",
    "part\u200bner.example",
    "a\u200d.example",
    "a\u2060.example",
    "\ufeffa.example",
    "\u212aafka.example",
    "a\u0301.example",
    "a\u0338b.example",
    "\u202ea.example",
    "\ud800.example",
  ];
  const good = [
    "xn--bcher-kva",
    "xn--mnchen-3ya",
    "xn--e1afmkfd",
    "xn--r8jz45g",
    "XN--BCHER-KVA",
    "xn--fa-hia",
  ];
  const bad = ["xn--", "xn--a-", "xn--localhost-", "xn--b\u00fccher-kva", "-xn--bcher-kva"];
  judge(t, "IDN", [
    ...unicode.map((host): Case => [`https://${host}/`]),
    ...unicode.map((host): Case => [`https://${encodeURIComponent(host.toWellFormed())}/`]),
    ...good.map((label): Case => [`https://${label}.example/`, null]),
    ...bad.map((label): Case => [`https://${label}.example/`]),
  ]);
});

test("any one character in a host: letters, digits, hyphens and dots of ASCII pass, nothing else does", (t) => {
  const letters = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.");
  const points = [
    ...Array.from({ length: 0x1_0000 }, (_, point) => point),
    0x1_d7ce,
    0x1_d41a,
    0x1_f100,
    0xe_0061,
  ];
  judge(
    t,
    "characters in a host",
    points.map((point): Case => {
      const char = String.fromCodePoint(point);
      return letters.has(char) ? [`https://a${char}b.example/`, null] : [`https://a${char}b.example/`];
    }),
  );
});

test("ports", (t) => {
  const invalid = [
    "",
    ...words(`0 00 0443 00443 +443 -443 -1 443. 443.0 4e2 0x1bb 1_000 65536 99999 100000 18446744073709551616 443:443
      :443 443: https ４４３ ٤٤٣ %34%34%33`),
  ];
  const valid = ["1", "80", "443", "8443", "65535"];
  for (const host of ["partner.example", "8.8.8.8", "[2a00::1]"]) {
    judge(t, `ports of ${host}`, [
      ...invalid.map((port): Case => [`https://${host}:${port}/`, NO_PORT]),
      ...valid.map((port): Case => [`https://${host}:${port}/`, null]),
      [`https://${host}:443@/`, NO_USER],
    ]);
  }
  const only = { allowedPorts: [443] };
  const refused = ["1", "22", "25", "80", "442", "444", "6379", "8443", "65535"];
  judge(
    t,
    "ports that are not allowed",
    [
      ...refused.map((port): Case => [`https://partner.example:${port}/`, `the port ${port} is not allowed`]),
      ["https://partner.example:443/", null],
      ["https://partner.example/", null],
    ],
    only,
  );
});

test("credentials", (t) => {
  const users = [
    "",
    ":",
    "user",
    "user:",
    ":secret",
    "user:secret",
    "user:se:cret",
    "a@b",
    "user%40host",
    "8.8.8.8",
  ];
  const hosts = ["partner.example", "8.8.8.8", "[2a00::1]", "127.0.0.1", "localhost"];
  judge(t, "credentials", [
    ...users.flatMap((user) => hosts.map((host): Case => [`https://${user}@${host}/`, NO_USER])),
    ...hosts.map((host): Case => [`https://partner.example@${host}:443/`, NO_USER]),
    // Who reads these otherwise sees another host.
    ["https://partner.example:443@127.0.0.1", NO_USER],
    ["https://partner.example%40127.0.0.1/"],
    ["https://partner.example＠127.0.0.1/"],
    ["https://partner.example﹫127.0.0.1/"],
    ["https://127.0.0.1/@partner.example", NOT_PUBLIC],
    ["https://127.0.0.1?@partner.example", NOT_PUBLIC],
    // After the authority it is a character like any other.
    ["https://partner.example/@127.0.0.1", null],
    ["https://partner.example?user:secret@127.0.0.1", null],
  ]);
});

test("backslashes", (t) => {
  const NO_BACKSLASH = "a backslash is not allowed";
  judge(t, "backslashes", [
    ...words(String.raw`https:\\partner.example/ https:/\partner.example/ https:\/partner.example/
      https://partner.example\ https://partner.example\/ https://partner.example\@127.0.0.1/
      https://127.0.0.1\@partner.example/ https://partner.example:443\@127.0.0.1/ \\partner.example\a
      https://partner.example/\127.0.0.1 https://partner.example/a\b https://partner.example/?\
      https://\partner.example/ \https://partner.example/ https\://partner.example/ https://[2a00::1\]/`).map(
      (text): Case => [text, NO_BACKSLASH],
    ),
    ["https://partner.example%5c@127.0.0.1/", NO_USER],
    ["https://partner.example%5c.127.0.0.1/"],
    ["https://partner.example＼127.0.0.1/"],
    ["https://partner.example﹨x.example/", NO_HOST],
    ["https://partner.example/a%5cb", null],
  ]);
});

test("control characters and whitespace, wherever they stand", (t) => {
  const controls = [...Array.from({ length: 0x20 }, (_, code) => code), ...range(0x7f, 0x9f)];
  const spaces = [
    0x20,
    0xa0,
    0x1680,
    ...range(0x2000, 0x200a),
    0x2028,
    0x2029,
    0x202f,
    0x205f,
    0x3000,
    0xfeff,
  ];
  const url = "https://partner.example:443/path?query";
  const places = [0, 2, 5, 6, 7, 8, 12, 23, 24, 27, 28, 30, 33, url.length];
  const cases = [...controls, ...spaces].flatMap((code) =>
    places.map((at): Case => [url.slice(0, at) + String.fromCharCode(code) + url.slice(at), NO_CONTROLS]),
  );
  judge(t, "control characters and whitespace", cases);
  const inHost = [...controls, ...spaces].map((code): Case => {
    return [`https://partner${encodeURIComponent(String.fromCharCode(code))}.example/`, NO_HOST];
  });
  judge(t, "control characters and whitespace, escaped in the host", inHost);
});

test("schemes and shapes", (t) => {
  const schemes = [
    "http",
    "ftp",
    "file",
    "gopher",
    "ws",
    "wss",
    "data",
    "javascript",
    "blob",
    "unix",
    "httpsx",
    "shttps",
  ];
  judge(t, "schemes", [
    ...schemes.map((scheme): Case => [`${scheme}://partner.example/`]),
    ...["https+unix", "view-source:https", "url:https", "https:https", "h ttps", "ｈttps", "httpſ"].map(
      (scheme): Case => [`${scheme}://partner.example/`],
    ),
    ["https:partner.example"],
    ["https:/partner.example"],
    ["https:///partner.example", "the host is missing"],
    ["https:////partner.example", "the host is missing"],
    ["//partner.example/"],
    ["/path"],
    ["https://?x", "the host is missing"],
    ["https://#x", "a fragment is not allowed"],
    ["HtTpS://partner.example/", null],
  ]);
});

test("names that stand for the machine itself, or for nobody", (t) => {
  const names =
    words(`localhost a.localhost LOCALHOST A.B.LocalHost printer.local a.internal a.onion a.invalid
    metadata.google.internal metadata router com a.LOCAL x.Internal`);
  judge(
    t,
    "special names",
    names.map((name): Case => [`https://${name}/`]),
  );
  // Resembling is not being.
  const others = [
    "notlocalhost.example",
    "localhost.example",
    "mylocal.example",
    "internal.example",
    "a.localx",
  ];
  judge(
    t,
    "names like them",
    others.map((name): Case => [`https://${name}/`, null]),
  );
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
