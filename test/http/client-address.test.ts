import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { clientAddress } from "../../src/http/client-address.ts";
import { cidrSet } from "../../src/lib/cidr.ts";

const proxies = cidrSet(["10.0.0.0/8", "fd00::/8"]);
const proxy = "10.0.0.1";
const through = (...lines: string[]) => clientAddress(proxy, lines, proxies);

test("the socket's address counts, whatever an untrusted peer claims", () => {
  assert.equal(clientAddress("192.0.2.1", [], proxies), "192.0.2.1");
  assert.equal(clientAddress("192.0.2.1", ["203.0.113.9"], proxies), "192.0.2.1");
  assert.equal(clientAddress("::ffff:192.0.2.1", ["203.0.113.9"], proxies), "192.0.2.1");
  assert.equal(clientAddress(proxy, ["203.0.113.9"], cidrSet([])), proxy);
  assert.equal(clientAddress("fe80::1%eth0", [], proxies), "fe80::1");
});

test("behind a trusted proxy the rightmost entry that is no proxy counts", () => {
  assert.equal(through("203.0.113.9"), "203.0.113.9");
  assert.equal(through("1.1.1.1, 203.0.113.9"), "203.0.113.9");
  assert.equal(through("1.1.1.1, 203.0.113.9, 10.0.0.2,fd00::7"), "203.0.113.9");
  assert.equal(clientAddress("::ffff:10.0.0.1", ["203.0.113.9"], proxies), "203.0.113.9");
  assert.equal(clientAddress("fd00::1", ["2001:db8::5"], proxies), "2001:db8::5");
});

test("repeated headers are one list in their order", () => {
  assert.equal(through("1.1.1.1", "203.0.113.9, 10.0.0.2", "10.0.0.3"), "203.0.113.9");
});

test("all trusted: the leftmost; no header: the proxy itself", () => {
  assert.equal(through("10.0.0.9, 10.0.0.8"), "10.0.0.9");
  assert.equal(through(), proxy);
});

test("an entry may have brackets and a port, and is normalised", () => {
  const spellings: Record<string, string> = {
    "203.0.113.9:8080": "203.0.113.9",
    "[2001:DB8::9]": "2001:db8::9",
    "[2001:db8:0::9]:443": "2001:db8::9",
    "2001:db8::9": "2001:db8::9",
    "::ffff:203.0.113.9": "203.0.113.9",
    "[::ffff:cb00:7109]:1": "203.0.113.9",
    " \t203.0.113.9\t ": "203.0.113.9",
  };
  for (const [written, address] of Object.entries(spellings))
    assert.equal(through(written), address, written);
});

test("anything else where the answer should stand is nobody", () => {
  const entries = [
    "",
    " ",
    "unknown",
    "_hidden",
    "203.0.113",
    "0xcb.0.113.9",
    "203.0.113.9:",
    "203.0.113.9:99999",
  ];
  const more = [
    "[203.0.113.9]",
    "[2001:db8::9",
    "2001:db8::9]",
    "[2001:db8::9]x",
    "fe80::1%eth0",
    '"203.0.113.9"',
    "for=1.2.3.4",
  ];
  for (const entry of [...entries, ...more, "203.0.113.9:80:80", "203.0.113.9 x", "1".repeat(10_000)]) {
    assert.equal(through(entry), null, entry);
    assert.equal(through(`1.1.1.1, ${entry}, 10.0.0.2`), null, entry);
  }
  assert.equal(clientAddress(undefined, ["203.0.113.9"], proxies), null);
  assert.equal(clientAddress("", [], proxies), null);
});

test("a chain of proxies beyond reason is nobody", () => {
  assert.equal(through(Array.from({ length: 32 }, () => "10.0.0.2").join(",")), "10.0.0.2");
  assert.equal(through(Array.from({ length: 33 }, () => "10.0.0.2").join(",")), null);
});

test("what stands left of the first untrusted entry changes nothing", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (lines) => {
      assert.equal(through(...lines, "203.0.113.9, 10.0.0.2"), "203.0.113.9");
      assert.equal(through(`${lines.join(",")},203.0.113.9`), "203.0.113.9");
    }),
  );
});
