import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type CallbackPolicy, checkCallbackUrl } from "../../src/outbound/callback-url.ts";

const strict: CallbackPolicy = {
  requireHttps: true,
  allowedHosts: [],
  allowedPorts: [443],
  allowedCidrs: [],
  refuseUnknownNames: true,
};

function reasonOf(
  text: string,
  policy: Partial<CallbackPolicy> = {},
  partnerHosts: readonly string[] | null = null,
) {
  const check = checkCallbackUrl(text, { ...strict, ...policy }, partnerHosts);
  return check.ok ? null : check.reason;
}

function hostOf(text: string, policy: Partial<CallbackPolicy> = {}) {
  const check = checkCallbackUrl(text, { ...strict, ...policy }, null);
  return check.ok ? check.host : check;
}

test("plain https URLs pass", () => {
  assert.equal(hostOf("https://partner.example.com/ota/callback"), "partner.example.com");
  assert.equal(hostOf("https://Partner.Example.com"), "partner.example.com");
  assert.equal(hostOf("https://partner.example.com:443/?a=b&c=@:/[]"), "partner.example.com");
  assert.equal(hostOf("https://partner.example.com?x"), "partner.example.com");
  assert.equal(hostOf("https://xn--bcher-kva.example/"), "xn--bcher-kva.example");
  assert.equal(hostOf("HTTPS://partner.example.com/"), "partner.example.com");
  assert.equal(hostOf("https://8.8.8.8/"), "8.8.8.8");
  assert.equal(hostOf("https://[2A00:0:0::1]/"), "2a00::1");
  const mapped = "https://[::ffff:10.1.2.3]/";
  assert.equal(hostOf(mapped, { allowedCidrs: ["10.0.0.0/8"] }), "10.1.2.3");
});

test("each rule says which it is", () => {
  const cases: Record<string, string> = {
    "http://partner.example.com/": "the scheme must be https",
    "ftp://partner.example.com/": "the scheme is not https",
    "https://partner.example.com:8443/": "the port 8443 is not allowed",
    "https://partner.example.com:80/": "the port 80 is not allowed",
    "https://partner.example.com:/": "the port is not valid",
    "https://partner.example.com:0443/": "the port is not valid",
    "https://partner.example.com:70000/": "the port is not valid",
    "https://partner.example.com:+443/": "the port is not valid",
    "https://user@partner.example.com/": "user information is not allowed",
    "https://@partner.example.com/": "user information is not allowed",
    "https://:@partner.example.com/": "user information is not allowed",
    "https://partner.example.com/#part": "a fragment is not allowed",
    "https://partner.example.com/#": "a fragment is not allowed",
    "https:\\\\partner.example.com/": "a backslash is not allowed",
    "https://partner.example.com\\@evil.example/": "a backslash is not allowed",
    " https://partner.example.com/": "whitespace and control characters are not allowed",
    "https://partner.example.com/a b": "whitespace and control characters are not allowed",
    "ht\ttps://partner.example.com/": "whitespace and control characters are not allowed",
    "https://partner.example.com/\u0000": "whitespace and control characters are not allowed",
    "https://partner.example.com/\u0085": "whitespace and control characters are not allowed",
    "https://partner.example.com/\u2028": "whitespace and control characters are not allowed",
    "https:partner.example.com": "it is not written https://host/path",
    "https:/partner.example.com": "it is not written https://host/path",
    "partner.example.com": "it is not written https://host/path",
    "": "it is not written https://host/path",
    "https:///partner.example.com": "the host is missing",
    "https://": "the host is missing",
    "https://:443/": "the host is missing",
    "https://partner/": "the host has a single label",
    "https://partner.example.com./": "the host is not valid",
    "https://partner..example.com/": "the host is not valid",
    "https://.example.com/": "the host is not valid",
    "https://part%6eer.example.com/": "the host is not valid",
    "https://part_ner.example.com/": "the host is not valid",
    "https://-partner.example.com/": "the host is not valid",
    "https://partner-.example.com/": "the host is not valid",
    "https://bücher.example/": "the host is not valid",
    "https://[partner.example.com]/": "the IPv6 address is not valid",
    "https://[::1/": "the host is not valid",
    "https://2a00::1/": "the port is not valid",
    "https://[fe80::1%25eth0]/": "the IPv6 address is not valid",
    "https://[2a00::1%eth0]/": "the IPv6 address is not valid",
    "https://0x7f.1/": "an IPv4 address is written as four decimal octets",
    "https://127.1/": "an IPv4 address is written as four decimal octets",
    "https://2130706433/": "an IPv4 address is written as four decimal octets",
    "https://0177.0.0.1/": "an IPv4 address is written as four decimal octets",
    "https://8.8.8.0x8/": "an IPv4 address is written as four decimal octets",
    "https://8.8.8.256/": "an IPv4 address is written as four decimal octets",
    "https://example.123/": "an IPv4 address is written as four decimal octets",
    "https://127.0.0.1/": "the address is not public",
    "https://169.254.169.254/": "the address is not public",
    "https://[::1]/": "the address is not public",
    "https://[::ffff:127.0.0.1]/": "the address is not public",
    "https://[::ffff:8.8.8.8]/": "the address is not public",
    "https://[64:ff9b::8.8.8.8]/": "the address is not public",
    "https://localhost/": "a localhost name is not public",
    "https://a.LOCALHOST/": "a localhost name is not public",
    "https://a.invalid/": "names under .invalid are not public",
    "https://printer.local/": "names under .local are not public",
    "https://metadata.google.internal/": "names under .internal are not public",
    "https://abc.onion/": "names under .onion are not public",
  };
  for (const [text, reason] of Object.entries(cases))
    assert.equal(reasonOf(text), reason, JSON.stringify(text));
});

test("a full-width host is not what it looks like", () => {
  assert.equal(reasonOf("https://\uff50artner.example.com/"), "the host is not valid");
  assert.equal(reasonOf("https://１２７.0.0.1/"), "an IPv4 address is written as four decimal octets");
});

test("lengths: 2048 characters, 63 a label, 253 a name", () => {
  const base = "https://partner.example.com/";
  assert.equal(reasonOf(base.padEnd(2048, "x")), null);
  assert.equal(reasonOf(base.padEnd(2049, "x")), "it is longer than 2048 characters");
  const label = "a".repeat(63);
  assert.equal(reasonOf(`https://${label}.example/`), null);
  assert.equal(reasonOf(`https://a${label}.example/`), "the host is not valid");
  assert.equal(reasonOf(`https://${label}.${label}.${label}.${"a".repeat(61)}/`), null);
  assert.equal(reasonOf(`https://${label}.${label}.${label}.${"a".repeat(62)}/`), "the host is not valid");
});

test("http and other ports where the policy has them", () => {
  const open = { requireHttps: false, allowedPorts: [443, 80] };
  assert.equal(reasonOf("http://partner.example.com/", open), null);
  assert.equal(reasonOf("http://partner.example.com:443/", open), null);
  assert.equal(reasonOf("http://partner.example.com:8080/", open), "the port 8080 is not allowed");
  assert.equal(reasonOf("https://partner.example.com:8443/", { allowedPorts: [8443] }), null);
  assert.equal(
    reasonOf("https://partner.example.com/", { allowedPorts: [8443] }),
    "the port 443 is not allowed",
  );
  assert.equal(reasonOf("https://partner.example.com:1/", { allowedPorts: "any" }), null);
});

test("listed hosts: exact names, or the subdomains of *.x, in any case", () => {
  const notListed = "the host is not among the allowed callback hosts";
  const listed = {
    allowedHosts: ["Partner.example.com", "*.Wild.example", "gateway", "intra.local", "8.8.4.4"],
  };
  assert.equal(reasonOf("https://PARTNER.example.com/", listed), null);
  assert.equal(reasonOf("https://a.wild.example/", listed), null);
  assert.equal(reasonOf("https://a.b.wild.example/", listed), null);
  assert.equal(reasonOf("https://gateway/", listed), null);
  assert.equal(reasonOf("https://intra.local/", listed), null);
  assert.equal(reasonOf("https://8.8.4.4/", listed), null);
  const others = [
    "https://wild.example/",
    "https://evilwild.example/",
    "https://a.partner.example.com/",
    "https://8.8.8.8/",
  ];
  for (const text of others) assert.equal(reasonOf(text, listed), notListed, text);
});

test("a listed literal still needs an allowed address, and *.1 is no range", () => {
  assert.equal(reasonOf("https://10.0.0.1/", { allowedHosts: ["10.0.0.1"] }), "the address is not public");
  assert.equal(
    reasonOf("https://8.8.8.1/", { allowedHosts: ["*.1"] }),
    "the host is not among the allowed callback hosts",
  );
});

test("the partner's own list narrows, and never widens", () => {
  const notOwn = "the host is not among the partner's callback hosts";
  assert.equal(reasonOf("https://partner.example.com/", {}, ["*.example.com"]), null);
  assert.equal(reasonOf("https://partner.example.com/", {}, ["other.example.com"]), notOwn);
  assert.equal(reasonOf("https://partner.example.com/", {}, []), notOwn);
  assert.equal(reasonOf("https://a.local/", {}, ["a.local"]), "names under .local are not public");
  assert.equal(reasonOf("https://[2a00::1]/", {}, ["[2a00:0::1]"]), null);
});

test("ranges that the policy allows", () => {
  const loopback = { allowedCidrs: ["127.0.0.0/8"] };
  for (const text of [
    "https://localhost/",
    "https://a.localhost/",
    "https://127.0.0.1/",
    "https://[::ffff:127.0.0.1]/",
  ]) {
    assert.equal(reasonOf(text, loopback), null, text);
  }
  assert.equal(reasonOf("https://localhost/", { allowedCidrs: ["::1"] }), null);
  assert.equal(reasonOf("https://[::1]/", loopback), "the address is not public");
  // Looks like the mapped form, and is none.
  assert.equal(reasonOf("https://[::127.0.0.1]/", loopback), "the address is not public");
  assert.equal(
    reasonOf("https://localhost/", { allowedCidrs: ["10.0.0.0/8"] }),
    "a localhost name is not public",
  );
  assert.equal(reasonOf("https://10.1.2.3/", { allowedCidrs: ["10.0.0.0/8"] }), null);
});

test("whatever passes is read by the URL parser just as it was written", () => {
  const mark = fc.constantFrom(...":/@[]\\#?.%\t0x7f1ac。ı-_".split(""), "https://", "a.example", "8.8.8.8");
  fc.assert(
    fc.property(fc.array(mark, { maxLength: 12 }), (marks) => {
      const text = `https://${marks.join("")}`;
      const check = checkCallbackUrl(text, { ...strict, allowedPorts: "any" }, null);
      if (!check.ok) return;
      assert.equal(check.url.protocol, "https:");
      assert.ok(text.toLowerCase().startsWith(`https://${check.url.hostname}`), text);
    }),
    { numRuns: 500 },
  );
});
