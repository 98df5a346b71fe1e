import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cidrSet, normalAddress, parseAddress, parseCidr } from "../../src/lib/cidr.ts";

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));

test("an address has one normal spelling", () => {
  assert.equal(normalAddress("192.0.2.1"), "192.0.2.1");
  assert.equal(normalAddress("2001:0DB8:0:0::1"), "2001:db8::1");
  assert.equal(normalAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(normalAddress("::FFFF:c000:201"), "192.0.2.1");
  assert.equal(normalAddress("::1"), "::1");
});

test("what is not plainly an address is none", () => {
  const texts = [
    "",
    "1",
    "1.2.3",
    "127.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "01.2.3.4",
    "2130706433",
    "1.2.3.4 ",
    " ::1",
  ];
  const more = [
    "1.2.3.256",
    "1.2.3.4.5",
    "fe80::1%eth0",
    "[::1]",
    "::ffff:0x7f.1",
    "::ffff:01.2.3.4",
    "1.2.3.4/8",
    "a",
  ];
  for (const text of [...texts, ...more, "1.2.3.4\n", "١.٢.٣.٤"])
    assert.equal(parseAddress(text), null, text);
});

test("an address and its IPv4-mapped form are the same", () => {
  fc.assert(
    fc.property(octets, (parts) => {
      const text = parts.join(".");
      assert.equal(normalAddress(text), text);
      assert.equal(normalAddress(`::ffff:${text}`), text);
    }),
  );
});

test("an IPv6 address that only looks like an IPv4-mapped one is an IPv6 address", () => {
  assert.equal(normalAddress("::10.1.2.3"), "::a01:203");
  assert.equal(normalAddress("::1:10.1.2.3"), "::1:a01:203");
  assert.equal(normalAddress("64:ff9b::10.1.2.3"), "64:ff9b::a01:203");
  assert.equal(normalAddress("1:2:3:4:5:6:0.0.0.255"), "1:2:3:4:5:6:0:ff");
  const set = cidrSet(["10.0.0.0/8"]);
  assert.equal(set.contains("::10.1.2.3"), false);
  assert.equal(set.contains("::ffff:10.1.2.3"), true);
  assert.equal(cidrSet(["::10.0.0.0/104"]).contains("10.1.2.3"), false);
});

test("a CIDR covers exactly the addresses that share its prefix", () => {
  const toNumber = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 256 + part, 0);
  fc.assert(
    fc.property(octets, octets, fc.nat(32), (network, address, length) => {
      const size = 2 ** (32 - length);
      const shares = Math.floor(toNumber(network) / size) === Math.floor(toNumber(address) / size);
      const set = cidrSet([`${network.join(".")}/${length}`]);
      assert.equal(set.contains(address.join(".")), shares);
      assert.equal(set.contains(network.join(".")), true);
    }),
  );
});

test("a CIDR may have host bits, may be a plain address, and may be IPv4-mapped", () => {
  const set = cidrSet(["10.1.2.3/8", "192.0.2.7", "::ffff:172.16.0.0/108", "2001:db8::1/32"]);
  for (const inside of ["10.255.255.255", "192.0.2.7", "172.31.0.1", "::ffff:10.0.0.1", "2001:db8:ffff::"]) {
    assert.equal(set.contains(inside), true, inside);
  }
  for (const outside of ["11.0.0.0", "192.0.2.8", "172.32.0.0", "2001:db9::", "nonsense", "", "10.0.0"]) {
    assert.equal(set.contains(outside), false, outside);
  }
});

test("everything of IPv6 is not IPv4", () => {
  assert.equal(cidrSet(["::/0"]).contains("192.0.2.1"), false);
  assert.equal(cidrSet(["0.0.0.0/0"]).contains("2001:db8::1"), false);
  assert.equal(cidrSet(["::ffff:0:0/96"]).contains("192.0.2.1"), true);
});

test("a malformed CIDR is refused, and named", () => {
  const texts = [
    "",
    "/",
    "10.0.0.0/",
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "10.0.0.0/-1",
  ];
  for (const text of [...texts, "10.0.0.0/1e1", "10.0.0.0/ 8", "fe80::%1/10"])
    assert.equal(parseCidr(text), null, text);
  assert.throws(() => cidrSet(["10.0.0.0/8", "10.0.0.0/33"]), /not a CIDR: "10.0.0.0\/33"/);
});
