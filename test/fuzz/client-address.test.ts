import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { clientAddress } from "../../src/http/client-address.ts";
import { cidrSet } from "../../src/lib/cidr.ts";
import { IPV6_NOTATIONS } from "../outbound/address-table.ts";
import { isWithin, type ReadAddress, readAddress } from "./addresses.ts";
import { cases, createTally } from "./runs.ts";
import { words } from "./words.ts";

const TRUSTED = ["10.0.0.0/8", "192.0.2.0/31", "fd00::/8", "2001:db8::/127"];
const proxies = cidrSet(TRUSTED);

/** What SPEC leaves open, as the code has it. */
const MAX_PROXIES = 32;
const MAX_ENTRY_CHARS = 64;

/** SPEC section 3, "Client address", word by word. Null: `403`. */
function expected(socket: string | undefined, lines: readonly string[]): ReadAddress | null {
  let address = readAddress(socket?.split("%")[0] ?? "");
  // "X-Forwarded-For (repeated ones joined) from the right"
  const entries = lines.length === 0 ? [] : lines.join(",").split(",").toReversed();
  for (const [passed, entry] of entries.entries()) {
    // "the socket's, unless that is a trusted proxy; ... past trusted proxies"
    if (address === null || !isTrusted(address)) return address;
    address = passed < MAX_PROXIES && entry.length <= MAX_ENTRY_CHARS ? readEntry(entry) : null;
  }
  // "all trusted: the leftmost"
  return address;
}

function isTrusted(address: ReadAddress): boolean {
  return TRUSTED.some((cidr) => isWithin(address, cidr));
}

/** "A plain address or [v6], with or without a port." */
function readEntry(entry: string): ReadAddress | null {
  const text = entry.replace(/^[ \t]*/, "").replace(/[ \t]*$/, "");
  const [, bracketed, after = ""] = /^\[(.*)\](.*)$/.exec(text) ?? [];
  if (bracketed !== undefined)
    return bracketed.includes(":") && isPort(after) ? readAddress(bracketed) : null;
  const parts = text.split(":");
  if (parts.length === 2) return isPort(`:${parts[1]}`) ? readAddress(parts[0]!) : null;
  return readAddress(text);
}

function isPort(text: string): boolean {
  return text === "" || (/^:[0-9]{1,5}$/.test(text) && Number(text.slice(1)) <= 65_535);
}

const ipv4 = fc.oneof(
  fc.ipV4(),
  fc.nat(0xff_ffff).map((rest) => `10.${rest >> 16}.${(rest >> 8) & 255}.${rest & 255}`),
  fc.constantFrom("192.0.2.0", "192.0.2.1", "192.0.2.2", "9.255.255.255", "11.0.0.0", "0.0.0.0"),
);
const groups = fc.array(fc.oneof(fc.constantFrom(0, 0xffff), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
const numbers = fc.oneof(
  groups.map((each) => each.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)),
  fc.constantFrom(0xfd_00n << 112n, (0xfe_00n << 112n) - 1n, 0x2001_0db8n << 96n, (0x2001_0db8n << 96n) + 2n),
  fc.nat(0xffff_ffff).map((quad) => 0xffff_0000_0000n | BigInt(quad)),
  // Looks much like the one before, and carries nothing.
  fc.nat(0xffff_ffff).map(BigInt),
  fc.constantFrom(0xffff_0a00_0001n, 0xffff_c000_0202n),
);
const ipv6 = fc
  .tuple(numbers, fc.constantFrom(...Object.values(IPV6_NOTATIONS)))
  .map(([value, write]) => write(value));
const port = fc.oneof(
  fc.nat(70_000).map(String),
  fc.constantFrom("", "0", "00080", "65535", "65536", "-1", "x"),
);
const blanks = fc.constantFrom("", "", " ", " ", "\t", "  \t", "\u00a0", " ".repeat(70));
const nonsense = fc.oneof(
  fc.constantFrom(
    "",
    ...words(
      "unknown _hidden 10.1 0x0a.0.0.1 010.0.0.1 [10.0.0.1] ::1%lo [ ]:1 : :: [[::1]] ::ffff:10.0.0.256",
    ),
    ...words('"10.0.0.1" for=10.0.0.1 10.0.0.1; 1::2::3'),
  ),
  fc.string({ unit: fc.constantFrom(" ", ...words("0 1 2 9 a f x : : . . [ ] %")) }),
);
const entry = fc
  .tuple(
    blanks,
    fc.oneof(
      { weight: 8, arbitrary: ipv4 },
      { weight: 3, arbitrary: fc.tuple(ipv4, port).map(([address, end]) => `${address}:${end}`) },
      { weight: 5, arbitrary: ipv6 },
      { weight: 3, arbitrary: ipv6.map((address) => `[${address}]`) },
      { weight: 3, arbitrary: fc.tuple(ipv6, port).map(([address, end]) => `[${address}]:${end}`) },
      { weight: 3, arbitrary: nonsense },
    ),
    blanks,
  )
  .map((parts) => parts.join(""));
const trusted = fc.constantFrom(
  "10.0.0.1",
  " 10.9.9.9:80",
  "fd00::7",
  "[fd12::1]:9",
  "::ffff:10.0.0.2",
  "192.0.2.1",
);
const chain = fc
  .tuple(fc.array(entry, { maxLength: 4 }), fc.array(trusted, { maxLength: 40, size: "max" }), fc.boolean())
  .map(([others, proxies, long]) => [...others, ...proxies.slice(0, long ? 40 : 3)]);
const lines = fc.tuple(chain, fc.array(fc.nat(9), { maxLength: 3 })).map(([entries, cuts]) => {
  const at = [0, ...cuts.toSorted((left, right) => left - right), entries.length];
  const parts = at.slice(1).map((end, index) => entries.slice(at[index], end).join(","));
  return entries.length === 0 ? parts.slice(1) : parts;
});
const socket = fc.oneof(
  { weight: 6, arbitrary: trusted.map((text) => text.replace(/^ |:80$|^\[|\]:9$/g, "")) },
  { weight: 2, arbitrary: fc.oneof(ipv4, ipv6) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, "", "fe80::1%eth0", "::ffff:10.0.0.1") },
);

test("X-Forwarded-For is read as SPEC says, whatever it holds", (t) => {
  const tally = createTally();
  fc.assert(
    fc.property(socket, lines, (from, forwarded) => {
      const told = clientAddress(from, forwarded, proxies);
      const wanted = expected(from, forwarded);
      assert.deepEqual(told === null ? null : readAddress(told), wanted);
      tally.add(wanted === null ? "nobody" : isTrusted(wanted) ? "a proxy's own" : "a client");
      if (told !== null) assert.equal(told, normal(told), "in its normal spelling");
    }),
    cases(6000),
  );
  tally.tell(t, "X-Forwarded-For");
  for (const family of ["nobody", "a proxy's own", "a client"]) assert.ok(tally.count(family) > 100, family);
});

/** By WHATWG's URL, which writes RFC 5952. */
function normal(address: string): string {
  const { hostname } = new URL(`http://${address.includes(":") ? `[${address}]` : address}/`);
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
