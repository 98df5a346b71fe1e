import * as fc from "fast-check";
import type { CallbackPolicy } from "../../src/outbound/callback-url.ts";
import { bytesOf, dotted, edges4, edges6, IPV4_IN_IPV6, IPV6_NOTATIONS } from "../outbound/address-table.ts";
import { anyText } from "./openapi/values.ts";
import { words } from "./words.ts";

export const policies = fc.record<CallbackPolicy>({
  requireHttps: fc.boolean(),
  allowedHosts: fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    {
      weight: 1,
      arbitrary: fc.constant(["*.example", "intra", "intra.local", "8.8.8.8", "[2A00:0::1]", "*.8"]),
    },
  ),
  allowedPorts: fc.constantFrom([443], [443, 80], "any" as const, "any" as const, "any" as const),
  allowedCidrs: fc.constantFrom(
    [],
    [],
    ["127.0.0.0/8", "10.0.0.0/8", "192.168.0.0/16"],
    ["::1/128", "fd00::/8"],
  ),
  refuseUnknownNames: fc.constant(true),
});

export const partnerHosts = fc.constantFrom(
  null,
  null,
  null,
  null,
  ["*.example", "*.com", "8.8.8.8"],
  ["*.net", "*.0"],
);

/** An octet or a whole address as `inet_aton` reads it. */
const spelling = fc.constantFrom<(value: bigint) => string>(
  (value) => String(value),
  (value) => `0x${value.toString(16)}`,
  (value) => `0${value.toString(8)}`,
  (value) => String(value + 256n),
  (value) => `00${value}`,
);
const ipv4Value = fc.oneof(
  fc.constantFrom(...edges4.map(({ value }) => value)),
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
);
/** Of the ranges that a policy may allow. */
const listedIpv4 = fc
  .tuple(fc.constantFrom(0x7f00_0000n, 0x0a00_0000n, 0xc0a8_0000n), fc.nat(0xffff))
  .map(([network, rest]) => network | BigInt(rest));
const oddIpv4 = fc
  .tuple(ipv4Value, fc.array(spelling, { minLength: 1, maxLength: 5 }))
  .map(([value, writers]) => {
    const octets = bytesOf(value).map(BigInt);
    const head = octets.slice(0, writers.length - 1);
    const tail = octets.slice(writers.length - 1).reduce((sum, octet) => (sum << 8n) | octet, 0n);
    return [...head, tail].map((part, index) => writers[index]!(part)).join(".");
  });
const ipv6Value = fc.oneof(
  fc.constantFrom(...edges6.map(({ value }) => value)),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 125n) - 1n }).map((rest) => (1n << 125n) | rest),
  fc
    .tuple(fc.oneof(ipv4Value, listedIpv4), fc.constantFrom(...Object.values(IPV4_IN_IPV6)))
    .map(([value, embed]) => embed(value)),
);
const ipv6 = fc
  .tuple(ipv6Value, fc.constantFrom(...Object.values(IPV6_NOTATIONS)))
  .map(([value, write]) => write(value));
const goodLabel = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,5}(-[a-z0-9]{1,3})?$/);
const oddLabel = fc.constantFrom(
  ...words("xn--bcher-kva xn-- xn--a- -a a- a_b 0x 0x7f 1 08 bücher ſ ａ ① %61 %2e a% localhost"),
  "\u212a",
  "",
  "a".repeat(63),
  "a".repeat(64),
);
const ending = fc.constantFrom(...words("example Example com org net anexample localx local LOCALHOST"));
const nameOf = (labels: fc.Arbitrary<string>, last: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(labels, { minLength: 1, maxLength: 3 }), last)
    .map(([some, end]) => [...some, end].join("."));

/** The parts of a URL, each as it should be and as it should not. */
const PARTS: readonly { good: fc.Arbitrary<string>; odd: fc.Arbitrary<string> }[] = [
  {
    good: fc.constantFrom("https://", "https://", "https://", "https://", "HTTPS://", "http://"),
    odd: fc.constantFrom(...words("https: https:/ https:/// ftp:// // httpſ:// https:\\\\"), "", "h ttps://"),
  },
  {
    good: fc.constant(""),
    odd: fc.constantFrom("@", "a@", "a:b@", ":@", "a%40", "8.8.8.8@", "\\@", "[", "."),
  },
  {
    good: fc.oneof(
      nameOf(goodLabel, ending),
      fc.oneof(ipv4Value, listedIpv4).map(dotted),
      ipv6.map((text) => `[${text}]`),
      // One of them carries the IPv4 address, the other only looks like it.
      fc
        .tuple(fc.constantFrom("::ffff:", "::"), listedIpv4)
        .map(([start, quad]) => `[${start}${dotted(quad)}]`),
    ),
    odd: fc.oneof(
      oddIpv4,
      fc.tuple(oddLabel, nameOf(goodLabel, ending)).map((parts) => parts.join(".")),
      nameOf(fc.oneof(goodLabel, oddLabel), oddLabel),
      nameOf(goodLabel, ending).map((text) => `${text}.`),
      fc.tuple(ipv6, fc.constantFrom("%eth0", "%25lo", "]", ":", ".1")).map((parts) => `[${parts.join("")}]`),
      fc.nat(6).map((more) => `${`${"a".repeat(60)}.`.repeat(4)}${"b".repeat(more + 5)}`),
      fc.oneof(
        ipv6,
        anyText,
        fc.constantFrom("", ...words("[ [] intra localhost intra.local a.internal a.onion a.invalid")),
      ),
    ),
  },
  {
    good: fc.constantFrom("", "", ":443", ":80", ":8443"),
    odd: fc.oneof(
      fc.nat(70_000).map((number) => `:${number}`),
      fc.constantFrom(":", ":0", ":0443", ":-1", ":+1", ":4e2", "::1", ":٣", ":443:443"),
    ),
  },
  {
    good: fc.constantFrom("", "/", "/ota/callback", "?a=b", "/a?b=/@:[]", "/é", "/%zz", "/.."),
    odd: fc.oneof(
      anyText,
      fc.constantFrom("#", "/#a", "/a b", "\\", "/\t", "/".padEnd(2015, "x"), "/".padEnd(2040, "x")),
    ),
  },
];
const NOISE = ["\t", "\n", "\r", "\0", " ", ...words("\\ / ? # @ : [ ] % . 。 ． - _ \ud800")];
const UNSEEN = ["\u0085", "\u00a0", "\u00ad", "\u200b", "\u2028", "\ufeff"];

/** At most one part that is odd, and sometimes a character somewhere that is. */
export const callbackUrls = fc
  .tuple(
    fc.tuple(...PARTS.map(({ good }) => good)),
    fc.tuple(...PARTS.map(({ odd }) => odd)),
    fc.constantFrom(...PARTS.keys(), -1, -1, -1, -1, -1),
    fc.option(fc.tuple(fc.nat(), fc.constantFrom(...NOISE, ...UNSEEN)), { freq: 2 }),
  )
  .map(([good, odd, which, noise]) => {
    const text = good.map((part, index) => (index === which ? odd[index] : part)).join("");
    if (noise === null || which >= 0) return text;
    const at = noise[0] % (text.length + 1);
    return text.slice(0, at) + noise[1] + text.slice(at);
  });
