import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import { checkCallbackUrl } from "../../src/outbound/callback-url.ts";
import { type Connector, ConnectionError } from "../../src/outbound/connector.ts";
import { createHttpClient } from "../../src/outbound/http-client.ts";
import type { Resolve } from "../../src/outbound/resolver.ts";
import { readAddress } from "./addresses.ts";
import { type Destination, destinationOf, mayReach } from "./callback-rules.ts";
import { callbackUrls, partnerHosts, policies } from "./callback-urls.ts";
import { cases, createTally } from "./runs.ts";

/** Keeps what the client would have connected to, and connects to nothing. */
function keptTargets() {
  const targets: { hostname: string; port: string; protocol: string }[] = [];
  const connector: Connector = ({ hostname, port, protocol }, callback) => {
    targets.push({ hostname, port, protocol });
    queueMicrotask(() => callback(new ConnectionError("connect", "kept"), null));
    return null;
  };
  const client = createHttpClient({ connector, connections: 1 });
  after(() => client.destroy());
  const post = (url: URL) =>
    client.post({ url, headers: {}, body: "", deadlineMs: 5000, maxBodyBytes: 1, wholeBody: false });
  return { targets, post };
}

test("a callback URL is accepted if and only if SPEC allows it, and then everybody reads the same host in it", async (t) => {
  const tally = createTally();
  const { targets, post } = keptTargets();
  const asked: string[] = [];
  const resolve: Resolve = async (name) => {
    asked.push(name);
    return { kind: "failed", code: "NOBODY_ASKED" };
  };
  const property = fc.asyncProperty(callbackUrls, policies, partnerHosts, async (text, policy, hosts) => {
    const check = checkCallbackUrl(text, policy, hosts);
    const wanted = destinationOf(text, policy, hosts);
    // What looks like an A-label and is none, only the parser can tell.
    const isParsed = wanted !== null && URL.canParse(text);
    assert.equal(check.ok, isParsed, check.ok ? check.host : check.reason);
    tally.add(!check.ok ? "refused" : readAddress(check.host) === null ? "names" : "addresses");
    if (!check.ok || wanted === null) return;

    sameDestination(check.url, wanted);
    await post(check.url);
    sameDestination(targets.splice(0)[0]!, wanted);
    const verdict = await createAddressGuard({ policy, resolve }).checkAtAcceptance(check.url);
    const isName = readAddress(wanted.host) === null;
    assert.equal(verdict.kind, isName ? "deferred" : "allowed");
    assert.deepEqual(asked.splice(0), isName ? [wanted.host] : []);
    if (!isName) assert.ok(mayReach(wanted.host, policy));
  });
  await fc.assert(property, cases(6000));
  tally.tell(t, "callback URLs");
  for (const family of ["refused", "names", "addresses"]) assert.ok(tally.count(family) > 150, family);
});

function sameDestination(
  read: { hostname: string; port: string; protocol: string },
  wanted: Destination,
): void {
  const host = read.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = read.port || (read.protocol === "https:" ? "443" : "80");
  assert.equal(read.protocol, `${wanted.scheme}:`);
  assert.equal(port, String(wanted.port));
  const address = readAddress(wanted.host);
  if (address === null) assert.equal(host, wanted.host);
  else assert.deepEqual(readAddress(host), address);
}
