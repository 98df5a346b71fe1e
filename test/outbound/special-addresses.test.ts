import assert from "node:assert/strict";
import { isIP, isIPv6 } from "node:net";
import { type TestContext, test } from "node:test";
import * as fc from "fast-check";
import { isPublicAddress } from "../../src/outbound/special-addresses.ts";
import table from "../../src/outbound/special-purpose-addresses.json" with { type: "json" };
import {
  IPV4_IN_IPV6,
  IPV6_NOTATIONS,
  bytesOf,
  dotted,
  edges4,
  edges6,
  isPublic4,
  isPublic6,
} from "./address-table.ts";

/** RFC 6890's registries as IANA keeps them, with what is multicast, site-local, embedded or a cloud's own. */
const IPV4_ROWS = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
  192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
  198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32`;
const IPV6_ROWS = `::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64
  100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32
  2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20
  5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`;

const LAST_IPV4 = (1n << 32n) - 1n;
const LAST_IPV6 = (1n << 128n) - 1n;

function agree(
  t: TestContext,
  family: string,
  cases: readonly (readonly [text: string, isPublic: boolean])[],
) {
  for (const [text, expected] of cases) assert.equal(isPublicAddress(text), expected, text);
  t.diagnostic(`${family}: ${cases.length} cases`);
}

const words = (text: string) => text.split(/\s+/);

test("the table is whole", () => {
  const sorted = (rows: readonly string[]) => rows.toSorted();
  assert.deepEqual(sorted(table.ipv4.map(({ cidr }) => cidr)), sorted(words(IPV4_ROWS)));
  assert.deepEqual(sorted(table.ipv6.map(({ cidr }) => cidr)), sorted(words(IPV6_ROWS)));
  assert.deepEqual(table.ipv6_allow, ["2000::/3"]);
});

test("the edges of IPv4", (t) => {
  agree(
    t,
    "IPv4 edges",
    edges4.map(({ value, isPublic }) => [dotted(value), isPublic]),
  );
  assert.ok(edges4.some(({ isPublic }) => isPublic));
});

for (const [name, write] of Object.entries(IPV6_NOTATIONS)) {
  test(`the edges of IPv6, ${name}`, (t) => {
    const cases = edges6.map(({ value, isPublic }) => [write(value), isPublic] as const);
    for (const [text] of cases) assert.ok(isIPv6(text), text);
    agree(t, `IPv6 edges, ${name}`, cases);
    assert.ok(edges6.some(({ isPublic }) => isPublic));
  });
}

for (const [form, embed] of Object.entries(IPV4_IN_IPV6)) {
  test(`IPv4 in IPv6, ${form}: never public`, (t) => {
    const texts = edges4.flatMap(({ value }) =>
      Object.values(IPV6_NOTATIONS).map((write) => write(embed(value))),
    );
    for (const text of texts) assert.ok(isIPv6(text), text);
    agree(
      t,
      `IPv4 in IPv6, ${form}`,
      texts.map((text) => [text, false]),
    );
  });
}

test("any address is public as the table says, in any notation; no embedded one is", () => {
  const notation = fc.constantFrom(...Object.values(IPV6_NOTATIONS));
  const embedding = fc.constantFrom(...Object.values(IPV4_IN_IPV6));
  const ipv4 = fc.bigInt({ min: 0n, max: LAST_IPV4 });
  // Half of them under 2000::/3, where it is the deny list that counts.
  const ipv6 = fc.oneof(
    fc.bigInt({ min: 0n, max: LAST_IPV6 }),
    fc.bigInt({ min: 1n << 125n, max: (1n << 126n) - 1n }),
  );
  const property = fc.property(ipv4, ipv6, embedding, notation, (four, six, embed, write) => {
    assert.equal(isPublicAddress(dotted(four)), isPublic4(four));
    assert.equal(isPublicAddress(write(six)), isPublic6(six));
    assert.equal(isPublicAddress(write(embed(four))), false);
  });
  fc.assert(property, { numRuns: 500 });
});

test("a zone names an interface, not an address", (t) => {
  const texts = edges6.flatMap(({ value }) => {
    const text = IPV6_NOTATIONS["compressed"]!(value);
    return [`${text}%eth0`, `${text}%1`, `${text}%25eth0`, `${text}%`];
  });
  agree(
    t,
    "zone ids",
    texts.map((text) => [text, false]),
  );
});

test("the legacy notations of IPv4 are no addresses, whatever inet_aton makes of them", (t) => {
  const texts = edges4.flatMap(({ value }) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytesOf(value);
    const octal = (byte: number) => `0${byte.toString(8)}`;
    const hex = (byte: number) => `0x${byte.toString(16)}`;
    return [
      String(value),
      `0x${value.toString(16)}`,
      `0${value.toString(8)}`,
      [a, b, c, d].map(octal).join("."),
      [a, b, c, d].map(hex).join("."),
      `${a}.${b}.${c * 256 + d}`,
      `${a}.${(b * 256 + c) * 256 + d}`,
      `${a}.${b}.${c}.${octal(d)}`,
      `${hex(a)}.${b}.${c}.${d}`,
      `${dotted(value)}.`,
      `${dotted(value)}.0`,
    ];
  });
  agree(
    t,
    "legacy IPv4 notations",
    texts.map((text) => [text, false]),
  );
});

test("text that is no address is not public", (t) => {
  const written = `localhost partner.example 8.8.8 8.8.8.8.8 8.8.8.256 -8.8.8.8 8.8.8.8:53 8.8.8.8/32 ８.８.８.８ 8.8.8.८
    [2a00::1] 2a00::1/128 2a00:::1 2a00::1::1 2a00::g 2a00 : ::ffff:8.8.8 ::ffff:8.8.8.8:80 2a00::8.8.8.256
    2a00::01.2.3.4 1:2:3:4:5:6:7:8:9 2a00::00001 null undefined NaN`;
  const texts = [
    ...words(written),
    "",
    " ",
    " 8.8.8.8",
    "8.8.8.8 ",
    "8.8.8.8\n",
    "8.8.8.8\u0000",
    "2a00::1 ",
    "8.8.8.8,8.8.4.4",
  ];
  for (const text of texts) assert.equal(isIP(text), 0, text);
  agree(
    t,
    "no addresses",
    texts.map((text) => [text, false]),
  );
});

test("the addresses everybody knows", (t) => {
  const isPublic = words("8.8.8.8 1.1.1.1 2606:4700::1111 172.32.0.1 2a00::1");
  const isNot =
    words(`127.0.0.1 10.0.0.1 169.254.169.254 0.0.0.0 255.255.255.255 224.0.0.1 100.64.0.1 192.0.0.192
    100.100.100.200 168.63.129.16 fd00:ec2::254 fd20:ce::254 :: ::1 fe80::1 fd00::1 ff02::1 ::ffff:127.0.0.1
    ::ffff:8.8.8.8 64:ff9b::7f00:1 2002:7f00:1:: ::127.0.0.1 ::ffff:0:127.0.0.1 2001:0:7f00:1::`);
  agree(t, "known addresses", [
    ...isPublic.map((text) => [text, true] as const),
    ...isNot.map((text) => [text, false] as const),
  ]);
});
