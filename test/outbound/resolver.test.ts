import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ResolverOptions, createResolver } from "../../src/outbound/resolver.ts";
import { type DnsRecord, startDnsServer } from "../support/dns-server.ts";

const DEADLINE_MS = 5000;

async function setUp(t: TestContext, records: Record<string, DnsRecord>, options: ResolverOptions = {}) {
  const server = await startDnsServer(records);
  t.after(() => server.close());
  const resolve = createResolver({ servers: [server.address], timeoutMs: 100, tries: 1, ...options });
  return { server, resolve };
}

test("both families' addresses", async (t) => {
  const { resolve, server } = await setUp(t, {
    "partner.example": ["192.0.2.1", "2001:db8::5", "192.0.2.2"],
  });
  const resolution = await resolve("Partner.Example", DEADLINE_MS);
  assert.deepEqual(resolution, { kind: "addresses", addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::5"] });
  assert.deepEqual(server.questions.toSorted(), ["A partner.example", "AAAA partner.example"]);
});

test("a name that does not exist, or has no address, is unknown", async (t) => {
  const { resolve } = await setUp(t, { "empty.example": [], "half.example": { a: "nxdomain", aaaa: [] } });
  for (const name of ["missing.example", "empty.example", "half.example", `${"a".repeat(64)}.example`]) {
    assert.deepEqual(await resolve(name, DEADLINE_MS), { kind: "unknown-name" }, name);
  }
});

test("a failing server is no proof that a name is unknown", async (t) => {
  const { resolve } = await setUp(t, {
    "broken.example": "servfail",
    "half.example": { a: [], aaaa: "servfail" },
    "silent.example": { a: "hang", aaaa: "nxdomain" },
  });
  assert.deepEqual(await resolve("broken.example", DEADLINE_MS), { kind: "failed", code: "ESERVFAIL" });
  assert.deepEqual(await resolve("half.example", DEADLINE_MS), { kind: "failed", code: "ESERVFAIL" });
  assert.deepEqual(await resolve("silent.example", DEADLINE_MS), { kind: "failed", code: "ETIMEOUT" });
});

test("one family's addresses count although the other fails", async (t) => {
  const { resolve } = await setUp(t, {
    "a.example": { a: ["192.0.2.1"], aaaa: "servfail" },
    "b.example": { a: "hang", aaaa: ["2001:db8::1"] },
  });
  assert.deepEqual(await resolve("a.example", DEADLINE_MS), { kind: "addresses", addresses: ["192.0.2.1"] });
  assert.deepEqual(await resolve("b.example", DEADLINE_MS), {
    kind: "addresses",
    addresses: ["2001:db8::1"],
  });
});

test("localhost names are loopback, unasked", async (t) => {
  const { resolve, server } = await setUp(t, { localhost: ["192.0.2.1"] });
  for (const name of ["localhost", "LOCALHOST", "gateway.localhost"]) {
    assert.deepEqual(await resolve(name, DEADLINE_MS), {
      kind: "addresses",
      addresses: ["127.0.0.1", "::1"],
    });
  }
  assert.deepEqual(server.questions, []);
});

test("the deadline ends the wait", async (t) => {
  const { resolve } = await setUp(t, { "silent.example": "hang" });
  assert.deepEqual(await resolve("silent.example", 1), { kind: "failed", code: "EDEADLINE" });
});

test("lookups of a name are shared while under way and for a moment after; failures are not kept", async (t) => {
  const { resolve, server } = await setUp(t, {
    "partner.example": ["192.0.2.1"],
    "broken.example": "servfail",
  });
  await Promise.all(Array.from({ length: 20 }, () => resolve("partner.example", DEADLINE_MS)));
  await resolve("partner.example", DEADLINE_MS);
  assert.equal(server.questions.length, 2);
  await resolve("broken.example", DEADLINE_MS);
  const asked = server.questions.length;
  await resolve("broken.example", DEADLINE_MS);
  assert.ok(server.questions.length > asked);
});

test("a hanging domain takes its own places alone, and keeps them no longer than it hangs", async (t) => {
  const { resolve } = await setUp(
    t,
    {
      "a.slow.example": "hang",
      "b.slow.example": "hang",
      "c.slow.example": ["192.0.2.3"],
      "quick.test": ["192.0.2.4"],
    },
    { maxInFlight: 3, maxInFlightPerDomain: 2, timeoutMs: 300 },
  );
  const hanging = ["a.slow.example", "b.slow.example"].map((name) => resolve(name, DEADLINE_MS));
  assert.deepEqual(await resolve("c.slow.example", DEADLINE_MS), { kind: "failed", code: "EBUSY" });
  assert.equal((await resolve("quick.test", DEADLINE_MS)).kind, "addresses");
  await Promise.all(hanging);
  assert.equal((await resolve("c.slow.example", DEADLINE_MS)).kind, "addresses");
});

test("lookups are bounded in total", async (t) => {
  const { resolve } = await setUp(t, { "a.test": "hang", "b.example": "hang" }, { maxInFlight: 2 });
  const hanging = ["a.test", "b.example"].map((name) => resolve(name, DEADLINE_MS));
  assert.deepEqual(await resolve("c.invalid", DEADLINE_MS), { kind: "failed", code: "EBUSY" });
  await Promise.all(hanging);
});

test("its end ends the queries under way", async (t) => {
  const ending = new AbortController();
  const options = { timeoutMs: 60_000, signal: ending.signal };
  const { resolve, server } = await setUp(t, { "hanging.example": "hang" }, options);
  const lookup = resolve("hanging.example", 60_000);
  while (server.questions.length < 2) await new Promise((resolved) => setImmediate(resolved));
  ending.abort();
  assert.deepEqual(await lookup, { kind: "failed", code: "ECANCELLED" });
});
