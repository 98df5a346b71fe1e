import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createCredentials } from "../../src/lib/credentials.ts";

const withKeys = (...keys: string[]) => createCredentials({ keys, development: false });

suite("token digests", () => {
  test("the newest key makes them, every key verifies them", () => {
    const [before, both, after] = [withKeys("old"), withKeys("new", "old"), withKeys("new")];
    const digest = before.digest("token");
    assert.ok(both.matches("token", digest));
    assert.ok(!both.matches("Token", digest));
    assert.ok(!after.matches("token", digest), "the old key has been dropped");
    assert.equal(both.digest("token"), after.digest("token"));
    assert.deepEqual(
      [before, both, after].map(({ standing }) => standing(digest)),
      ["newest", "older", "lost"],
    );
  });

  test("those from before there was a key hold on", () => {
    const plain = withKeys().digest("token");
    assert.match(plain, /^sha256:[0-9a-f]{64}$/);
    const keyed = withKeys("key");
    assert.ok(keyed.matches("token", plain));
    assert.deepEqual([keyed.standing(plain), withKeys().standing(plain)], ["older", "newest"]);
  });

  test("digests() names every form that a token may have been stored in", () => {
    const found = withKeys("new", "old").digests("token");
    assert.deepEqual(
      found,
      ["new", "old", null].map((key) => (key === null ? withKeys() : withKeys(key)).digest("token")),
    );
  });

  test("no stored text matches by accident, and none throws", () => {
    const credentials = withKeys("new", "old");
    fc.assert(
      fc.property(fc.string(), fc.oneof(fc.string(), fc.constant("hmac-sha256:")), (token, stored) => {
        assert.equal(credentials.matches(token, stored), false);
        credentials.standing(stored);
        assert.throws(() => credentials.unseal(stored));
      }),
    );
  });

  test("a key's name says nothing of the key, and is not the digest's beginning", () => {
    const [, id] = withKeys("key").digest("token").split(":");
    assert.match(id!, /^[0-9a-f]{12}$/);
    assert.notEqual(id, withKeys("Key").digest("token").split(":")[1]);
  });
});

suite("sealed secrets", () => {
  test("open under any of the keys, and under no other", () => {
    fc.assert(
      fc.property(fc.string(), (secret) => {
        const sealed = withKeys("old").seal(secret);
        assert.equal(withKeys("new", "old").unseal(sealed), secret);
        assert.throws(() => withKeys("new").unseal(sealed), /APP_HMAC_SECRET that is not set/);
      }),
      { numRuns: 30 },
    );
  });

  test("two seals of one secret differ; a changed one is refused, a cut one too", () => {
    const credentials = withKeys("key");
    const sealed = credentials.seal("whsec_secret");
    assert.notEqual(sealed, credentials.seal("whsec_secret"));
    assert.ok(!sealed.includes("secret"));
    const [form, id, base64] = sealed.split(":");
    const bytes = Buffer.from(base64!, "base64");
    for (const [at] of bytes.entries()) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      assert.throws(() => credentials.unseal(`${form}:${id}:${changed.toString("base64")}`), `byte ${at}`);
    }
    for (const length of [0, 5, 12, 20, bytes.length - 1]) {
      const cut = bytes.subarray(0, length).toString("base64");
      assert.throws(() => credentials.unseal(`${form}:${id}:${cut}`), `${length} bytes`);
    }
  });

  test("without a key: in the clear in development, refused elsewhere", () => {
    const development = createCredentials({ keys: [], development: true });
    const stored = development.seal("a:b");
    assert.equal(development.unseal(stored), "a:b");
    assert.throws(() => withKeys().seal("a:b"), /APP_HMAC_SECRET is set/);
    assert.throws(() => withKeys().unseal(stored));
    assert.throws(() => withKeys("key").unseal(stored));
  });
});
